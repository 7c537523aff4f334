import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Goods on their way: parts of them, more of them, later, never. Its own daemon, since its time moves.
    @Suite
    struct DeliveryCallTests {
        private static let daemon = Task { try await TestDaemon.start() }

        /// A product that is priced by what is expected, on the first of January of a year.
        private func open(year: Int) async throws -> (ShopClient, Int64) {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            _ = try await shop.client.call("clock.set", ["at": .string("\(year)-01-01T00:00:00Z")])
            let product = try await shop.product(["stock": 20, "unitCost": "40.00", "refRate": 2, "ruleId": 6])
            return (shop, product)
        }

        @Test func `a delivery that comes in parts is awaited until all of it has come, and what is more is told`()
            async throws
        {
            let (shop, product) = try await open(year: 2031)
            let client = shop.client
            let alone = try await shop.price(product)
            let expected = try await client.call(
                "inventory.expect",
                ["productId": .integer(product), "quantity": 100, "eta": "2031-02-01T00:00:00Z"]
            )
            let id = try #require(expected["expectationId"])
            let waiting = try await shop.price(product)
            #expect(waiting != alone)
            func restock(_ quantity: Int64) async throws -> JSONObject? {
                try await client.call(
                    "inventory.restock",
                    [
                        "productId": .integer(product), "quantity": .integer(quantity), "expectationId": id,
                        "reason": "van",
                    ]
                )["expectation"]?.object
            }
            let first = try await restock(30)
            #expect(first?["open"] == 70 && first?["received"] == 30 && first?["closed"] == false)
            let listed = try await client.call("inventory.expectations", ["productId": .integer(product)])
            #expect(listed["items"]?.array?.first?["open"] == 70)
            #expect(listed["items"]?.array?.first?["received"] == 30)
            #expect(try await shop.price(product) == waiting, "the rest is still far off")
            let last = try await restock(75)
            #expect(last?["open"] == 0 && last?["closed"] == true && last?["overReceived"] == 5)
            #expect(last?["closedReason"] == "received")
            #expect(try await shop.price(product) == alone)
            let none = try await client.call("inventory.expectations", ["productId": .integer(product)])
            #expect(none["items"] == [])
            let moved = try await client.call("inventory.movements", ["productId": .integer(product)])
            #expect(moved["items"]?.array?.first?["reason"]?.string == "expectation \(id): van")
            let refusal = try await shop.client.refusal(
                "inventory.restock",
                ["productId": .integer(product), "quantity": 1, "expectationId": id]
            )
            #expect(refusal.data["violations"]?.array?.first?["path"] == "/expectationId")
            #expect(try await shop.stock(product) == 125)
        }

        @Test func `what was said of a delivery can be changed and taken back, each time with its price`() async throws
        {
            let (shop, product) = try await open(year: 2032)
            let client = shop.client
            let alone = try await shop.price(product)
            let expected = try await client.call(
                "inventory.expect",
                ["productId": .integer(product), "quantity": 100, "eta": "2032-02-01T00:00:00Z"]
            )
            let id = try #require(expected["expectationId"])
            #expect(try await shop.price(product) != alone)
            let sooner = try await client.call(
                "inventory.expect",
                ["expectationId": id, "eta": "2032-01-03T00:00:00Z"]
            )
            #expect(sooner["quantity"] == 100 && sooner["eta"] == "2032-01-03T00:00:00.000Z")
            #expect(try await shop.price(product) == alone)
            let fewer = try await client.call(
                "inventory.expect",
                ["expectationId": id, "productId": .integer(product), "quantity": 10, "eta": "2032-02-01T00:00:00Z"]
            )
            #expect(fewer["open"] == 10)
            #expect(try await shop.price(product) != alone)
            _ = try await client.call(
                "inventory.restock",
                ["productId": .integer(product), "quantity": 4, "expectationId": id]
            )
            for (params, path) in [
                (["expectationId": id, "quantity": 4], "/quantity"),
                (["expectationId": id, "productId": 1], "/expectationId"),
                (["expectationId": id, "eta": "2031-01-01T00:00:00Z"], "/eta"),
                (["expectationId": 999_999], "/expectationId"),
                (["productId": .integer(product), "eta": "2033-01-01T00:00:00Z"], "/quantity"),
                (["quantity": 4], "/productId"),
            ] as [(JSONObject, String)] {
                let refusal = try await client.refusal("inventory.expect", params)
                #expect(refusal.data["violations"]?.array?.first?["path"]?.string == path, "\(params)")
            }
            let gone = try await client.call("inventory.unexpect", ["expectationId": id, "reason": "supplier closed"])
            #expect(gone["closedReason"] == "supplier closed" && gone["open"] == 0 && gone["received"] == 4)
            #expect(try await shop.price(product) == alone)
            let refusal = try await client.refusal("inventory.unexpect", ["expectationId": id])
            #expect(refusal.data["violations"]?.array?.first?["path"] == "/expectationId")
        }

        @Test func `goods that are overdue are called so, and an archived product waits for none`() async throws {
            let (shop, product) = try await open(year: 2033)
            let client = shop.client
            _ = try await client.call(
                "inventory.expect",
                ["productId": .integer(product), "quantity": 100, "eta": "2033-01-05T00:00:00Z"]
            )
            _ = try await client.call("clock.set", ["at": "2033-01-10T00:00:00Z"])
            let why = try await client.call("price.why", ["productId": .integer(product)])
            let text = try #require(why["text"]?.string)
            #expect(text.contains("overdue by 5 days; priced as if they came tomorrow"), "\(text)")
            #expect(!text.contains("1.0 days until"))
            _ = try await client.call("product.archive", ["productId": .integer(product)])
            let none = try await client.call("inventory.expectations", ["productId": .integer(product)])
            #expect(none["items"] == [])
        }

        @Test(arguments: [3, 300] as [Int64])
        func `a rehearsed generation counts what the real one does`(orders: Int64) async throws {
            let daemon = try await TestDaemon.start()
            let client = try await daemon.client()
            let params: JSONObject = [
                "users": 3, "suppliers": 1, "products": 2, "orders": .integer(orders), "seed": 1, "clear": true,
            ]
            var rehearsal = params
            rehearsal["_meta"] = ["dryRun": true]
            let said = try await client.call("data.generate", rehearsal)
            let sales = (said["_meta"]?["wouldChange"]?["events"]?.array ?? []).filter {
                $0["cause"]?["kind"] == "sale"
            }
            #expect(try await client.call("dashboard.stats")["orders"] == 0)
            let done = try await client.call("data.generate", params)
            #expect(said.removing("_meta") == done.removing("_meta"))
            #expect(said["orders"] == .integer(orders))
            let database = try await daemon.database()
            let sold = try await database.text("select count(*)::text from stock_movement where kind = 'sale'")
            #expect(String(sales.filter { $0["topic"] == "stock" }.count) == sold)
            await database.close()
        }
    }
}
