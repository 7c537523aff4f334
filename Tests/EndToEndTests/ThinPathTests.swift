import JSON
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// The main job once, end to end: stock moves, the price follows, a subscriber hears of it.
    @Suite
    struct ThinPathTests {
        @Test func `stock moves prices follow over the socket`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 5])
            #expect(try await shop.price(product) == "110.00", "five of ten: low")

            let restocked = try await shop.restock(product, 15)
            #expect(restocked["price"] == ["before": "110.00", "after": "100.00"])

            let watcher = try await TestDaemon.shared().client()
            let subscribed = try await watcher.call(
                "events.subscribe",
                ["topics": ["price"], "productIds": [.integer(product)]]
            )
            let order = try await shop.buy(product, 12)
            #expect(order["total"] == "1200.00")
            #expect(
                order["priceChanges"]
                    == [["productId": .integer(product), "sku": nil, "old": "100.00", "new": "110.00"]]
            )

            var events = watcher.notifications.makeAsyncIterator()
            let event = try #require(await events.next())
            #expect(event.method == "events.event")
            #expect(event.params["subscription"] == subscribed["subscription"])
            #expect(event.params["topic"] == "price")
            #expect(event.params["key"] == .integer(product))
            #expect(event.params["before"] == ["price": "100.00"])
            #expect(event.params["after"]?["price"] == "110.00")
            #expect(event.params["after"]?["stock"] == 8)
            #expect(event.params["cause"]?["orderId"] == order["orderId"])
            await watcher.close()
            await shop.client.close()
        }
    }
}
