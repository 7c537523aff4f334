import Foundation
import Glibc
import PricingTestSupport

/// `examples/quickstart.sh` without a terminal, on the programs that were built beside the tests.
struct Quickstart {
    let program: ChildProgram
    private let group: Int32

    init(root: String) async throws {
        let folder = URL(filePath: try TestDaemon.program("pricingd")).deletingLastPathComponent().path
        // A session of its own, whose number it tells: a signal to the whole group is what Ctrl-C sends.
        program = try ChildProgram(
            "/usr/bin/setsid",
            ["--wait", "bash", "-c", "echo $$; exec bash \"$0\"", root + "/examples/quickstart.sh"],
            environment: ["PRICINGD_BIN": folder]
        )
        try program.closeInput()
        group = await program.line().flatMap { Int32($0) } ?? 0
    }

    /// Its next lines, up to and with one of them; without one, all there are.
    func lines(until last: String?) async -> [String] {
        var lines: [String] = []
        while let line = await program.line() {
            lines.append(line)
            if line == last { break }
        }
        return lines
    }

    /// What Ctrl-C does.
    func interrupt() {
        if group > 1 { kill(-group, SIGINT) }
    }

    /// Processes and files that still name the run's folder, which stands in the ready line among `lines`.
    func leftovers(_ lines: [String]) -> [String] {
        guard let ready = lines.first(where: { $0.hasPrefix("{\"ready\":true") }),
            let socket = ready.split(separator: "\"").first(where: { $0.hasSuffix("/pricingd.sock") })
        else { return ["no ready line"] }
        let folder = String(socket.dropLast("/pricingd.sock".count))
        let files = FileManager.default.fileExists(atPath: folder) ? [folder] : []
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return files
            + processes.compactMap { pid in
                guard Int32(pid) != nil, let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
                else { return nil }
                let text = String(decoding: words, as: UTF8.self)
                return text.contains(folder) ? "\(pid) \(text)" : nil
            }
    }
}
