import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// A call whose caller no longer waits costs the database nothing more.
    @Suite
    struct GivingUpTests {
        /// The best of five, since the machine has other work too.
        @Test func `a cancelled report ends within50 milliseconds`() async throws {
            let daemon = try await TestDaemon.shared()
            let client = try await daemon.client()
            var best = Duration.seconds(1)
            for _ in 1...5 {
                let held = try await HeldLock("lock table product in access exclusive mode", as: "postgres", in: daemon)
                let report = Task { try await client.call("report.run", ["name": "products"]) }
                try await held.awaitWaiter()
                let begin = ContinuousClock.now
                report.cancel()
                let error = await #expect(throws: RPCError.self) { try await report.value }
                best = min(best, begin.duration(to: .now))
                #expect(error?.code == -32001)
                #expect(error?.reason == "CANCELLED")
                #expect(try await held.waiters() == 0, "its backend does nothing more")
                try await held.release()
            }
            #expect(best < .milliseconds(50))
            #expect(try await client.call("report.run", ["name": "products"])["columns"] != nil)
            await client.close()
        }

        @Test func `a deadline that passes in the queue never reaches the database`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let other = try await daemon.client()
            func placed() async throws -> Double {
                let text = try #require(try await shop.client.call("server.metrics")["text"]?.string)
                return try #require(try PrometheusText(text).values["pricingd_order_batch_orders_sum"])
            }
            let before = try await placed()
            let held = try await HeldLock(
                "lock table customer_order in access exclusive mode",
                as: "postgres",
                in: daemon
            )
            async let blocked = shop.buy(product)
            try await held.awaitWaiter()
            // An order of another product would go at once, by the other connection.
            var late = shop.order(of: product)
            late["_meta"] = ["timeoutMs": 50]
            let refusal = try await other.refusal("order.place", late)
            #expect(refusal.reason == "DEADLINE_EXCEEDED")
            try await held.release()
            #expect(try await blocked["total"] == "100.00")
            // An order behind it would have gone along with it.
            try await shop.buy(product)
            #expect(try await placed() == before + 2)
            #expect(try await shop.stock(product) == 48)
            await other.close()
        }
    }
}
