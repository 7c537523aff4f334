import Glibc
import JSONRPC
import PricingTestSupport
import Testing

/// Crashes, counted with a journal that no crash reaches: what was acknowledged is there, once.
@Suite(.serialized, .enabled(if: TestCluster.isAvailable, isLive), .timeLimit(.minutes(1)))
struct CrashTests {
    private static let daemon = Task { try await TestDaemon.start(isSandbox: false) }
    private static let initialStock: Int64 = 100_000
    private static let streams = 4

    /// The daemon dies after so many answers; nothing that it had acknowledged is lost.
    @Test(arguments: [1, 60, 300]) func killedDaemonLosesNoAcknowledgedOrder(after count: Int) async throws {
        let daemon = try await Self.daemon.value
        let shop = try await Shop.open(daemon)
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
        let again = Shop(client: try await daemon.client(), categoryId: shop.categoryId, customerId: shop.customerId)
        try await journal.expectKept(of: product, stock: Self.initialStock, again)
    }

    /// The server dies under the daemon: calls are refused as UNAVAILABLE or done after all, and the daemon starts it anew.
    @Test func killedServerLosesNoAcknowledgedOrder() async throws {
        let daemon = try await Self.daemon.value
        let shop = try await Shop.open(daemon)
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
    }

    /// An idle daemon notices at the next call, which is answered or refused as retryable, never with a fault.
    @Test func anIdleDaemonRestartsItsServer() async throws {
        let daemon = try await Self.daemon.value
        let client = try await daemon.client()
        let killed = try #require(daemon.postmaster)
        kill(killed, SIGKILL)
        while true {
            do {
                _ = try await client.call("category.list")
                break
            } catch let error as RPCError {
                #expect(error.reason == "UNAVAILABLE")
                #expect(error.retryable)
                #expect(error.data["dependency"] == "postgresql")
            }
        }
        #expect(daemon.postmaster != killed)
        await client.close()
    }

    @Test func aSubscriberResumesAfterARestart() async throws {
        let daemon = try await Self.daemon.value
        let shop = try await Shop.open(daemon)
        let product = try await shop.product()
        let filter: JSONObject = ["topics": ["stock"], "productIds": [.integer(product)]]
        let watch = try await Watch(daemon, filter)
        for _ in 0..<3 { try await shop.buy(product) }
        let seen = try await watch.next()
        await daemon.kill9()
        try await daemon.restart()
        let again = Shop(client: try await daemon.client(), categoryId: shop.categoryId, customerId: shop.customerId)
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
    @Test func theClockOfALiveShopStands() async throws {
        let client = try await Self.daemon.value.client()
        let refusal = try await client.refusal("clock.set", ["at": "2040-01-01T00:00:00Z"])
        #expect(refusal.code == 502)
        #expect(refusal.reason == "NOT_A_SANDBOX")
        #expect(try await client.call("clock.get")["virtual"] == false)
        await client.close()
    }
}
