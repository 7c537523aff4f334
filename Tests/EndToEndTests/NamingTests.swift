import JSON
import JSONRPC
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Products by SKU and customers by e-mail, wherever ids are taken.
    @Suite
    struct NamingTests {
        private static let daemon = Task { try await TestDaemon.start(hasDemo: true) }

        /// Each parameter that takes an id of a product, with its method.
        private static let taken: [String] = AllMethods.list.flatMap { method in
            method.parameters.fields.filter { ["productId", "productIds"].contains($0.name) }
                .map { "\(method.name) \($0.name)" }
        }

        /// The method's own example, in a dry run, with names in the place of ids.
        @Test(arguments: taken) func `a product is named by SKU`(parameter: String) async throws {
            let client = try await Self.daemon.value.client()
            let words = parameter.split(separator: " ").map(String.init)
            let (method, id) = (try #require(AllMethods.byName[words[0]]), words[1])
            let isList = id == "productIds"
            let name = isList ? "skus" : "sku"
            var params = method.example
            if method.effect == .write { params["_meta"] = ["dryRun": true] }
            if isList { params["categoryId"] = nil }  // one or the other
            let given = params[id] ?? (isList ? [1] : 1)
            params[id] = given
            var named = params.removing(id)
            let skus = try await sku(of: isList ? given.array ?? [] : [given], client)
            named[name] = isList ? .array(skus) : skus[0]
            let byID = try await client.call(method.name, params)
            let byName = try await client.call(method.name, named)
            #expect(Self.essence(byName) == Self.essence(byID))

            var both = named
            both[id] = given
            if method.name != "product.update" {
                let error = try await client.refusal(method.name, both)
                #expect(error.code == -32602)
                #expect(error.data["violations"]?.array?.map { $0["path"] } == [.string("/\(name)")])
            }
            if method.parameters.fields.contains(where: { $0.name == id && $0.isRequired }) {
                let error = try await client.refusal(method.name, params.removing(id))
                #expect(error.data["violations"]?.array?.map { $0["path"] } == [.string("/\(id)")])
            }
            named[name] = isList ? ["no-such-sku"] : "no-such-sku"
            if method.name == "price.get" {
                #expect(try await client.call(method.name, named)["missing"] == ["no-such-sku"])
            } else {
                let error = try await client.refusal(method.name, named)
                #expect(error.code == 101)
                #expect(error.data["sku"] == "no-such-sku")
            }
            await client.close()
        }

        /// The SKUs in the other case than they were typed in.
        private func sku(of ids: [JSONValue], _ client: TestClient) async throws -> [JSONValue] {
            var skus: [JSONValue] = []
            for id in ids {
                let sku = try await client.call("product.get", ["productId": id])["sku"]?.string
                skus.append(.string(try #require(sku).lowercased()))
            }
            return skus
        }

        /// A reply without what two calls do not share: ids and times that are drawn, cursors sealed over the request.
        private static func essence(_ reply: JSONObject) -> JSONObject {
            let own = [
                "_meta", "nextCursor", "subscription", "expectationId", "haltId", "campaignId", "proposalId", "at",
                "to", "sequence",
            ]
            return own.reduce(reply) { $0.removing($1) }
        }

        @Test func `every product of a reply and an event has its SKU`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let sku = "Sku \(ShopClient.unique())"
            let product = try await shop.product(["sku": .string("  \(sku) "), "stock": 11])
            let id = JSONValue.integer(product)
            #expect(try await shop.get(product)["sku"] == .string(sku), "trimmed, else as typed")
            let placed = try await shop.buy(product, 2)
            #expect(placed["lines"]?.array?.map { $0["sku"] } == [.string(sku)])
            #expect(placed["priceChanges"]?.array?.map { $0["sku"] } == [.string(sku)])
            let order = try await shop.client.call("order.get", ["orderId": placed["orderId"] ?? .null])
            #expect(order["lines"]?.array?.first?["sku"] == .string(sku))
            for method in ["inventory.movements", "price.history"] {
                let items = try await shop.all(method, ["productId": id])
                #expect(!items.isEmpty && items.allSatisfy { $0["sku"] == .string(sku) && $0["productId"] == id })
            }
            let events = try await shop.all("events.list", ["skus": [.string(sku.uppercased())]])
            #expect(Set(events.compactMap { $0["topic"]?.string }) == ["catalogue", "stock", "price"])
            #expect(events.allSatisfy { $0["key"] == id })
            let moves = events.filter { $0["topic"] == "price" }
            #expect(moves.allSatisfy { $0["after"]?["sku"] == .string(sku) && $0["after"]?["title"] != nil })
            let orders = try await shop.all("events.list", ["topics": ["order"]])
            #expect(orders.contains { $0["after"]?["lines"]?.array?.first?["sku"] == .string(sku) })
            for search in [sku, sku.uppercased(), String(sku.dropFirst(2))] {
                let found = try await shop.all("product.list", ["search": .string(search)])
                #expect(found.contains { $0["productId"] == id }, "\(search)")
            }
        }

        @Test func `a SKU is one product's, whatever its case and whether it is archived`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let sku = "T-\(ShopClient.unique())-Ä"
            let first = try await shop.product(["sku": .string(sku)])
            _ = try await shop.client.call("product.archive", ["productId": .integer(first)])
            let second = try await shop.product()
            let new: JSONObject = [
                "title": "x", "basePrice": "1.00", "categoryId": .integer(shop.categoryId),
                "sku": .string(sku.lowercased()),
            ]
            let change: JSONObject = ["productId": .integer(second), "sku": .string(sku.lowercased())]
            for (method, params) in [("product.create", new), ("product.update", change)] {
                let error = try await shop.client.refusal(method, params)
                #expect(error.code == 107)
                #expect(error.data["sku"] == .string(sku.lowercased()))
                #expect(error.data["productId"] == .integer(first))
            }
            let free = "free \(ShopClient.unique())"
            func set(_ sku: JSONValue) async throws -> JSONValue? {
                try await shop.client.call("product.update", ["productId": .integer(second), "sku": sku])["sku"]
            }
            #expect(try await set(.string(free)) == .string(free))
            #expect(try await set(.string(free.uppercased())) == .string(free.uppercased()), "its own")
            #expect(try await set(nil) == JSONValue.null)
            #expect(try await shop.client.refusal("product.get", ["sku": .string(free)]).code == 101)
            for wrong in ["", " \u{200B} ", String(repeating: "x", count: 65), "a\u{7}b"] {
                let error = try await shop.client.refusal("product.update", ["productId": 1, "sku": .string(wrong)])
                #expect(error.data["violations"]?.array?.first?["path"] == "/sku")
            }
        }

        /// Many buyers at once: lines by SKU and by id of one product are one line, and a name of nothing is one order's.
        @Test func `orders by name are the orders by id`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let known = try await shop.product(["sku": "Known", "stock": 100_000, "highStock": 1_000_000])
            let other = try await shop.product(["sku": "Other", "stock": 100_000, "highStock": 1_000_000])
            let email = JSONValue.string("CUSTOMER\(try await name(shop))@test.example")
            func params(_ number: Int) -> JSONObject {
                let buyer: JSONObject =
                    number % 2 == 0 ? ["customerEmail": email] : ["customerId": .integer(shop.customerId)]
                var params = buyer
                switch number % 4 {
                case 0:
                    params["lines"] = [
                        ["sku": "known", "quantity": 1], ["productId": .integer(known), "quantity": 2],
                    ]
                case 1: params["lines"] = [["productId": .integer(known), "quantity": 3]]
                case 2: params["lines"] = [["sku": "OTHER", "quantity": 1], ["sku": " known ", "quantity": 1]]
                default:
                    params["lines"] = [["productId": .integer(other), "quantity": 1], ["sku": "lost", "quantity": 1]]
                }
                return params
            }
            let outcomes = try await withThrowingTaskGroup(of: (Int, Result<JSONObject, RPCError>).self) { group in
                for number in 0..<400 {
                    group.addTask {
                        do throws(RPCError) {
                            return (number, .success(try await Self.place(shop.client, params(number))))
                        } catch { return (number, .failure(error)) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for (number, outcome) in outcomes {
                switch (number % 4, outcome) {
                case (0, .success(let order)), (1, .success(let order)):
                    #expect(order["lines"]?.array?.map { $0["quantity"] } == [3])
                    #expect(order["lines"]?.array?.first?["productId"] == .integer(known))
                case (2, .success(let order)):
                    #expect(order["lines"]?.array?.map { $0["sku"] } == ["Known", "Other"])
                case (3, .failure(let error)):
                    #expect(error.code == 101)
                    #expect(error.data["sku"] == "lost")
                default: Issue.record("order \(number): \(outcome)")
                }
            }
            #expect(try await shop.stock(known) == 100_000 - 700)
            #expect(try await shop.stock(other) == 100_000 - 100)
            let mine = try await shop.all("order.list", ["customerEmail": email])
            #expect(mine.count == 300)
            try await Invariants.expect(daemon)
        }

        private static func place(_ client: TestClient, _ params: JSONObject) async throws(RPCError) -> JSONObject {
            do {
                return try await client.call("order.place", params)
            } catch let error as RPCError {
                throw error
            } catch {
                throw RPCError(code: 0, reason: "\(error)", message: "", retryable: false, data: [:])
            }
        }

        private func name(_ shop: ShopClient) async throws -> Int64 {
            let user = try await shop.client.call("user.get", ["userId": .integer(shop.customerId)])
            return try #require(user["fullName"]?.string?.split(separator: " ").last.flatMap { Int64($0) })
        }

        /// The key is of the request as it was sent: a repeat is one even when the name has become another's.
        @Test func `a repeat under a key is one whatever became of the names`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let sku = "Key \(ShopClient.unique())"
            let product = try await shop.product(["sku": .string(sku)])
            let key: JSONValue = ["idempotencyKey": .string("by name \(sku)")]
            let order: JSONObject = [
                "customerId": .integer(shop.customerId), "lines": [["sku": .string(sku), "quantity": 1]], "_meta": key,
            ]
            let pin: JSONObject = [
                "sku": .string(sku), "price": "99.00", "_meta": ["idempotencyKey": .string("pin \(sku)")],
            ]
            let (placed, pinned) = (
                try await shop.client.call("order.place", order), try await shop.client.call("price.pin", pin)
            )
            _ = try await shop.client.call("product.update", ["productId": .integer(product), "sku": nil])
            for (method, params, first) in [("order.place", order, placed), ("price.pin", pin, pinned)] {
                let again = try await shop.client.call(method, params)
                #expect(again["_meta"]?["replayed"] == true)
                #expect(again["orderId"] == first["orderId"])
                #expect(again["productId"] == first["productId"])
            }
            var byID = order
            byID["lines"] = [["productId": .integer(product), "quantity": 1]]
            #expect(try await shop.client.refusal("order.place", byID).reason == "IDEMPOTENCY_CONFLICT")
            #expect(try await shop.stock(product) == 49)
        }

        /// A cursor is sealed over the request with ids in the place of names.
        @Test func `a page goes on whether its product is named by number or by SKU`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let sku = "Page \(ShopClient.unique())"
            let product = try await shop.product(["sku": .string(sku)])
            for price: JSONValue in ["99.00", "98.00"] {
                _ = try await shop.client.call("price.pin", ["productId": .integer(product), "price": price])
                try await shop.restock(product, 1)
            }
            let lists: [(String, JSONObject, JSONObject)] = [
                ("price.history", ["productId": .integer(product)], ["sku": .string(sku)]),
                ("inventory.movements", ["productId": .integer(product)], ["sku": .string(sku)]),
                ("product.history", ["productId": .integer(product)], ["sku": .string(sku)]),
                ("price.changes", ["productIds": [.integer(product)]], ["skus": [.string(sku)]]),
                ("events.list", ["productIds": [.integer(product)]], ["skus": [.string(sku)]]),
            ]
            for (method, number, name) in lists {
                func page(_ request: JSONObject, _ member: String, _ value: JSONValue) async throws -> JSONObject {
                    var params = request
                    params[member] = value
                    return try await shop.client.call(method, params)
                }
                let cursor = try #require(try await page(number, "limit", 1)["nextCursor"])
                let rest = try await page(number, "cursor", cursor)["items"]
                #expect(rest?.array?.isEmpty == false, "\(method)")
                #expect(try await page(name, "cursor", cursor)["items"] == rest, "\(method)")
                #expect(try await page(name, "limit", 1)["nextCursor"] == cursor, "\(method)")
            }
        }
    }
}
