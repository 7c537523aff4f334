import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// The morning after: what moved, who did it, and taking it back; and a write that says what it expects to change.
    @Suite
    struct RollbackCallTests {
        private func meta(_ actor: String, _ more: JSONObject = [:]) -> JSONValue {
            var meta = more
            meta["actor"] = .string(actor)
            return .object(meta)
        }

        private func setClock(_ shop: ShopClient, _ at: String) async throws {
            _ = try await shop.client.call("clock.set", ["at": .string(at)])
        }

        private func items(_ reply: JSONObject, _ member: String = "items") -> [JSONObject] {
            (reply[member]?.array ?? []).compactMap(\.object)
        }

        /// At eight in the evening somebody activates a wrong rule, changes thirty bases by a file and pins three.
        private func spoil(_ shop: ShopClient, _ products: [Int64]) async throws {
            let rule = try await shop.client.call(
                "rule.create",
                ["name": "wrong", "strategy": "bands", "parameters": ["up": .decimal("0.5"), "down": .decimal("0.5")]]
            )
            _ = try await shop.client.call(
                "rule.activate",
                ["ruleId": rule["ruleId"] ?? .null, "all": true, "_meta": meta("bob")]
            )
            _ = try await shop.client.call(
                "product.import",
                [
                    "mode": "perRow", "_meta": meta("bob"),
                    "rows": .array(products.prefix(30).map { ["productId": .integer($0), "basePrice": "10.00"] }),
                ]
            )
            for product in products[30..<33] {
                _ = try await shop.client.call(
                    "price.pin",
                    ["productId": .integer(product), "price": "120.00", "_meta": meta("bob")]
                )
            }
        }

        @Test func `a spoiled evening is found and put back by one call, but for what changed since the dry run`()
            async throws
        {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let client = shop.client
            try await setClock(shop, "2031-03-01T12:00:00Z")
            var products: [Int64] = []
            for stock: JSONValue in Array(repeating: 50, count: 38) + [5, 200] {
                products.append(try await shop.product(["stock": stock]))
            }
            func prices() async throws -> [String] {
                let reply = try await client.call("price.get", ["productIds": .array(products.map { .integer($0) })])
                return items(reply).compactMap { $0["price"]?.string }
            }
            let good = try await prices()
            #expect(Set(good) == ["100.00", "110.00", "90.00"])
            try await setClock(shop, "2031-03-01T20:00:00Z")
            try await spoil(shop, products)
            try await setClock(shop, "2031-03-02T08:00:00Z")

            let moved = try await client.all("price.changes", ["from": "2031-03-01T19:00:00Z", "actor": "bob"])
            #expect(moved.count == 35, "thirty bases, three pins, two by the rule")
            let trail = try await client.all("audit.trail", ["from": "2031-03-01T19:00:00Z", "actor": "bob"])
            #expect(Set(trail.compactMap { $0["kind"]?.string }) == ["declare", "pin", "rule"])

            let params: JSONObject = ["to": "2031-03-01T19:30:00Z", "all": true, "reason": "a bad evening"]
            var dry = params
            dry["_meta"] = meta("ann", ["dryRun": true])
            let seen = try await client.call("price.rollback", dry)
            #expect(items(seen, "restored").count == 40 && items(seen, "skipped").isEmpty)
            #expect(try await prices() != good, "a dry run leaves everything")

            // Two decide anew before the call comes.
            _ = try await client.call(
                "product.update",
                ["productId": .integer(products[1]), "basePrice": "12.00", "_meta": meta("carl")]
            )
            _ = try await client.call(
                "product.update",
                ["productId": .integer(products[39]), "title": "New", "_meta": meta("carl")]
            )
            var real = params
            real["seen"] = seen["seen"]
            real["_meta"] = meta("ann", ["idempotencyKey": "morning"])
            let done = try await client.call("price.rollback", real)
            let stale = items(done, "skipped")
            #expect(stale.map { $0["productId"]?.integer } == [products[1], products[39]])
            #expect(
                stale.allSatisfy {
                    $0["why"]?.string?.hasPrefix("STALE: changed at 2031-03-02T08:00:00.000Z by carl") == true
                }
            )
            #expect(items(done, "restored").count == 38)
            var wanted = good
            wanted[1] = "12.00"
            wanted[39] = "50.00"
            #expect(try await prices() == wanted)
            #expect(try await shop.get(products[0])["basePrice"] == "100.00")
            #expect(try await shop.get(products[30])["pinned"] == false)
            #expect(try await client.call("price.rollback", real)["_meta"]?["replayed"] == true)

            let history = try await client.all("product.history", ["productId": .integer(products[0])])
            #expect(history.map { $0["cause"]?.string } == ["rollback", "import", "rule", "call"])
            #expect(history[0]["reason"] == "a bad evening" && history[0]["actor"] == "ann")
            #expect(history[0]["before"]?["basePrice"] == "10.00" && history[0]["after"]?["basePrice"] == "100.00")
            let verified = try await client.call("audit.verify")
            #expect(verified["total"] == 0)
            try await Invariants.expect(daemon)
        }

        @Test func `price changes of all products are filtered, paged and newest first`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let (one, two) = (try await shop.product(["stock": 12]), try await shop.product(["stock": 12]))
            try await shop.buy(one, 2)
            try await shop.buy(two, 2)
            _ = try await shop.client.call(
                "price.pin",
                ["productId": .integer(two), "price": "80.00", "_meta": ["actor": "ann"]]
            )
            func found(_ filter: JSONObject) async throws -> [String] {
                var filter = filter
                if filter["productIds"] == nil { filter["categoryId"] = .integer(shop.categoryId) }
                return try await shop.all("price.changes", filter).map {
                    "\($0["productId"]?.integer ?? 0) \($0["new"]?.string ?? "")"
                }
            }
            #expect(try await found([:]) == ["\(two) 80.00", "\(two) 110.00", "\(one) 110.00"])
            let all: [(JSONObject, [String])] = [
                (["direction": "down"], ["\(two) 80.00"]),
                (["cause": "sale", "productIds": [.integer(one)]], ["\(one) 110.00"]),
                (["actor": "ann"], ["\(two) 80.00"]), (["bindingGuard": "floor"], []), (["ruleId": 2], []),
                (["direction": "up"], ["\(two) 110.00", "\(one) 110.00"]),
                (["to": "2001-01-01T00:00:00Z"], []),
            ]
            for (filter, wanted) in all { #expect(try await found(filter) == wanted, "\(filter)") }
            let mine: JSONValue = .integer(shop.categoryId)
            let first = try await shop.client.call("price.changes", ["limit": 2, "categoryId": mine])
            let rest = try await shop.client.call(
                "price.changes",
                ["limit": 2, "categoryId": mine, "cursor": first["nextCursor"] ?? .null]
            )
            #expect(items(first).count == 2 && items(rest).count == 1 && rest["nextCursor"] == .null)
            #expect(items(rest)[0]["title"] != nil && items(rest)[0]["orderId"]?.integer != nil)
            #expect(try await shop.client.refusal("price.changes", ["ruleId": 4711]).reason == "RULE_NOT_FOUND")
            #expect(
                try await shop.client.refusal("price.changes", ["productIds": [4711]]).reason == "PRODUCT_NOT_FOUND"
            )
        }

        @Test func `the trail tells who did what, rules and halts among it`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product()
            let name = "ann \(ShopClient.unique())"
            let ann = meta(name)
            _ = try await shop.client.call(
                "pricing.halt",
                ["productId": .integer(product), "reason": "wrong cost", "_meta": ann]
            )
            _ = try await shop.client.call(
                "pricing.resume",
                ["productId": .integer(product), "reason": "right now", "_meta": ann]
            )
            let rule = try await shop.client.call(
                "rule.create",
                ["name": .string("mine \(name)"), "strategy": "manual", "_meta": ann]
            )[
                "ruleId"
            ]
            _ = try await shop.client.call(
                "rule.activate",
                ["ruleId": rule ?? .null, "productIds": [.integer(product)], "_meta": ann]
            )
            _ = try await shop.client.call("product.archive", ["productId": .integer(product), "_meta": ann])
            func kinds(_ filter: JSONObject) async throws -> [String] {
                try await shop.all("audit.trail", filter).compactMap { $0["kind"]?.string }
            }
            #expect(
                try await kinds(["actor": .string(name)]) == ["archive", "declare", "rule", "rule", "resume", "halt"]
            )
            #expect(
                try await kinds(["productId": .integer(product)]) == ["archive", "declare", "resume", "halt", "create"]
            )
            #expect(try await kinds(["ruleId": rule ?? .null]) == ["declare", "rule", "rule"])
            let page = try await shop.client.call("audit.trail", ["limit": 1, "actor": .string(name)])
            #expect(items(page)[0]["after"]?["archived"] == true)
            let next = try await shop.client.call(
                "audit.trail",
                ["limit": 1, "actor": .string(name), "cursor": page["nextCursor"] ?? .null]
            )
            #expect(items(next)[0]["after"]?["ruleId"] == rule)
        }

        /// Of each way that a write goes: alone, in a batch, in parts.
        @Test(arguments: [
            "product.update", "order.place", "product.import", "price.rollback", "product.create", "pricing.halt",
        ])
        func `a write that expects what a dry run showed does just that, or nothing`(method: String) async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 12])
            _ = try await shop.client.call("product.update", ["productId": .integer(product), "basePrice": "90.00"])
            let id: JSONValue = .integer(product)
            let key = "expects \(ShopClient.unique())"
            let params: JSONObject =
                switch method {
                case "product.update": ["productId": id, "basePrice": "80.00"]
                case "order.place": shop.order(of: product, 2)
                case "product.import": ["mode": "perRow", "rows": [["productId": id, "basePrice": "80.00"]]]
                case "product.create":
                    ["title": "New", "basePrice": "80.00", "categoryId": .integer(shop.categoryId), "stock": 5]
                case "pricing.halt": ["productId": id, "reason": "count"]
                default:
                    [
                        "priceChangeIds": [
                            items(try await shop.client.call("price.history", ["productId": id]))[0]["priceChangeId"]
                                ?? .null
                        ]
                    ]
                }
            func call(_ meta: JSONObject) async throws -> JSONObject {
                var all = params
                all["_meta"] = .object(meta)
                return try await shop.client.call(method, all)
            }
            let said = try await call(["dryRun": true])["_meta"]
            let digest = try #require(said?["digest"]?.string)
            #expect(try await call(["dryRun": true])["_meta"]?["digest"] == .string(digest), "the same again")
            var wrong = params
            wrong["_meta"] = ["expect": "another", "idempotencyKey": .string(key)]
            let before = try await shop.get(product)
            let refusal = try await shop.client.refusal(method, wrong)
            #expect(refusal.code == 306 && refusal.reason == "STALE")
            #expect(refusal.data["digest"] == .string(digest))
            #expect(
                refusal.data["wouldChange"]?["events"]?.array?.count == said?["wouldChange"]?["events"]?.array?.count
            )
            #expect(try await shop.get(product).removing("_meta") == before.removing("_meta"))
            let done = try await call(["expect": .string(digest), "idempotencyKey": .string(key)])
            #expect(done["_meta"]?["replayed"] == false)
            #expect(
                try await call(["expect": "whatever", "idempotencyKey": .string(key)])["_meta"]?["replayed"] == true
            )
        }

        @Test func `what changed between the dry run and the call is told with the new digest, which then holds`()
            async throws
        {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 12])
            func restock(_ meta: JSONObject) -> JSONObject {
                ["productId": .integer(product), "quantity": 5, "_meta": .object(meta)]
            }
            let digest = try await shop.client.call("inventory.restock", restock(["dryRun": true]))["_meta"]?["digest"]
            try await shop.buy(product)
            let refusal = try await shop.client.refusal("inventory.restock", restock(["expect": digest ?? .null]))
            #expect(refusal.reason == "STALE")
            let stock = refusal.data["wouldChange"]?["stock"]?.array?.first
            #expect(stock?["old"] == 11 && stock?["new"] == 16)
            #expect(try await shop.stock(product) == 11)
            _ = try await shop.client.call("inventory.restock", restock(["expect": refusal.data["digest"] ?? .null]))
            #expect(try await shop.stock(product) == 16)
        }
    }
}
