import Glibc
import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Crashes, counted with a journal that no crash reaches: what was acknowledged is there, once.
    @Suite
    struct CrashTests {
        private static let daemon = Task { try await TestDaemon.start(isSandbox: false) }
        private static let initialStock: Int64 = 100_000
        private static let streams = 4

        /// The daemon dies after so many answers; nothing that it had acknowledged is lost.
        @Test(arguments: [1, 60, 300]) func `killed daemon loses no acknowledged order`(after count: Int) async throws {
            let daemon = try await Self.daemon.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": .integer(Self.initialStock)])
            let journal = Journal()
            await withTaskGroup { group in
                for number in 0..<Self.streams {
                    group.addTask {
                        guard let client = try? await daemon.client() else { return }
                        await journal.stream("\(product) \(number)", of: product, shop, on: client, count: 100_000)
                    }
                }
                await journal.reaches(count)
                await daemon.kill9()
            }
            #expect(journal.answers.count >= count)
            try await daemon.restart()
            let again = ShopClient(
                client: try await daemon.client(),
                categoryId: shop.categoryId,
                customerId: shop.customerId
            )
            try await journal.expectKept(of: product, stock: Self.initialStock, again)
            try await Invariants.expect(daemon)
        }

        /// The server dies under the daemon: calls are refused as UNAVAILABLE or done after all, and the daemon starts it anew.
        @Test func `killed server loses no acknowledged order`() async throws {
            let daemon = try await Self.daemon.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": .integer(Self.initialStock)])
            let killed = try #require(daemon.postmaster)
            let journal = Journal()
            await withTaskGroup { group in
                for number in 0..<Self.streams {
                    group.addTask {
                        guard let client = try? await daemon.client() else { return }
                        await journal.stream("server \(product) \(number)", of: product, shop, on: client, count: 200)
                    }
                }
                await journal.reaches(100)
                kill(killed, SIGKILL)
            }
            #expect(journal.answers.count == Self.streams * 200, "every stream went on to its end")
            #expect(daemon.postmaster != killed)
            try await journal.expectKept(of: product, stock: Self.initialStock, shop)
            try await Invariants.expect(daemon)
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

        @Test func `a subscriber resumes after a restart`() async throws {
            let daemon = try await Self.daemon.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let filter: JSONObject = ["topics": ["stock"], "productIds": [.integer(product)]]
            let watch = try await Watch(daemon, filter)
            for _ in 0..<3 { try await shop.buy(product) }
            let seen = try await watch.next()
            await daemon.kill9()
            try await daemon.restart()
            let again = ShopClient(
                client: try await daemon.client(),
                categoryId: shop.categoryId,
                customerId: shop.customerId
            )
            try await again.buy(product)
            var resumed = filter
            resumed["from"] = seen["sequence"]
            let second = try await Watch(daemon, resumed)
            for expected in [48, 47, 46] as [Int64] {
                #expect(try await second.next()["after"]?["stock"] == .integer(expected))
            }
            await second.close()
        }

        /// Only a sandbox's clock can be set.
        @Test func `the clock of a live shop stands`() async throws {
            let client = try await Self.daemon.value.client()
            let refusal = try await client.refusal("clock.set", ["at": "2040-01-01T00:00:00Z"])
            #expect(refusal.code == 502)
            #expect(refusal.reason == "NOT_A_SANDBOX")
            #expect(try await client.call("clock.get")["virtual"] == false)
            await client.close()
        }
    }
}
