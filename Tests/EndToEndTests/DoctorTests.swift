import Glibc
import PricingTestSupport
import Testing

extension EndToEnd {
    @Suite struct DoctorTests {
        @Test func `pricingd doctor says what it tried where no daemon answers, and what to do`() async throws {
            let folder = try TemporaryFolder()
            let socket = folder.path + "/s"
            let said = try await advice(socket)
            #expect(
                said.contains(
                    """
                      tried to connect there and to call server.status: no daemon answers at \(socket) \
                    (No such file or directory); is pricingd running?
                      start one with pricingd, or name the socket of one that runs with --socket or PRICINGD_SOCKET
                    """
                ),
                "\(said)"
            )
        }

        @Test func `pricingd doctor says so where something else than a daemon answers`() async throws {
            let folder = try TemporaryFolder()
            let socket = folder.path + "/s"
            // It stays: of one that leaves with a request unread, what it said may be lost.
            let talk = "SYSTEM:echo hello; cat >/dev/null"
            let stranger = try ChildProgram("/usr/bin/socat", ["UNIX-LISTEN:\(socket)", talk])
            defer { stranger.signal(SIGKILL) }
            while unsafe access(socket, F_OK) != 0 { await Task.yield() }
            let said = try await advice(socket)
            #expect(said.contains("what answers is no pricing daemon\n  look into the daemon's log"), "\(said)")
        }

        @Test(.enabled(if: getuid() == 0, "needs root to give a folder away"))
        func `pricingd doctor finds nothing wrong with a service that runs as another user`() async throws {
            let daemon = try await TestDaemon.shared()
            let folder = try TemporaryFolder()
            try #require(unsafe chown(folder.path, 65534, 65534) == 0)
            let said = try await advice(daemon.socket, folder.path)
            #expect(said.contains("belongs to uid 65534 (nobody)") && said.contains("runuser -u OWNER"), "\(said)")
        }

        private func advice(_ socket: String, _ folder: String? = nil) async throws -> String {
            let doctor = try ChildProgram(
                TestDaemon.program("pricingd"),
                ["doctor", "--socket", socket, "--data-dir", folder ?? socket + ".data"]
            )
            var lines: [String] = []
            while let line = await doctor.line() { lines.append(line) }
            #expect(await doctor.exit() == 0)
            return lines.joined(separator: "\n")
        }
    }
}
