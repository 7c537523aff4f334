import Foundation
import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// `product.import`: all rows or none, or each alone; and every refused row is named.
    @Suite
    struct ImportTests {
        /// What a row is refused with, and the path of its first violation below the row.
        private struct Bad {
            let row: JSONValue
            let reason: String
            var path: String?
        }

        private func row(_ shop: ShopClient, _ title: String, _ given: JSONObject = [:]) -> JSONObject {
            var row: JSONObject = [
                "title": .string(title), "basePrice": "10.00", "categoryId": .integer(shop.categoryId),
            ]
            for (key, value) in given { row[key] = value }
            return row
        }

        /// Rows of every kind that must be refused.
        private func bad(_ shop: ShopClient) async throws -> [Bad] {
            let open = try await shop.product()
            let archived = try await shop.product()
            _ = try await shop.client.call("product.archive", ["productId": .integer(archived)])
            func new(_ given: JSONObject) -> JSONValue { .object(row(shop, "Bad", given)) }
            return [
                Bad(row: "a text", reason: "INVALID_PARAMS", path: ""),
                Bad(row: ["title": "x"], reason: "INVALID_PARAMS", path: "/basePrice"),
                Bad(row: new(["basePrice": "0.00"]), reason: "INVALID_PARAMS", path: "/basePrice"),
                Bad(row: new(["basePrice": 10]), reason: "INVALID_PARAMS", path: "/basePrice"),
                Bad(row: new(["stock": -1]), reason: "INVALID_PARAMS", path: "/stock"),
                Bad(row: new(["title": ""]), reason: "INVALID_PARAMS", path: "/title"),
                Bad(row: new(["code": "B-1"]), reason: "INVALID_PARAMS", path: "/code"),
                Bad(row: new(["floor": "9.00", "ceiling": "8.00"]), reason: "INVALID_PARAMS", path: "/ceiling"),
                Bad(row: new(["lowStock": 10, "highStock": 11]), reason: "INVALID_PARAMS", path: "/highStock"),
                Bad(row: new(["categoryId": 999_999_999]), reason: "CATEGORY_NOT_FOUND"),
                Bad(row: new(["supplierId": 999_999_999]), reason: "SUPPLIER_NOT_FOUND"),
                Bad(row: new(["ruleId": 999_999_999]), reason: "RULE_NOT_FOUND"),
                Bad(row: ["productId": 999_999_999, "title": "x"], reason: "PRODUCT_NOT_FOUND"),
                Bad(row: ["productId": .integer(archived), "title": "x"], reason: "PRODUCT_ARCHIVED"),
                Bad(row: ["productId": .integer(open), "version": 77], reason: "STALE"),
                Bad(row: ["productId": .integer(open), "title": "y"], reason: "INVALID_PARAMS", path: "/productId"),
                Bad(row: ["productId": "7", "title": "x"], reason: "INVALID_PARAMS", path: "/productId"),
            ]
        }

        @Test func `every bad row fails alone`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let bad = try await bad(shop)
            let known = try await shop.product()
            let good: [JSONValue] = [
                .object(row(shop, "Good", ["stock": 5])), ["productId": .integer(known), "basePrice": "200.00"],
            ]
            let rows = [good[0]] + bad.map(\.row) + [good[1]]
            let reply = try await shop.client.call("product.import", ["rows": .array(rows), "mode": "perRow"])
            #expect(reply["created"] == 1)
            #expect(reply["updated"] == 1)
            let failed = try #require(reply["failed"]?.array)
            #expect(failed.map { $0["row"]?.integer } == bad.indices.map { Int64($0 + 1) })
            for (expected, failure) in zip(bad, failed) {
                let data = failure["error"]?["data"]
                #expect(data?["reason"]?.string == expected.reason, "\(expected.row)")
                guard let path = expected.path, let row = failure["row"]?.integer else { continue }
                #expect(data?["violations"]?.array?.first?["path"]?.string == "/rows/\(row)\(path)", "\(expected.row)")
            }
            let made = try await shop.all("product.list", ["categoryId": .integer(shop.categoryId), "search": "Good"])
            #expect(made.map { $0["price"] } == ["11.00"], "low stock: priced at once")
            #expect(try await shop.price(known) == "200.00")
        }

        /// Any one bad row undoes all, and says which it was.
        @Test func `atomic is all or none`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let bad = try await bad(shop)
            let known = try await shop.product()
            let before = try await shop.get(known).removing("_meta")
            let good: [JSONValue] = [
                .object(row(shop, "Never", ["stock": 5])), ["productId": .integer(known), "basePrice": "200.00"],
            ]
            for (index, wrong) in bad.enumerated() where wrong.path != "/productId" {
                let rows = JSONValue.array(good + [wrong.row])
                let error = try await shop.client.refusal("product.import", ["rows": rows, "mode": "atomic"])
                #expect(error.reason == wrong.reason, "bad row \(index)")
                if let path = wrong.path {
                    let told = error.data["violations"]?.array?.first?["path"]?.string
                    #expect(told == "/rows/2\(path)", "bad row \(index)")
                } else {
                    #expect(error.data["row"] == 2)
                }
            }
            let two: [JSONValue] = [bad[9].row, good[0], bad[12].row]
            let error = try await shop.client.refusal("product.import", ["rows": .array(two), "mode": "atomic"])
            #expect(error.reason == "CATEGORY_NOT_FOUND")
            #expect(error.data["failed"]?.array?.map { $0["row"] } == [0, 2])
            #expect(error.data["failed"]?.array?.last?["error"]?["data"]?["reason"] == "PRODUCT_NOT_FOUND")
            #expect(try await shop.all("product.list", ["search": "Never"]) == [])
            #expect(try await shop.get(known).removing("_meta") == before)
        }

        /// A key covers the rows that were refused too.
        @Test func `a key makes it happen once`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let key = "import \(ShopClient.unique())"
            func call(_ last: JSONValue, mode: String) -> JSONObject {
                [
                    "rows": [.object(row(shop, "Once")), last], "mode": .string(mode),
                    "_meta": ["idempotencyKey": .string(key)],
                ]
            }
            let atomic = try await shop.client.refusal("product.import", call(["title": "a"], mode: "atomic"))
            #expect(atomic.reason == "INVALID_PARAMS", "a refusal leaves no key")
            let first = try await shop.client.call("product.import", call(["title": "a"], mode: "perRow"))
            let again = try await shop.client.call("product.import", call(["title": "a"], mode: "perRow"))
            #expect(again.removing("_meta") == first.removing("_meta"))
            #expect(again["_meta"]?["replayed"] == true)
            let other = try await shop.client.refusal("product.import", call(["title": "b"], mode: "perRow"))
            #expect(other.reason == "IDEMPOTENCY_CONFLICT")
            #expect(try await shop.all("product.list", ["categoryId": .integer(shop.categoryId)]).count == 1)
        }

        /// A price list of products that are sold meanwhile. Another session holds one of them: orders of the others,
        /// before or after it in the list or in the same transaction, do not wait; and that one fails alone.
        @Test func `orders go on while prices are imported`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let count = ProcessInfo.processInfo.environment["PRICINGD_LONG"] == nil ? 600 : 6000
            let new = (0..<count).map { JSONValue.object(row(shop, "Row \($0)", ["stock": 50])) }
            _ = try await shop.client.call("product.import", ["rows": .array(new)])
            let products = try await shop.all("product.list", ["categoryId": .integer(shop.categoryId)])
                .compactMap { $0["productId"]?.integer }.sorted()
            #expect(products.count == count)
            let rows = products.map { JSONValue.object(["productId": .integer($0), "basePrice": "20.00"]) }
            let middle = count / 2 + 10
            let held = try await HeldLock(row: products[middle], in: daemon)
            async let imported = shop.client.call("product.import", ["rows": .array(rows), "mode": "perRow"])
            try await held.awaitWaiter()
            // One whose part is done, neighbours in the part that waits, and one whose part is to come.
            for (index, price) in [(0, "20.00"), (middle - 1, "10.00"), (middle + 1, "10.00"), (count - 1, "10.00")] {
                let order = try await shop.buy(products[index])
                #expect(order["total"] == .string(price), "row \(index)")
            }
            #expect(try await held.waiters() > 0, "all of them while it waited")
            let reply = try await imported
            try await held.release()
            #expect(reply["updated"]?.integer == Int64(count - 1))
            let failed = try #require(reply["failed"]?.array)
            #expect(failed.map { $0["row"]?.integer } == [Int64(middle)])
            #expect(failed.first?["error"]?["data"]?["reason"] == "RESOURCE_EXHAUSTED")
            try await Invariants.expect(daemon)
        }

        /// Sent again under its key, a call that ended early does the rest, and nothing twice.
        @Test func `an import that ended early goes on under its key`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let known = try await shop.product()
            let key = "import \(ShopClient.unique())"
            func call(_ count: Int) -> JSONObject {
                let rows = (0..<count).map { number -> JSONValue in
                    number == 120
                        ? ["productId": .integer(known), "basePrice": "200.00"]
                        : .object(row(shop, "Again \(number)"))
                }
                return ["rows": .array(rows), "mode": "perRow", "_meta": ["idempotencyKey": .string(key)]]
            }
            let held = try await HeldLock(row: known, in: daemon)
            async let ending = shop.client.refusal("product.import", call(180))
            try await held.awaitWaiter()
            let running = try await shop.client.call("server.requests")["items"]?.array ?? []
            let number = try #require(running.first { $0["method"] == "product.import" }?["request"])
            _ = try await shop.client.call("server.cancel", ["request": number])
            #expect(try await ending.reason == "CANCELLED")
            try await held.release()
            let filter: JSONObject = ["categoryId": .integer(shop.categoryId), "search": "Again"]
            #expect(try await shop.all("product.list", filter).count == 120, "what was done stays")

            let other = try await shop.client.refusal("product.import", call(179))
            #expect(other.reason == "IDEMPOTENCY_CONFLICT", "the key is of the whole call, not of its beginning")
            for isReplayed in [false, true] {
                let reply = try await shop.client.call("product.import", call(180))
                #expect(reply["created"] == 179)
                #expect(reply["updated"] == 1)
                #expect(reply["failed"] == [])
                #expect((reply["_meta"]?["replayed"] == true) == isReplayed)
            }
            #expect(try await shop.all("product.list", filter).count == 179)
            #expect(try await shop.price(known) == "200.00")
        }

        /// Rows of the large import: the most that a call takes in the long run.
        private static let many = ProcessInfo.processInfo.environment["PRICINGD_LONG"] == nil ? 2000 : 10_000

        /// Many rows in one line: rehearsed, done, and all of them wrong.
        @Test func `many rows fit one call`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let rows = (1...Self.many).map { JSONValue.object(row(shop, "Row \($0)", ["stock": 20])) }
            var params: JSONObject = ["rows": .array(rows), "_meta": ["dryRun": true]]
            #expect(params.serialized().count * 10_000 / Self.many < 1 << 20, "10,000 such rows fit a line")
            let clock = ContinuousClock()
            var start = clock.now
            let rehearsal = try await shop.client.call("product.import", params)
            print("product.import, dry run, rows:", Self.many, "time:", clock.now - start)
            #expect(rehearsal["created"]?.integer == Int64(Self.many))
            #expect(rehearsal["_meta"]?["wouldChange"]?["stock"]?.array?.count == Self.many)
            let filter: JSONObject = ["categoryId": .integer(shop.categoryId)]
            #expect(try await shop.all("product.list", filter) == [])

            start = clock.now
            params["_meta"] = nil
            #expect(try await shop.client.call("product.import", params)["created"]?.integer == Int64(Self.many))
            print("product.import, rows:", Self.many, "time:", clock.now - start)
            #expect(try await shop.all("product.list", filter).count == Self.many)

            let junk: JSONObject = ["a": 1, "b": 2, "c": 3, "d": 4, "e": 5]
            let wrong: JSONObject = ["rows": .array(.init(repeating: .object(junk), count: 10_000)), "mode": "perRow"]
            #expect(try await shop.client.call("product.import", wrong)["failed"]?.array?.count == 10_000)
            let nowhere = JSONValue.object(row(shop, "Nowhere", ["categoryId": 999_999_999]))
            let lost: JSONObject = [
                "rows": .array(.init(repeating: nowhere, count: Self.many)), "mode": "atomic",
            ]
            let refusal = try await shop.client.refusal("product.import", lost)
            #expect(refusal.data["failed"]?.array?.count == Self.many)
            try await Invariants.expect(daemon)
        }
    }
}
