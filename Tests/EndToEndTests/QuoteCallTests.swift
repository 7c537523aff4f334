import Foundation
import JSON
import JSONRPC
import PricingClient
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Quotes over the socket, by the real clock.
    @Suite
    struct QuoteCallTests {
        private static let live = Task { try await TestDaemon.start(isSandbox: false) }

        private static func quote(_ shop: ShopClient, _ product: Int64, _ units: Int64, ttl: Int64 = 600) -> JSONObject
        {
            [
                "customerId": .integer(shop.customerId), "ttlSeconds": .integer(ttl),
                "lines": [["productId": .integer(product), "quantity": .integer(units)]],
            ]
        }

        @Test func `a buyer with a quote while others buy`() async throws {
            let daemon = try await Self.live.value
            let shop = try await ShopClient.open(daemon)
            let sku: JSONValue = .string("Quote-\(ShopClient.unique())")
            let product = try await shop.product(["sku": sku, "stock": 12])
            let others = try await ShopClient.open(daemon)
            var asked = Self.quote(shop, product, 2)
            asked["lines"] = [["sku": sku, "quantity": 2]]
            asked["_meta"] = ["dryRun": true]
            let said = try await shop.client.call("quote.create", asked)
            #expect(said["_meta"]?["wouldChange"]?["prices"] == [])
            asked["_meta"] = ["idempotencyKey": .string("quote \(ShopClient.unique())")]
            let quote = try await shop.client.call("quote.create", asked)
            #expect(try await shop.client.call("quote.create", asked)["quoteId"] == quote["quoteId"])
            #expect(quote["status"] == "open" && quote["total"] == "200.00")
            let held = try await shop.client.call("inventory.get", ["sku": sku])
            #expect(held["stock"] == 12 && held["held"] == 2 && held["available"] == 10)

            let refused = try await others.client.refusal("order.place", others.order(of: product, 11))
            #expect(refused.code == 201 && refused.data["available"] == 10)
            try await others.buy(product, 10)
            #expect(try await shop.price(product) == "110.00")
            let key: JSONValue = .string("taken \(ShopClient.unique())")
            let order: JSONObject = [
                "customerId": .integer(shop.customerId), "quoteId": quote["quoteId"] ?? .null,
                "_meta": ["idempotencyKey": key],
            ]
            let placed = try await shop.client.call("order.place", order)
            #expect(placed["total"] == "200.00", "the lower of both")
            let again = try await shop.client.call("order.place", order)
            #expect(again["orderId"] == placed["orderId"] && again["_meta"]?["replayed"] == true)
            let got = try await shop.client.call("quote.get", ["quoteId": quote["quoteId"] ?? .null])
            #expect(got["status"] == "ordered" && got["orderId"] == placed["orderId"])
            let listed = try await shop.client.call("quote.list", ["customerId": .integer(shop.customerId)])
            #expect(listed["items"] == [.object(got.removing("_meta"))])
            let closed = try await shop.client.refusal(
                "order.place",
                ["customerId": .integer(shop.customerId), "quoteId": quote["quoteId"] ?? .null]
            )
            #expect(closed.reason == "QUOTE_EXPIRED" && closed.data["orderId"] == placed["orderId"])
            let lines = try await shop.client.refusal("order.place", ["customerId": .integer(shop.customerId)])
            #expect(lines.reason == "INVALID_PARAMS" && lines.data["violations"]?.array?.first?["path"] == "/lines")
        }

        @Test func `it expires by itself within a second, once, and another daemon sees to it too`() async throws {
            let one = try await TestDaemon.start(isSandbox: false)
            let shop = try await ShopClient.open(one)
            let product = try await shop.product()
            let database = try #require(try await shop.client.call("server.status")["database"]?.object)
            let place = "host=\(database["host"]?.string ?? "") dbname=pricing user=pricingd"
            let two = try await TestDaemon.start(isSandbox: false, arguments: ["--database-url", place])
            let watch = try await Watch(one, ["topics": ["stock"], "productIds": [.integer(product)]])
            let shopOfTwo = ShopClient(
                client: try await two.client(),
                categoryId: shop.categoryId,
                customerId: shop.customerId
            )
            var made: [JSONObject] = []
            for client in [shop.client, shopOfTwo.client] {
                made.append(try await client.call("quote.create", Self.quote(shop, product, 3, ttl: 1)))
            }
            var kinds: [String] = []
            for _ in 0..<4 {
                let event = try await watch.next()
                let kind = event["cause"]?["kind"]?.string ?? ""
                kinds.append(kind)
                guard kind == "expire" else { continue }
                let number = kinds.count { $0 == "expire" } - 1
                let late = try Self.date(event["at"]).timeIntervalSince(try Self.date(made[number]["expiresAt"]))
                #expect((0..<1).contains(late))
                #expect(event["before"] == ["stock": 50] && event["after"] == ["stock": 50, "heldChange": -3])
            }
            #expect(kinds == ["hold", "hold", "expire", "expire"])
            // Made by a daemon that is gone.
            _ = try await shopOfTwo.client.call("quote.create", Self.quote(shop, product, 3, ttl: 1))
            await two.kill9()
            #expect(try await watch.next()["cause"] == ["kind": "hold"])
            #expect(try await watch.next()["cause"] == ["kind": "expire"])
            await watch.close()
            try await Invariants.expect(one)
        }

        @Test func `quotes, orders, expiries and cancellations of one product oversell nothing`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 40])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for buyer in 0..<8 {
                    let own = try await ShopClient.open(daemon)
                    group.addTask { try await Self.shopAbout(own, product, seed: UInt64(buyer)) }
                }
                try await group.waitForAll()
            }
            try await Invariants.expect(daemon)
            #expect(try await shop.client.call("audit.verify")["total"] == 0)
        }

        /// One buyer's deeds; each answer is right or a typed refusal.
        private static func shopAbout(_ shop: ShopClient, _ product: Int64, seed: UInt64) async throws {
            let refusals: Set<String> = ["INSUFFICIENT_STOCK", "QUOTE_EXPIRED"]
            var random = SplitMix64(seed: seed)
            func attempt(_ method: String, _ params: JSONObject) async throws -> JSONObject? {
                do {
                    return try await shop.client.call(method, params)
                } catch let error as RPCError where refusals.contains(error.reason) {
                    return nil
                }
            }
            for _ in 0..<40 {
                let units = Int64.random(in: 1...6, using: &random)
                if Int.random(in: 1...3, using: &random) == 1 {
                    guard let order = try await attempt("order.place", shop.order(of: product, units)) else { continue }
                    if Int.random(in: 1...2, using: &random) == 1 {
                        _ = try await attempt("order.cancel", ["orderId": order["orderId"] ?? .null])
                    }
                    continue
                }
                let ttl: Int64 = Int.random(in: 1...3, using: &random) == 1 ? 1 : 600
                guard let quote = try await attempt("quote.create", Self.quote(shop, product, units, ttl: ttl)) else {
                    continue
                }
                let id: JSONObject = ["quoteId": quote["quoteId"] ?? .null]
                switch Int.random(in: 0...2, using: &random) {
                case 0: _ = try await attempt("quote.release", id)
                case 1:
                    var order = id
                    order["customerId"] = .integer(shop.customerId)
                    if let placed = try await attempt("order.place", order), Int.random(in: 1...2, using: &random) == 1
                    {
                        _ = try await attempt("order.cancel", ["orderId": placed["orderId"] ?? .null])
                    }
                default: _ = try await attempt("quote.extend", id)
                }
            }
        }

        private static func date(_ value: JSONValue?) throws -> Date {
            let millis = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            return try Date(try #require(value?.string), strategy: millis)
        }
    }
}
