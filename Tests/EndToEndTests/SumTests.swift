import Foundation
import JSON
import JSONRPC
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Parts that fit, and sums of them that do not fit where the parts do.
    @Suite
    struct SumTests {
        private static let highest = "9999999999.99"

        private func decimal(_ value: JSONValue?) throws -> Decimal {
            let text = try #require(value?.string)
            return try #require(Decimal(string: text))
        }

        /// A manual price, so that the figures are those that were typed.
        private func product(_ shop: ShopClient, stock: Int64, price: String = highest) async throws -> Int64 {
            let rules = try await shop.client.call("rule.list")["items"]?.array ?? []
            let manual = try #require(rules.first { $0["strategy"] == "manual" && $0["status"] == "active" }?["ruleId"])
            return try await shop.product([
                "basePrice": .string(price), "floor": "0.01", "ceiling": .string(Self.highest), "ruleId": manual,
                "stock": .integer(stock), "lowStock": 0, "highStock": 1_000_000_000,
            ])
        }

        @Test func `sums are given in full`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let highest = try #require(Decimal(string: Self.highest))
            let units: Int64 = 1_000_000_000
            let products = [try await product(shop, stock: units), try await product(shop, stock: units)]
            func figures(_ view: String) async throws -> JSONValue? {
                try await shop.client.call("dashboard.\(view)")["items"]?.array?.first
            }
            let value = try await figures("categoryDistribution")?["value"]
            #expect(try decimal(value) == highest * Decimal(2 * units))

            let lines: [JSONValue] = products.map { ["productId": .integer($0), "quantity": .integer(units)] }
            let order: JSONObject = ["customerId": .integer(shop.customerId), "lines": .array(lines)]
            // Several together are placed as one set, one by one in turn; a dry run by itself.
            var placed = [try await shop.client.call("order.place", order)]
            for product in products {
                let restock: JSONObject = ["productId": .integer(product), "quantity": 1_000_000_000]
                _ = try await shop.client.call("inventory.restock", restock)
            }
            placed += try await withThrowingTaskGroup(of: JSONObject.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await shop.client.call("order.place", shop.order(of: products[0], 50_000_000)) }
                }
                var placed: [JSONObject] = []
                for try await one in group { placed.append(one) }
                return placed
            }
            for order in placed {
                let units = (order["lines"]?.array ?? []).compactMap { $0["quantity"]?.integer }.reduce(0, +)
                #expect(try decimal(order["total"]) == highest * Decimal(units))
                let again = try await shop.client.call("order.get", ["orderId": order["orderId"] ?? .null])
                #expect(again["total"] == order["total"])
            }
            let revenue = highest * Decimal(3 * units)
            let stats = try await shop.client.call("dashboard.stats")
            #expect(try decimal(stats["revenue"]) == revenue)
            #expect(try decimal(stats["revenueToday"]) == revenue)
            #expect(try decimal(try await figures("vipUsers")?["spent"]) == revenue)
            let months = try await shop.client.call("dashboard.monthlyRevenue")["items"]?.array
            #expect(try decimal(months?.last?["revenue"]) == revenue)
            _ = try await shop.client.call("dashboard.supplierRevenue")
            for report in try await shop.all("report.list", [:]) {
                _ = try await shop.client.call("report.run", ["name": report["name"] ?? .null])
            }
            #expect(try await shop.client.call("audit.verify")["total"] == 0)
            try await Invariants.expect(daemon)
        }

        /// What comes back to a shelf that is full is refused in words, and taken once there is room.
        @Test func `a full shelf says what to do`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let most: Int64 = 2_147_483_647
            let product = try await product(shop, stock: most, price: "1.00")
            func move(_ method: String, _ quantity: Int64) -> JSONObject {
                ["productId": .integer(product), "quantity": .integer(quantity), "reason": "test"]
            }
            for method in ["inventory.restock", "inventory.adjust"] {
                let full = try await shop.client.refusal(method, move(method, 1))
                #expect(full.reason == "INVALID_PARAMS")
                #expect(full.data["violations"]?.array?.first?["path"] == "/quantity")
            }
            for (target, back) in [("pending", "order.cancel"), ("completed", "order.return")] {
                let order = try #require(try await shop.buy(product, 10)["orderId"])
                if target == "completed" {
                    for status in ["processing", "completed"] {
                        _ = try await shop.client.call("order.advance", ["orderId": order, "status": .string(status)])
                    }
                }
                _ = try await shop.client.call("inventory.restock", move("", 10))
                let full = try await shop.client.refusal(back, ["orderId": order])
                #expect(full.reason == "INVALID_PARAMS")
                #expect(full.data["violations"]?.array?.first?["path"] == "/orderId")
                #expect(full.data["productId"] == .integer(product) && full.data["excess"] == 10)
                #expect(full.message.contains("inventory.adjust"))
                _ = try await shop.client.call("inventory.adjust", move("", -10))
                _ = try await shop.client.call(back, ["orderId": order])
                #expect(try await shop.stock(product) == most)
            }
        }

        /// The prices that a buyer is told are prices: the one before, and the one now.
        @Test func `a changed price tells prices`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            func refused(_ product: Int64, _ limit: String) async throws -> RPCError {
                var order = shop.order(of: product)
                order["lines"] = [["productId": .integer(product), "quantity": 1, "maxUnitPrice": .string(limit)]]
                return try await shop.client.refusal("order.place", order)
            }
            func expect(_ error: RPCError, _ old: String, _ new: String, _ limit: String, _ word: String) {
                #expect(error.reason == "PRICE_CHANGED")
                #expect(error.data["old"] == .string(old) && error.data["new"] == .string(new), "\(error)")
                #expect(error.data["maxUnitPrice"] == .string(limit))
                #expect(error.data["why"] == .string("the price \(word) above the highest that the order accepts"))
            }
            let still = try await shop.product()
            expect(try await refused(still, "50"), "100.00", "100.00", "50.00", "is")
            let scarce = try await shop.product(["stock": 12])
            try await shop.buy(scarce, 3)
            #expect(try await shop.price(scarce) == "110.00")
            expect(try await refused(scarce, "105.00"), "100.00", "110.00", "105.00", "rose")
            expect(try await refused(scarce, "100.00"), "100.00", "110.00", "100.00", "rose")
            expect(try await refused(scarce, "99.99"), "100.00", "110.00", "99.99", "is")
            try await shop.restock(scarce, 30)
            expect(try await refused(scarce, "70.00"), "110.00", "100.00", "70.00", "is")
        }
    }
}
