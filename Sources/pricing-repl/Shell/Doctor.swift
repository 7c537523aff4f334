import Glibc
import JSON
import PricingProtocol

/// Says where the daemon should be, whether it answers, and who it takes us for.
@MainActor
struct Doctor {
    let session: Session
    let console: Console

    func run() async -> ExitStatus {
        console.show("socket   \(session.socket)\n")
        console.show("file     \(fileState())\n")
        do throws(CallFailure) {
            let hello = try await session.call("session.hello", Self.greeting)
            console.show("server   \(summary(hello["server"]))\n")
            console.show("protocol \(summary(hello["protocol"]))\n")
            console.show("peer     \(summary(hello["peer"]))\n")
            let status = try await session.call("server.status", [:])
            let renderer = ResultRenderer(format: .expanded, width: console.width)
            console.show("\n" + renderer.render(status))
            return .ok
        } catch {
            console.complain(error.line)
            if case .disconnected = error {
                console.complain("Start the daemon (pricingd serve), or name its socket with --socket.")
            }
            return error.status
        }
    }

    /// What `session.hello` takes.
    static let greeting: JSONObject = [
        "protocol": ["min": .integer(ProtocolVersion.spoken), "max": .integer(ProtocolVersion.spoken)],
        "client": ["name": "pricing-repl", "version": "1.0.0"],
    ]

    private func summary(_ value: JSONValue?) -> String {
        guard let object = value?.object else { return DisplayText.safe(value.map { Grid.Cell($0).text } ?? "unknown") }
        return Grid.flattened(object).map { "\(DisplayText.safe($0.0)) \(DisplayText.safe($0.1.text))" }
            .joined(separator: ", ")
    }

    private func fileState() -> String {
        var found = stat()
        guard unsafe stat(session.socket, &found) == 0 else {
            return errno == EACCES ? "not reachable: a folder above it is closed to you" : "does not exist"
        }
        guard found.st_mode & S_IFMT == S_IFSOCK else { return "is not a socket" }
        let isOpen = unsafe access(session.socket, W_OK) == 0
        return "a socket of uid \(found.st_uid), mode \(String(found.st_mode & 0o777, radix: 8))"
            + (isOpen ? "" : ", closed to you (uid \(getuid()))")
    }
}
