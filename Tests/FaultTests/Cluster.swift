import Foundation
import Glibc
import Postgres
import PricingTestSupport

/// `examples/cluster/up.sh`: three servers under Patroni, three etcd, and the daemon that it starts. It ends with the test
/// process.
final class Cluster: Sendable {
    /// A program did not do what it was told.
    struct Failed: Error {
        let text: String
    }

    static let isAvailable =
        TestCluster.isRequired
        || succeeds(["/bin/sh", "-ec", "command -v etcd; /usr/bin/python3 -c 'import ensurepip, venv'"])

    /// Stopping it stops everything.
    let daemon: TestDaemon
    /// As the script's FOLDER.
    let folder: String
    private let firstPort: Int
    private let temporary: TemporaryFolder

    /// - Parameters:
    ///   - wrapper: a command that becomes the script, whose own command is added to it.
    ///   - settings: the script's variables.
    init(wrapper: [String] = [], _ settings: [String] = []) async throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        let programs = URL(filePath: try TestDaemon.program("pricingd")).deletingLastPathComponent().path
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized.path
        let words =
            ["/usr/bin/env", "PRICINGD_BIN=\(programs)"] + settings + wrapper
            + [root + "/examples/cluster/up.sh", folder]
        daemon = try await TestDaemon.start(words, in: temporary, socket: folder + "/pricingd.sock") {
            try Self.settings(folder)
        }
        self.temporary = temporary
        self.folder = folder
        firstPort = try Self.firstPort(folder)
        try watch()
    }

    /// Its other processes end with the folder.
    private func watch() throws {
        for pid in try processes { try temporary.endWithFolder(pid) }
    }

    /// All that the script has started.
    var processes: [Int32] {
        get throws {
            try (1...3).flatMap { try [pid($0, "etcd.pid"), pid($0, "patroni.pid"), postmaster($0)] }
                + [Self.pid(folder + "/pricingd.pid")]
        }
    }

    /// Stops everything: whether the script told the signal that ended it.
    func stop() async -> Bool { await daemon.stop() == 128 + SIGTERM }

    /// Goes on after a stop.
    func restart() async throws {
        try await daemon.restart()
        try watch()
    }

    // MARK: Its parts

    /// The process id of a node's postmaster.
    func postmaster(_ node: Int) throws -> Int32 { try pid(node, "cluster/postmaster.pid") }

    /// The process that a file of a node names.
    func pid(_ node: Int, _ file: String) throws -> Int32 { try Self.pid("\(folder)/\(node)/\(file)") }

    /// Which node is the primary; nil while none is.
    func primary() async -> Int? {
        await ask("select current_setting('port')").flatMap { Int($0) }.map { ($0 - firstPort) / 4 + 1 }
    }

    /// Whether a primary has both others as standbys that count.
    func isWhole() async -> Bool {
        await ask("select count(*)::text from pg_stat_replication where sync_state = 'quorum'") == "2"
    }

    /// Another node of the three.
    func other(than node: Int) -> Int { node % 3 + 1 }

    /// Gives the primary's place to another node.
    func switchOver() async throws {
        guard let primary = await primary() else { throw Failed(text: "there is no primary") }
        try await run([
            folder + "/venv/bin/patronictl", "-c", folder + "/1/patroni.yml", "switchover", "--force",
            "--leader=node\(primary)", "--candidate=node\(other(than: primary))",
        ])
    }

    /// Cuts a node of `Networks` off, or joins it again.
    func setLink(of node: Int, _ state: String) async throws {
        let network = ["/usr/bin/nsenter", "--target", "\(daemon.program.pid)", "--net"]
        try await run(network + ["ip", "link", "set", "node\(node)", state])
    }

    /// Runs a program, which must succeed.
    private func run(_ words: [String]) async throws {
        let program = try ChildProgram(words[0], Array(words.dropFirst()))
        guard await program.exit() == 0 else { throw Failed(text: await program.errorText()) }
    }

    /// What the primary says.
    private func ask(_ query: String) async -> String? {
        guard let look = try? await daemon.database() else { return nil }
        let answer = try? await look.text(query)
        await look.close()
        return answer
    }

    private static func pid(_ path: String) throws -> Int32 {
        let line = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").first
        guard let pid = line.flatMap({ Int32($0) }) else { throw Failed(text: "\(path) names no process") }
        return pid
    }

    private static func firstPort(_ folder: String) throws -> Int {
        let lines = try String(contentsOfFile: folder + "/settings", encoding: .utf8).split(separator: "\n")
        guard let port = lines.first(where: { $0.hasPrefix("port=") }).flatMap({ Int($0.dropFirst(5)) }) else {
            throw Failed(text: "the settings name no port")
        }
        return port
    }

    /// The primary, by sockets that no network cuts.
    private static func settings(_ folder: String) throws -> ConnectionSettings {
        let port = try firstPort(folder)
        var settings = ConnectionSettings(keywords: [
            "host": (1...3).map { "\(folder)/\($0)" }.joined(separator: ","),
            "port": (0...2).map { "\(port + $0 * 4)" }.joined(separator: ","),
            "dbname": "shop", "user": "postgres", "passfile": folder + "/admin.pgpass",
            "target_session_attrs": "read-write", "connect_timeout": "2",
        ])
        settings.searchPath = "pricing, pricing_code"
        return settings
    }
}

/// Whether a program ends well; what it says is not heard.
func succeeds(_ words: [String]) -> Bool {
    let program = Process()
    program.executableURL = URL(filePath: words[0])
    program.arguments = Array(words.dropFirst())
    program.standardOutput = FileHandle.nullDevice
    program.standardError = FileHandle.nullDevice
    guard (try? program.run()) != nil else { return false }
    program.waitUntilExit()
    return program.terminationStatus == 0
}
