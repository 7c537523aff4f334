import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// A merchant's file: products by SKU, categories and suppliers by name, again and again.
    @Suite
    struct ImportedFileTests {
        /// A file of `count` products, in categories and of suppliers that are there by name alone.
        private static func file(_ mark: Int, count: Int, price: String = "10.00") -> [JSONValue] {
            (0..<count).map { number in
                [
                    "sku": .string("F\(mark)-\(number)"), "title": .string("Thing \(number) of \(mark) "),
                    "basePrice": .string(price), "category": .string(" Things \(number % 3) of \(mark)"),
                    "supplier": .string("Supplier \(number % 2) of \(mark)"), "stock": .integer(Int64(number)),
                    "floor": "5.00", "unitCost": "2.50",
                ]
            }
        }

        private static func counts(_ reply: JSONObject) -> [Int64?] {
            ["created", "updated", "unchanged"].map { reply[$0]?.integer } + [
                reply["failed"]?.array.map { Int64($0.count) }
            ]
        }

        @Test func `the same file twice changes nothing and says so`() async throws {
            let daemon = try await TestDaemon.start()
            let client = try await daemon.client()
            let rows = Self.file(1, count: 120)
            let missing = try await client.call("product.import", ["rows": .array(rows)])
            #expect(Self.counts(missing) == [0, 0, 0, 120], "no category of these names")
            #expect(missing["failed"]?.array?.first?["error"]?["data"]?["category"] == " Things 0 of 1")

            let params: JSONObject = ["rows": .array(rows), "createMissing": true, "rule": "Manual"]
            #expect(Self.counts(try await client.call("product.import", params)) == [120, 0, 0, 0])
            #expect(try await client.all("category.list", [:]).map { $0["name"] }.count == 3)
            #expect(try await client.all("supplier.list", [:]).count == 2)
            let products = try await client.all("product.list", [:])
            let last = try #require(products.last)
            #expect(
                last["sku"] == "F1-119" && last["stock"] == 119 && last["price"] == "10.00" && last["floor"] == "5.00"
            )
            let rule = try await client.call("rule.get", ["ruleId": last["ruleId"] ?? .null])
            #expect(rule["strategy"] == "manual")

            let position = try #require(try await client.call("events.list", ["from": 0, "limit": 1])["sequence"])
            var folded = rows
            folded[7] = ["sku": "f1-7", "title": "Thing 7 of 1", "stock": 7]
            for again in [rows, folded] {
                let reply = try await client.call("product.import", ["rows": .array(again), "mode": "atomic"])
                #expect(Self.counts(reply) == [0, 0, 120, 0])
            }
            #expect(try await client.call("events.list", ["from": position])["items"] == [], "no event either")
            #expect(try await client.all("product.list", [:]) == products, "no version, no price, no stock")
            try await Invariants.expect(daemon)
        }

        @Test func `a changed file changes what it says, and leaves what it does not`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let rows = Self.file(2, count: 4)
            _ = try await shop.client.call("product.import", ["rows": .array(rows), "createMissing": true])
            let before = try await shop.client.call("product.get", ["sku": "F2-1"])
            let changed: [JSONValue] = [
                ["sku": "F2-1", "stock": 40], ["sku": "F2-2", "basePrice": "20.00", "supplier": nil],
                ["sku": "F2-3", "category": "things 1 OF 2"], ["sku": "F2-0", "stock": 0],
                ["productId": before["productId"] ?? .null, "title": "twice"], ["sku": "f2-0"],
                ["sku": "F2-9", "title": "no price"], ["sku": "F2-8", "basePrice": "1.00", "version": 3],
            ]
            let reply = try await shop.client.call("product.import", ["rows": .array(changed)])
            #expect(Self.counts(reply) == [0, 4, 1, 3], "row 3 says what is so")
            let failed = reply["failed"]?.array ?? []
            #expect(failed.map { $0["row"] } == [5, 6, 7])
            #expect(
                failed.map { $0["error"]?["data"]?["violations"]?.array?.first?["path"] } == [
                    "/rows/5/sku", "/rows/6/basePrice", "/rows/7/title",
                ]
            )
            let now = try await shop.client.call("product.get", ["sku": "F2-1"])
            #expect(now["stock"] == 40 && now["title"] == "twice" && now["supplierId"] == before["supplierId"])
            let movements = try await shop.all("inventory.movements", ["sku": "F2-1"])
            #expect(movements.first?["kind"] == "adjust" && movements.first?["quantity"] == 39)
            let second = try await shop.client.call("product.get", ["sku": "F2-2"])
            #expect(
                second["supplierId"] == JSONValue.null && second["basePrice"] == "20.00" && second["floor"] == "5.00"
            )
            let taken: [JSONValue] = [
                ["productId": now["productId"] ?? .null, "sku": "F2-2"], ["sku": "F2-2", "title": "x"],
            ]
            let clash = try await shop.client.call("product.import", ["rows": .array(taken)])
            #expect(clash["failed"]?.array?.map { $0["row"] } == [0, 1], "taken, and named twice")
            let unknown = try await shop.client.refusal("product.import", ["rows": .array(rows), "rule": "no such"])
            #expect(unknown.reason == "RULE_NOT_FOUND" && unknown.data["rule"] == "no such")
            try await Invariants.expect(daemon)
        }

        @Test func `names of several suppliers and both names are refused`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let name = JSONValue.string("Twin \(ShopClient.unique())")
            for _ in 0..<2 { _ = try await shop.client.call("supplier.create", ["companyName": name]) }
            let base: JSONObject = ["title": "x", "basePrice": "1.00", "categoryId": .integer(shop.categoryId)]
            func row(_ member: String, _ value: JSONValue) -> JSONValue {
                var row = base
                row[member] = value
                return .object(row)
            }
            let rows = [
                row("supplier", name), row("category", "both"), row("supplier", "nowhere"), row("rule", "nothing"),
            ]
            let failed = try await shop.client.call("product.import", ["rows": .array(rows)])["failed"]?.array ?? []
            #expect(
                failed.map { $0["error"]?["data"]?["reason"] } == [
                    "INVALID_PARAMS", "INVALID_PARAMS", "SUPPLIER_NOT_FOUND", "RULE_NOT_FOUND",
                ]
            )
            #expect(
                failed.prefix(2).map { $0["error"]?["data"]?["violations"]?.array?.first?["path"] } == [
                    "/rows/0/supplier", "/rows/1/category",
                ]
            )
        }

        @Test func `a stock-take keeps the differences, all or none`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let (first, second) = (try await shop.product(["sku": "C-1"]), try await shop.product(["sku": "C-2"]))
            let rows: [JSONValue] = [["sku": "c-2", "stock": 50], ["productId": .integer(first), "stock": 5]]
            let counted = try await shop.client.call("inventory.count", ["rows": .array(rows), "reason": "May"])
            #expect(counted["counted"] == 2)
            #expect(
                counted["differences"]?.array?.compactMap(\.object) == [
                    [
                        "productId": .integer(first), "sku": "C-1",
                        "title": try await shop.get(first)["title"] ?? .null, "old": 50,
                        "new": 5, "difference": -45, "priceBefore": "100.00", "priceAfter": "110.00",
                    ]
                ]
            )
            let movement = try await shop.all("inventory.movements", ["sku": "C-1"]).first
            #expect(movement?["kind"] == "adjust" && movement?["reason"] == "May" && movement?["stockAfter"] == 5)
            let again = try await shop.client.call("inventory.count", ["rows": .array(rows)])
            #expect(again["differences"] == [])
            let wrong: [(JSONValue, String, String)] = [
                (["sku": "lost", "stock": 1], "PRODUCT_NOT_FOUND", "sku"),
                (["sku": "C-1", "stock": 7], "INVALID_PARAMS", ""),
            ]
            for (row, reason, member) in wrong {
                let bad: [JSONValue] = [["sku": "C-2", "stock": 1], ["sku": "C-1", "stock": 9], row]
                let error = try await shop.client.refusal("inventory.count", ["rows": .array(bad)])
                #expect(error.reason == reason)
                #expect(member.isEmpty || error.data[member] == "lost")
                #expect(!member.isEmpty || error.data["violations"]?.array?.first?["path"] == "/rows/2")
            }
            #expect(try await shop.stock(second) == 50, "none of them")
            try await Invariants.expect(daemon)
        }
    }
}
