import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Orders that many buyers place or cancel at once, over the socket: stock is neither sold nor given back twice.
    @Suite
    struct OrderCallTests {
        @Test func `two hundred buyers forty units`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 40])
            var buyers: [TestClient] = []
            for _ in 0..<200 { buyers.append(try await daemon.client()) }
            let outcomes = try await order(of: product, shop, from: buyers, count: 200)
            #expect(outcomes.placed == 40)
            #expect(outcomes.refused.count == 160)
            #expect(
                outcomes.refused.allSatisfy { $0.reason == "INSUFFICIENT_STOCK" && $0.code == 201 && !$0.retryable }
            )
            let refusal = try #require(outcomes.refused.first)
            #expect(refusal.data["productId"] == .integer(product))
            #expect(refusal.data["requested"] == 1)
            #expect(refusal.data["available"] == 0)
            #expect(try await shop.stock(product) == 0)
            let orders = try await shop.all("order.list", ["customerId": .integer(shop.customerId)])
            #expect(orders.count == 40)
            let sales = try await shop.all("inventory.movements", ["productId": .integer(product)])
                .filter { $0["kind"] == "sale" }
            #expect(sales.count == 40)
            #expect(Set(sales.compactMap { $0["orderId"]?.integer }).count == 40)
            for buyer in buyers { await buyer.close() }
        }

        @Test func `lines on one product are summed`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 5])
            let lines: JSONValue = [
                ["productId": .integer(product), "quantity": 3], ["productId": .integer(product), "quantity": 3],
            ]
            let params: JSONObject = ["customerId": .integer(shop.customerId), "lines": lines]
            let refusal = try await shop.client.refusal("order.place", params)
            #expect(refusal.reason == "INSUFFICIENT_STOCK")
            #expect(refusal.data["requested"] == 6)
            #expect(try await shop.stock(product) == 5)
        }

        @Test func `an order is cancelled once however often`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 30])
            let id = try #require(try await shop.buy(product, 7)["orderId"])
            let replies = try await withThrowingTaskGroup(of: JSONObject.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await shop.client.call("order.cancel", ["orderId": id]).removing("_meta") }
                }
                return try await group.reduce(into: [JSONObject]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0 == replies.first })
            #expect(try await shop.stock(product) == 30)
        }

        /// Orders one unit `count` times at once, spread over the connections.
        private func order(
            of product: Int64,
            _ shop: ShopClient,
            from buyers: [TestClient],
            count: Int
        ) async throws -> (placed: Int, refused: [RPCError]) {
            try await withThrowingTaskGroup(of: RPCError?.self) { group in
                for number in 0..<count {
                    group.addTask {
                        do {
                            _ = try await buyers[number % buyers.count].call("order.place", shop.order(of: product))
                            return nil
                        } catch let error as RPCError {
                            return error
                        }
                    }
                }
                let outcomes = try await group.reduce(into: [RPCError?]()) { $0.append($1) }
                return (outcomes.count { $0 == nil }, outcomes.compactMap { $0 })
            }
        }
    }
}
