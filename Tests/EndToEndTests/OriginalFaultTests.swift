import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What the original backend did wrong, over the socket: stock sold twice, orders half done, prices of hand lost.
    @Suite
    struct OriginalFaultTests {
        @Test func `two buyers one unit`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 1])
            let buyers = [try await daemon.client(), try await daemon.client()]
            let outcomes = try await order(of: product, shop, from: buyers, count: 2)
            #expect(outcomes.placed == 1)
            let refusal = try #require(outcomes.refused.first)
            #expect(refusal.reason == "INSUFFICIENT_STOCK")
            #expect(refusal.code == 201)
            #expect(refusal.data["productId"] == .integer(product))
            #expect(refusal.data["requested"] == 1)
            #expect(refusal.data["available"] == 0)
            #expect(!refusal.retryable)
            #expect(try await shop.stock(product) == 0)
        }

        @Test func `two hundred buyers forty units`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 40])
            var buyers: [TestClient] = []
            for _ in 0..<200 { buyers.append(try await daemon.client()) }
            let outcomes = try await order(of: product, shop, from: buyers, count: 200)
            #expect(outcomes.placed == 40)
            #expect(outcomes.refused.count == 160)
            #expect(outcomes.refused.allSatisfy { $0.reason == "INSUFFICIENT_STOCK" })
            #expect(try await shop.stock(product) == 0)
            let orders = try await shop.all("order.list", ["customerId": .integer(shop.customerId)])
            #expect(orders.count == 40)
            let sales = try await shop.all("inventory.movements", ["productId": .integer(product)])
                .filter { $0["kind"] == "sale" }
            #expect(sales.count == 40)
            #expect(Set(sales.compactMap { $0["orderId"]?.integer }).count == 40)
            for buyer in buyers { await buyer.close() }
        }

        @Test func `a failed line leaves nothing of its order`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let plenty = try await shop.product(["stock": 12])
            let scarce = try await shop.product(["stock": 2])
            let before = try await shop.client.call("events.list", ["productIds": [.integer(plenty)]])
            let lines: JSONValue = [
                ["productId": .integer(plenty), "quantity": 5], ["productId": .integer(scarce), "quantity": 3],
            ]
            let refusal = try await shop.client.refusal(
                "order.place",
                ["customerId": .integer(shop.customerId), "lines": lines]
            )
            #expect(refusal.reason == "INSUFFICIENT_STOCK")
            #expect(refusal.data["productId"] == .integer(scarce))
            #expect(try await shop.stock(plenty) == 12)
            #expect(try await shop.stock(scarce) == 2)
            #expect(try await shop.price(plenty) == "100.00")
            #expect(try await shop.all("order.list", ["customerId": .integer(shop.customerId)]).isEmpty)
            #expect(try await shop.all("inventory.movements", ["productId": .integer(plenty)]).count == 1)
            let after = try await shop.client.call("events.list", ["productIds": [.integer(plenty)]])
            #expect(after["items"] == before["items"])
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

        @Test func `archiving keeps history`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 12])
            let id: JSONObject = ["productId": .integer(product)]
            let order = try await shop.buy(product, 5)
            let prices = try await shop.all("price.history", id)
            let movements = try await shop.all("inventory.movements", id)
            #expect(prices.count == 1)
            #expect(movements.count == 2)
            #expect(try await shop.client.call("product.archive", id)["archived"] == true)
            #expect(try await shop.all("price.history", id) == prices)
            #expect(try await shop.all("inventory.movements", id) == movements)
            let kept = try await shop.client.call("order.get", ["orderId": try #require(order["orderId"])])
            #expect(kept["lines"] == order["lines"])
            #expect(try await shop.client.refusal("order.place", shop.order(of: product)).reason == "PRODUCT_ARCHIVED")
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

        @Test func `no reply holds a password or its hash`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let password = "correct-horse-\(ShopClient.unique())"
            let email = "secret\(ShopClient.unique())@test.example"
            let user: JSONObject = [
                "fullName": "Secret Keeper", "email": .string(email), "password": .string(password),
            ]
            let made = try await shop.client.call("user.create", user)
            let id = try #require(made["userId"])
            let credentials: JSONObject = ["email": .string(email), "password": .string(password)]
            var calls: [(String, JSONObject)] = [
                ("user.get", ["userId": id]), ("user.list", ["search": "Secret"]), ("user.authenticate", credentials),
                ("user.update", ["userId": id, "password": .string(password)]), ("events.list", ["limit": 500]),
                ("user.delete", ["userId": id]),
            ]
            let views = [
                "stats", "categoryDistribution", "priceTrends", "supplierRevenue", "monthlyRevenue", "vipUsers",
                "lowStock",
            ]
            calls.insert(contentsOf: views.map { ("dashboard.\($0)", [:]) }, at: 0)
            let reports = try await shop.client.call("report.list")["items"]?.array ?? []
            calls.insert(contentsOf: reports.map { ("report.run", ["name": $0["name"] ?? ""]) }, at: 0)
            var replies = [made]
            for (method, params) in calls { replies.append(try await shop.client.call(method, params)) }
            for reply in replies {
                let text = String(decoding: reply.serialized(), as: UTF8.self)
                #expect(!text.contains("$2a$") && !text.contains("$2b$"))
                #expect(!text.contains(password))
                #expect(!text.lowercased().contains("password"))
            }
            let again = try await shop.client.refusal("user.authenticate", credentials)
            #expect(again.reason == "BAD_CREDENTIALS")
        }

        @Test(arguments: ["0", "0.00", "-1.00"]) func `no price of nothing`(price: String) async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product()
            let id = JSONValue.integer(product)
            for (method, member) in [
                ("price.pin", "price"), ("product.update", "basePrice"), ("product.update", "floor"),
            ] {
                let refusal = try await shop.client.refusal(method, ["productId": id, member: .string(price)])
                #expect(refusal.reason == "INVALID_PARAMS", "\(method) \(member)")
            }
            for member in ["lowStock", "highStock"] {
                let refusal = try await shop.client.refusal("product.update", ["productId": id, member: nil])
                #expect(refusal.reason == "INVALID_PARAMS", "no threshold is null")
            }
            let taken: JSONObject = ["productId": id, "quantity": -51]
            #expect(try await shop.client.refusal("inventory.adjust", taken).reason == "INSUFFICIENT_STOCK")
            #expect(try await shop.price(product) == "100.00")
            #expect(try await shop.stock(product) == 50)
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
