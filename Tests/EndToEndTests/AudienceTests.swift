import JSON
import JSONRPC
import PricingProtocol
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// Behind a gateway people get what is theirs, and nobody else's.
    @Suite
    struct AudienceTests {
        /// Calls of each method below the staff, with one's own ids and another customer's.
        private func calls(_ shop: SecretShop, own order: Int64) -> [(String, JSONObject)] {
            let product = JSONValue.integer(shop.product)
            let line: JSONValue = [["productId": product, "quantity": 1]]
            let ids = [order, shop.bobsOrder, 999_999].map { JSONValue.integer($0) }
            let people = [shop.ada, shop.bob, 999_999].map { JSONValue.integer($0) }
            var calls: [(String, JSONObject)] = [
                ("session.hello", [:]), ("session.ping", [:]), ("rpc.discover", [:]), ("category.list", [:]),
                ("server.explain", ["reason": "STALE"]), ("product.browse", [:]), ("product.browse", ["search": "mug"]),
                ("product.browse", ["productIds": [product], "sort": "-price"]),
                ("price.get", ["productIds": [product, 77]]), ("price.get", ["skus": ["MUG", "none"]]),
                ("product.offer", ["productId": product]), ("product.offer", ["productId": 999_999]),
                ("claim.check", ["productId": product, "percentOff": 5]),
                ("claim.check", ["sku": "x", "percentOff": 5]),
                ("events.subscribe", ["from": 0, "snapshot": true]), ("events.subscribe", ["topics": ["automation"]]),
                ("events.unsubscribe", ["subscription": "s99"]), ("events.list", ["from": 0, "limit": 500]),
                ("events.list", ["order": "desc"]), ("events.list", ["topics": ["automation"]]),
                ("user.create", ["fullName": "Eve", "email": "eve@shop.example"]),
                ("user.create", ["fullName": "Eve", "email": "eve@shop.example", "role": "admin"]),
                ("user.create", ["fullName": "Eve", "email": "Ada@shop.example"]),
                ("order.place", ["lines": line]), ("order.place", ["lines": line, "customerEmail": "x@shop.example"]),
                ("order.place", ["lines": [["productId": product, "quantity": 5000]]]),
                ("order.place", ["lines": [["productId": product, "quantity": 1, "maxUnitPrice": "0.01"]]]),
                ("order.list", [:]), ("order.list", ["search": "Secret"]), ("user.get", [:]),
                ("user.update", ["fullName": "Ada"]), ("user.update", ["role": "admin"]),
                ("user.changePassword", ["old": "wrong", "new": "battery staple"]),
                ("login.open", ["email": "ada@shop.example", "password": "wrong"]), ("login.get", [:]),
                ("login.get", ["token": "none"]), ("login.list", [:]), ("login.close", ["token": "none"]),
                ("login.close", ["loginId": 999_999]),
            ]
            calls += [
                ("quote.create", ["lines": line, "ttlSeconds": 600]), ("quote.list", [:]),
                ("quote.list", ["customerId": .integer(shop.bob)]),
            ]
            for id in [1, 2, 999_999] as [JSONValue] {
                calls += [
                    ("quote.get", ["quoteId": id]), ("quote.extend", ["quoteId": id, "ttlSeconds": 900]),
                    ("quote.release", ["quoteId": id]),
                    ("order.place", ["quoteId": id, "lines": line]),
                ]
            }
            for id in ids {
                calls += ["order.get", "order.history", "order.cancel", "order.return"].map { ($0, ["orderId": id]) }
                calls.append(("order.cancel", ["orderId": id, "restock": false]))
                calls += ["events.list", "events.subscribe"].map { ($0, ["orderId": id]) }
            }
            for person in people {
                calls += ["user.get", "login.list"].map { ($0, ["userId": person]) }
                calls.append(("user.update", ["userId": person, "email": "mallory@shop.example"]))
                calls.append(("user.changePassword", ["userId": person, "old": "x", "new": "battery staple"]))
                calls.append(("order.list", ["customerId": person]))
                calls.append(("order.place", ["customerId": person, "lines": line]))
            }
            return calls
        }

        @Test func `no reply and no error tells a customer or anybody what is the staff's`() async throws {
            let shop = try await SecretShop.open()
            let token = try await shop.login("ada@shop.example")
            let line: JSONValue = [["productId": .integer(shop.product), "quantity": 1]]
            let own = try await shop.gateway.call(as: token, "order.place", ["lines": line])
            try await shop.stir()
            let calls = calls(shop, own: try #require(own["orderId"]?.integer))
            #expect(
                Set(calls.map(\.0)) == Set(AllMethods.list.filter { $0.audience <= .customer }.map(\.name)),
                "every method is called"
            )
            for login in [token, nil] {
                for (method, params) in calls {
                    let who = "\(method) \(params) \(login == nil ? "by anybody" : "by a customer")"
                    let isWrite = AllMethods.byName[method]?.effect == .write
                    if isWrite {
                        expectNoSecret(try await shop.answer(as: login, method, params, ["dryRun": true]), who)
                        expectNoSecret(try await shop.answer(as: login, method, params, ["expect": "x"]), who)
                    }
                    let answer = try await shop.answer(as: login, method, params)
                    if method != "rpc.discover" { expectNoSecret(answer, who) }
                }
                for method in AllMethods.list where method.audience > .customer {
                    let answer = try await shop.answer(as: login, method.name, method.example)
                    expectNoSecret(answer, method.name)
                    #expect(answer.contains("PERMISSION_DENIED"), "\(method.name): \(answer)")
                }
            }
        }

        @Test func `what is another customer's is not there, and a role is no customer's to change`() async throws {
            let shop = try await SecretShop.open()
            let (gateway, token) = (shop.gateway, try await shop.login("ada@shop.example"))
            let line: JSONValue = [["productId": .integer(shop.product), "quantity": 1]]
            let (order, bob) = (JSONValue.integer(shop.bobsOrder), JSONValue.integer(shop.bob))
            let others: [(String, JSONObject)] = [
                ("order.get", ["orderId": order]), ("order.history", ["orderId": order]),
                ("order.cancel", ["orderId": order]), ("order.list", ["customerId": bob]),
                ("order.place", ["customerId": bob, "lines": line]),
                ("order.place", ["customerEmail": "bob-secret@shop.example", "lines": line]),
                ("order.place", ["customerEmail": "nobody@shop.example", "lines": line]),
                ("user.get", ["userId": bob]), ("user.update", ["userId": bob, "fullName": "B"]),
                ("user.changePassword", ["userId": bob, "old": "x", "new": "battery staple"]),
                ("login.list", ["userId": bob]), ("login.close", ["userId": bob]),
                ("events.list", ["orderId": order]), ("events.subscribe", ["orderId": order]),
            ]
            for (method, params) in others {
                #expect(try await gateway.reason(as: token, method, params) == "ORDER_NOT_FOUND", "\(method) \(params)")
            }
            #expect(try await gateway.reason(as: token, "user.update", ["role": "admin"]) == "PERMISSION_DENIED")
            let admin: JSONObject = ["fullName": "E", "email": "e@shop.example", "role": "admin"]
            #expect(try await gateway.reason(as: token, "user.create", admin) == "PERMISSION_DENIED")
            #expect(try await gateway.reason(as: nil, "user.create", admin) == "PERMISSION_DENIED")
            let made = try await gateway.call("user.create", admin.removing("role"))
            #expect(made["role"] == "customer")
            let broken = try await shop.answer(as: token, "order.cancel", ["orderId": order, "restock": false])
            #expect(broken.contains("PERMISSION_DENIED"), "broken goods are for the staff to tell")
            let placed = try await gateway.call(as: token, "order.place", ["lines": line])
            #expect(placed["customerId"] == .integer(shop.ada))
            let listed = try await gateway.call(as: token, "order.list")
            #expect(listed["items"]?.array?.map { $0["orderId"] } == [placed["orderId"]])
            let trail = try await shop.staff.call("order.history", ["orderId": placed["orderId"] ?? .null])
            #expect(trail["items"]?.array?.first?["actor"] == "ada@shop.example (uid:0)")
        }

        @Test func `a gateway may what anybody may, whoever it is; a login gives the lesser of two roles`() async throws
        {
            let shop = try await SecretShop.open()
            let gateway = shop.gateway
            let hello = try await gateway.call("session.hello")
            #expect(hello["gateway"] == true && hello["peer"]?["role"]?.isNull == true)
            #expect(hello["peer"]?["audience"] == "public")
            let product: JSONObject = ["productId": .integer(shop.product)]
            #expect(try await gateway.reason(as: nil, "product.get", product) == "PERMISSION_DENIED")
            #expect(try await gateway.reason(as: nil, "server.drain") == "PERMISSION_DENIED")
            #expect(try await shop.staff.call("session.hello")["gateway"] == false, "the others keep their rights")
            let seller = try await shop.login("seller-secret@shop.example")
            let admin = try await shop.login("admin-secret@shop.example")
            #expect(try await gateway.call(as: seller, "product.get", product)["unitCost"] == "61.37")
            for method in ["user.list", "rule.list", "server.requests"] {
                #expect(try await gateway.reason(as: seller, method) == "PERMISSION_DENIED", "\(method)")
                #expect(try await gateway.reason(as: admin, method) == nil, "\(method)")
            }
            let change: JSONObject = ["userId": .integer(shop.bob), "email": "bob2@shop.example"]
            #expect(try await gateway.reason(as: seller, "user.update", change) == "PERMISSION_DENIED")
            #expect(try await gateway.reason(as: admin, "user.update", change) == nil)
            #expect(try await gateway.reason(as: admin, "product.get", product, ["actor": "me"]) == "INVALID_PARAMS")
            #expect(try await gateway.reason(as: "none", "product.browse") == "LOGIN_EXPIRED")
        }

        @Test func `events tell a customer of prices, stock and own orders, and no more`() async throws {
            let shop = try await SecretShop.open()
            let token = try await shop.login("ada@shop.example")
            let line: JSONValue = [["productId": .integer(shop.product), "quantity": 1]]
            var texts: [String] = []
            for login in [token, nil] {
                let client = try await SecretShop.gateway(shop.daemon)
                var told = client.notifications.makeAsyncIterator()
                _ = try await client.call(as: login, "events.subscribe", ["from": 0])
                try await shop.stirOnce(texts.isEmpty)
                let own = try await shop.gateway.call(as: token, "order.place", ["lines": line])
                let last = try await shop.staff.call("events.list", ["order": "desc", "limit": 1, "topics": ["stock"]])
                var topics: Set<String> = []
                while let event = await told.next() {
                    let text = JSONValue.object(event.params).description
                    expectNoSecret(text, "an event")
                    texts.append(text)
                    topics.insert(event.params["topic"]?.string ?? "")
                    if event.params["topic"] == "order" {
                        #expect(event.params["after"]?["customerId"] == .integer(shop.ada))
                        if event.params["key"] == own["orderId"] { break }
                    }
                    let isLast = event.params["sequence"] == last["items"]?.array?.first?["sequence"]
                    if login == nil, isLast { break }
                }
                #expect(topics == Set(Events.topics(for: login == nil ? .public : .customer)))
                let listed = try await shop.gateway.all(as: login, "events.list", ["from": 0])
                #expect(Set(listed.map { $0["topic"]?.string ?? "" }) == topics)
                for event in listed { expectNoSecret(JSONValue.object(event).description, "a listed event") }
                await client.close()
            }
            for part in [#""price":"99.00""#, #""name":"Mugs""#, #""description":"Cups too""#, #""title":"Mug""#] {
                #expect(texts.contains { $0.contains(part) }, "\(part)")
            }
        }
    }
}

extension SecretShop {
    fileprivate func stirOnce(_ isFirst: Bool) async throws {
        if isFirst { try await stir() }
    }
}

extension TestClient {
    fileprivate func all(as login: String?, _ method: String, _ params: JSONObject) async throws -> [JSONObject] {
        var (params, rows) = (params, [JSONObject]())
        while true {
            let page = try await call(as: login, method, params)
            rows += (page["items"]?.array ?? []).compactMap(\.object)
            guard let cursor = page["nextCursor"]?.string else { return rows }
            params["cursor"] = .string(cursor)
        }
    }
}
