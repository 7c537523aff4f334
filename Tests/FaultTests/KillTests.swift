import Glibc
import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension Faults {
    /// What dies without a word, and comes back.
    @Suite
    struct KillTests {
        private static let kills = isLong ? 120 : 4
        private static let daemon = Task { try await TestDaemon.start(isSandbox: false) }

        /// The server killed, and stopped at once or in an orderly way.
        private static let ends = [SIGKILL, SIGQUIT, SIGINT]

        /// Daemon, server, or both at once, each after some more writes.
        @Test(arguments: [Writes.trade, .mixed])
        func `whatever is killed, what was acknowledged is kept`(writes: Writes) async throws {
            let trial = try await Trial.start(on: try await Self.daemon.value)
            var load = Trial.Load()
            load.writes = writes
            try await trial.run("killed, \(writes)", load) { random in
                for round in 0..<Self.kills {
                    await trial.journal.advances(by: Int.random(in: 1...150, using: &random))
                    let begin = ContinuousClock.now
                    if round % 3 != 0 {
                        let server = try #require(trial.daemon.postmaster)
                        kill(server, try #require(Self.ends.randomElement(using: &random)))
                        // The next kill meets it in the middle of its recovery, or after it.
                        if Bool.random(using: &random) { await trial.journal.advances(by: 10) }
                    }
                    if round % 3 != 1 { try await trial.killDaemon() }
                    guard round % 3 == 0 else { continue }
                    await trial.journal.advances(by: 1)
                    #expect(begin.duration(to: .now) < .seconds(isLong ? 1 : 10), "the daemon is back")
                }
                await trial.journal.advances(by: 50)
            }
        }

        /// An idle daemon notices at the next call, which is answered or refused as retryable, never with a fault.
        @Test func `an idle daemon restarts its server`() async throws {
            let daemon = try await Self.daemon.value
            let client = try await daemon.client()
            let killed = try #require(daemon.postmaster)
            kill(killed, SIGKILL)
            // A server process that has not noticed yet may still answer.
            var isServed = false
            while !isServed || daemon.postmaster == killed {
                do {
                    _ = try await client.call("category.list")
                    isServed = true
                } catch let error as RPCError {
                    #expect(error.reason == "UNAVAILABLE")
                    #expect(error.retryable)
                    #expect(error.data["dependency"] == "postgresql")
                    #expect(["not_done", "unknown"].contains(error.data["outcome"]?.string))
                    isServed = false
                }
            }
            await client.close()
        }

        /// The simulator counts what was acknowledged to it, and outlives the daemon.
        @Test func `the simulator loses no acknowledged order`() async throws {
            let daemon = try await Self.daemon.value
            let client = try await daemon.client()
            _ = try await client.call(
                "data.generate",
                ["users": 10, "suppliers": 2, "products": 10, "orders": 0, "seed": 7]
            )
            let before = try #require(try await client.call("server.status")["counts"]?["orders"]?.integer)
            let simulator = try ChildProgram(
                TestDaemon.program("pricing-simulate"),
                [
                    "orders", "--socket", daemon.socket, "--rate", "400", "--connections", "3", "--seed", "7",
                    "--format", "json",
                ]
            )
            for _ in 0..<10 { _ = try #require(await simulator.line(), "prices move") }
            await daemon.kill9()
            var summary: JSONValue?
            while let line = await simulator.line() {
                summary = try JSONParser.parse(Array(line.utf8))["summary"] ?? summary
            }
            #expect(await simulator.exit() != 0, "it says that the daemon went away")
            try await daemon.restart()
            let placed = try #require(summary?["placed"]?.integer)
            let again = try await daemon.client()
            let after = try #require(try await again.call("server.status")["counts"]?["orders"]?.integer)
            #expect(placed > 0)
            #expect(after - before >= placed, "every acknowledged order is there")
            try await Invariants.expect(daemon)
        }

        /// What is in flight is answered, what is new is refused, and the next daemon finds everything.
        @Test func `sigterm under load loses nothing`() async throws {
            let trial = try await Trial.start(on: try await Self.daemon.value)
            try await trial.run("sigterm") { random in
                for _ in 0..<(rounds + 1) {
                    await trial.journal.advances(by: Int.random(in: 20...200, using: &random))
                    trial.door.shut()
                    let begin = ContinuousClock.now
                    #expect(await trial.daemon.stop() == 0)
                    #expect(begin.duration(to: .now) < .seconds(5))
                    try await trial.daemon.restart()
                    trial.door.open()
                }
                await trial.journal.advances(by: 50)
            }
        }

        /// Both tick, number events and expire quotes; one of them dies and comes back.
        @Test func `of two daemons on one database one is killed`() async throws {
            let one = try await Self.daemon.value
            let trial = try await Trial.start(on: one)
            let status = try await trial.shop.client.call("server.status")["database"]
            let place = "host=\(status?["host"]?.string ?? "") dbname=pricing user=pricingd"
            let two = try await TestDaemon.start(isSandbox: false, arguments: ["--database-url", place])
            var load = Trial.Load()
            load.writes = .mixed
            load.sockets = [one.socket, two.socket]
            try await trial.run("two daemons", load) { random in
                for _ in 0..<(rounds + 1) {
                    await trial.journal.advances(by: Int.random(in: 50...150, using: &random))
                    await two.kill9()
                    await trial.journal.advances(by: 50)
                    try await two.restart()
                }
                await trial.journal.advances(by: 100)
            }
            #expect(await two.stop() == 0)
        }
    }
}
