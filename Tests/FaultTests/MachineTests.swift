import Foundation
import Glibc
import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import RPCTransport
import Testing

extension Faults {
    /// What the machine runs out of, or never had.
    @Suite
    struct MachineTests {
        /// Nothing can be written for a while; then there is room again.
        @Test(.enabled(if: Mounts.areOurs, "needs root to mount a small disk"))
        func `a full disk loses nothing, and work goes on once there is room`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false, diskMegabytes: 150)
            let trial = try await Trial.start(on: daemon)
            let other = try await daemon.client()
            let file = daemon.dataDirectory + "/filler"
            try await trial.run("disk full") { _ in
                for _ in 0..<rounds {
                    await trial.journal.advances(by: 100)
                    try fill(file)
                    try await untilRefused(other, trial.shop.categoryId)
                    unsafe unlink(file)
                    let begin = ContinuousClock.now
                    await trial.journal.advances(by: 10)
                    #expect(begin.duration(to: .now) < .seconds(5))
                }
                await trial.journal.advances(by: 50)
            }
            await other.close()
            #expect(await daemon.stop() == 0)
        }

        /// Makes products until that is refused for want of room, for ten seconds in a release; some pages still have some.
        private func untilRefused(_ client: TestClient, _ category: Int64) async throws {
            let row: JSONObject = ["title": "Filling", "basePrice": "1.00", "categoryId": .integer(category)]
            let end = ContinuousClock.now + .seconds(isLong ? 10 : 0)
            for _ in 0..<50_000 {
                do {
                    _ = try await client.call("product.create", row)
                } catch let refusal as RPCError {
                    let isFull = refusal.data["which"] == "disk" && refusal.data["outcome"] == "not_done"
                    #expect(isFull || refusal.reason == "UNAVAILABLE", "\(refusal)")
                    if isFull, .now >= end { return }
                }
            }
            Issue.record("the disk was not full")
        }

        /// Writes until nothing more goes in.
        private func fill(_ path: String) throws {
            let file = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            try #require(file >= 0)
            defer { close(file) }
            let piece = [UInt8](repeating: 0, count: 1 << 20)
            while unsafe write(file, piece, piece.count) > 0 {}
        }

        /// Whoever is connected is served; whoever comes waits until there is room; nothing spins.
        @Test func `used up descriptors stop newcomers alone`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            let trial = try await Trial.start(on: daemon)
            let admin = try await daemon.database()
            let pid = daemon.program.pid
            try await trial.run("descriptors") { _ in
                for _ in 0..<rounds {
                    try await limit(pid, 4096)
                    await trial.journal.advances(by: 100)
                    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
                    try await limit(pid, open + 10)
                    let newcomers = try (0..<40).map { _ in try PlainSocket.connect(daemon.socket) }
                    await trial.journal.advances(by: 200)
                    // Swift's thread pool ends a process that has none left at the wrong moment.
                    let full = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
                    #expect(full < open + 10, "some are kept for other things than peers")
                    for descriptor in newcomers { close(descriptor) }
                }
            }
            let crowd = try (0..<40).map { _ in try PlainSocket.connect(daemon.socket) }
            let before = try Processes.ticks(of: pid)
            _ = try await admin.text("select pg_sleep(1)::text")
            #expect(try Processes.ticks(of: pid) - before < 60, "of a hundred a second")
            for descriptor in crowd { close(descriptor) }
            let late = try daemon.lines()
            late.send(#"{"jsonrpc":"2.0","id":1,"method":"session.ping"}"#)
            #expect(await late.line() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
            await admin.close()
            try await limit(pid, 4096)
            #expect(await daemon.stop() == 0)
        }

        private func limit(_ pid: Int32, _ count: Int) async throws {
            let prlimit = try ChildProgram("/usr/bin/prlimit", ["--pid", "\(pid)", "--nofile=\(count):"])
            #expect(await prlimit.exit() == 0)
        }

        private static let movesClocks = Mounts.areOurs && FileManager.default.isExecutableFile(atPath: "/usr/bin/cc")

        /// A daemon whose clock of the day, and its server's, is moved by the seconds that the file holds.
        private func withMovedClock(_ body: (TestDaemon, _ file: String) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            let etc = folder.path + "/etc"
            let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "clock.c").path
            let making = """
                set -e
                cp -a /etc "$1"
                cc -shared -fPIC -O1 -DCLOCK_FILE='"/etc/moved"' -o "$1/moved.so" "$2"
                echo /etc/moved.so >"$1/ld.so.preload"
                head -c 8 /dev/zero >"$1/moved"
                """
            let made = try ChildProgram("/bin/sh", ["-c", making, "sh", etc, source])
            let said = await made.errorText()
            try #require(await made.exit() == 0, "\(said)")
            let daemon = try await TestDaemon.start(
                isSandbox: false,
                wrapper: [
                    "/usr/bin/unshare", "--mount", "/bin/sh", "-c", "mount --bind '\(etc)' /etc && exec \"$@\"", "sh",
                ]
            )
            try await body(daemon, etc + "/moved")
            #expect(await daemon.stop() == 0)
        }

        private func set(_ file: String, _ seconds: Int64) {
            let file = unsafe open(file, O_WRONLY | O_CLOEXEC)
            var seconds = seconds
            #expect(unsafe pwrite(file, &seconds, 8, 0) == 8)
            close(file)
        }

        /// The clock of daemon and server is set forward and back while they work.
        @Test(.enabled(if: movesClocks, "needs root, and a C compiler"))
        func `a clock that jumps changes no duration`() async throws {
            try await withMovedClock { daemon, file in
                let trial = try await Trial.start(on: daemon)
                var load = Trial.Load()
                load.timeoutMs = 3000
                try await trial.run("clock jumps", load) { _ in
                    // Less than a day apart, after which keys are forgotten.
                    let jumps: [Int64] = [3600, 0, 43_200, -3600, 0]
                    for moved in isLong ? jumps + jumps + jumps + jumps : jumps {
                        await trial.journal.advances(by: isLong ? 1000 : 60)
                        set(file, moved)
                        let told = try #require(try await trial.shop.client.call("clock.get")["at"]?.string)
                        #expect(abs(seconds(told) - Date.now.timeIntervalSince1970 - Double(moved)) < 30)
                    }
                    await trial.journal.advances(by: 60)
                }
                let late = trial.journal.refusals.filter { $0.reason == "DEADLINE_EXCEEDED" }
                #expect(late.isEmpty, "\(late.prefix(2))")
            }
        }

        /// A sleep runs by another clock: without word of the change this pin would end after half an hour.
        @Test(.enabled(if: movesClocks, "needs root, and a C compiler"), .timeLimit(.minutes(3)))
        func `what a clock set forward makes due is done at once`() async throws {
            try await withMovedClock { daemon, file in
                let shop = try await ShopClient.open(daemon)
                let product = try await shop.product()
                let until = Date.now.addingTimeInterval(1800).ISO8601Format()
                _ = try await shop.client.call(
                    "price.pin",
                    ["productId": .integer(product), "price": "150.00", "until": .string(until)]
                )
                _ = try await shop.client.call(
                    "events.subscribe",
                    ["topics": ["price"]]
                )
                set(file, 1900)
                let event = try #require(await shop.client.notifications.first { $0.method == "events.event" })
                #expect(event.params["after"]?["price"] == "100.00")
            }
        }

        private func seconds(_ time: String) -> Double {
            let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            return (try? Date(time, strategy: format).timeIntervalSince1970) ?? 0
        }

        /// Without PostgreSQL's server programs there is no private cluster, and the daemon says what to do.
        @Test(.enabled(if: Mounts.areOurs, "needs root to hide the programs from one process"))
        func `missing server programs are told`() async throws {
            let folder = try TemporaryFolder()
            let hidden = "mount -t tmpfs none /usr/lib/postgresql && exec \"$@\""
            let daemon = try ChildProgram(
                "/usr/bin/unshare",
                [
                    "--mount", "/bin/sh", "-c", hidden, "sh", TestDaemon.program("pricingd"), "--stdio",
                    "--data-dir", folder.path + "/data",
                ]
            )
            #expect(await daemon.exit() == 78)
            let text = await daemon.errorText()
            #expect(text.contains("PostgreSQL's server programs are not installed"))
            #expect(text.contains("apt-get install postgresql"))
            #expect(await daemon.line() == nil)
        }
    }
}
