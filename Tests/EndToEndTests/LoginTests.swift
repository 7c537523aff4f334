import Foundation
import JSON
import JSONRPC
import Postgres
import PricingProtocol
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// Logins: opened at a pace, ended by time and by what changes of their person, and told nowhere.
    @Suite
    struct LoginTests {
        private func attempt(_ shop: SecretShop, _ email: String, _ password: String, _ address: String) async throws
            -> RPCError?
        {
            do {
                _ = try await shop.gateway.call(
                    as: nil,
                    "login.open",
                    ["email": .string(email), "password": .string(password), "address": .string(address)]
                )
                return nil
            } catch let error as RPCError {
                return error
            }
        }

        private func setClock(_ shop: SecretShop, _ time: String) async throws {
            _ = try await shop.staff.call("clock.set", ["at": .string("2030-01-01T\(time)Z")])
        }

        @Test func `five attempts a minute may fail, whatever is typed and whoever it is`() async throws {
            let shop = try await SecretShop.open()
            try await setClock(shop, "10:00:00")
            let long = String(repeating: "x", count: 5000)
            for email in ["ada@shop.example", "nobody@shop.example"] {
                for password in ["", "wrong", long, long, "x"] {
                    let error = try #require(try await attempt(shop, email, password, "192.0.2.1"))
                    #expect(error.reason == "BAD_CREDENTIALS" && error.data.isEmpty)
                }
                let refused = try #require(try await attempt(shop, email, SecretShop.password, "192.0.2.1"))
                #expect(refused.reason == "RESOURCE_EXHAUSTED" && refused.data["which"] == "loginAttempts")
                #expect(refused.retryAfterMs == 60_000)
            }
            // Written otherwise it is the same account; another address has attempts of its own.
            #expect(try await attempt(shop, "ADA@shop.example", long, "192.0.2.1")?.reason == "RESOURCE_EXHAUSTED")
            #expect(try await attempt(shop, "ada@shop.example", SecretShop.password, "192.0.2.2") == nil)
            try await setClock(shop, "10:01:00")
            #expect(try await attempt(shop, "ada@shop.example", SecretShop.password, "192.0.2.1") == nil)
        }

        @Test func `an account has thirty attempts a minute from all addresses, those that succeed too`() async throws {
            let shop = try await SecretShop.open()
            try await setClock(shop, "10:00:00")
            for number in 1...30 {
                let error = try await attempt(
                    shop,
                    "ada@shop.example",
                    number % 2 == 0 ? "wrong" : SecretShop.password,
                    "\(number)"
                )
                #expect(error?.reason == (number % 2 == 0 ? "BAD_CREDENTIALS" : nil))
            }
            #expect(try await attempt(shop, "ada@shop.example", "wrong", "31")?.reason == "RESOURCE_EXHAUSTED")
            #expect(try await attempt(shop, "bob-secret@shop.example", SecretShop.password, "31") == nil)
        }

        @Test func `two daemons of one database keep one pace, and know each other's logins`() async throws {
            let shop = try await SecretShop.open()
            let database = try #require(try await shop.staff.call("server.status")["database"]?.object)
            let place = "host=\(database["host"]?.string ?? "") dbname=pricing user=pricingd"
            let two = try await TestDaemon.start(arguments: ["--database-url", place])
            let other = try await SecretShop.gateway(two)
            let wrong: JSONObject = ["email": "ada@shop.example", "password": "wrong", "address": "192.0.2.1"]
            for gateway in [shop.gateway, other, other, shop.gateway, other] {
                #expect(try await gateway.reason(as: nil, "login.open", wrong) == "BAD_CREDENTIALS")
            }
            for gateway in [shop.gateway, other] {
                #expect(try await gateway.reason(as: nil, "login.open", wrong) == "RESOURCE_EXHAUSTED")
            }
            let token = try await shop.login("ada@shop.example")
            var told = other.notifications.makeAsyncIterator()
            _ = try await other.call(as: token, "events.subscribe", ["topics": ["order"]])
            #expect(try await shop.gateway.call(as: token, "login.close")["closed"] == 1)
            let closed = try #require(await told.next())
            #expect(closed.method == "events.closed" && closed.params["reason"] == "LOGIN_EXPIRED")
            #expect(try await other.reason(as: token, "login.get") == "LOGIN_EXPIRED")
            await other.close()
            #expect(await two.stop() == 0)
        }

        @Test func `a login ends unused and at the latest; the staff's sooner`() async throws {
            let shop = try await SecretShop.open()
            let gateway = shop.gateway
            try await setClock(shop, "00:00:00")
            let (customer, seller) = (
                try await shop.login("ada@shop.example"), try await shop.login("seller-secret@shop.example")
            )
            #expect(try await gateway.call(as: customer, "login.get")["expiresAt"] == "2030-01-31T00:00:00.000Z")
            #expect(try await gateway.call(as: seller, "login.get")["expiresAt"] == "2030-01-01T12:00:00.000Z")
            let other = try await SecretShop.gateway(shop.daemon)
            var told = other.notifications.makeAsyncIterator()
            _ = try await other.call(as: seller, "events.subscribe", ["topics": ["automation"]])
            try await setClock(shop, "00:59:00")
            #expect(try await gateway.reason(as: seller, "session.ping") == nil, "used, so it goes on")
            try await setClock(shop, "01:58:00")
            #expect(try await gateway.reason(as: seller, "session.ping") == nil)
            try await setClock(shop, "02:58:00")
            #expect(try await gateway.reason(as: seller, "session.ping") == "LOGIN_EXPIRED", "an hour unused")
            #expect(await told.next()?.params["reason"] == "LOGIN_EXPIRED", "and its subscription with it")
            try await setClock(shop, "11:59:00")
            #expect(try await gateway.reason(as: customer, "session.ping") == nil)
            try await setClock(shop, "23:59:00")
            #expect(try await gateway.reason(as: customer, "session.ping") == "LOGIN_EXPIRED", "twelve hours unused")
            let long = try await shop.login("seller-secret@shop.example")
            for hour in 2...13 {
                _ = try await shop.staff.call(
                    "clock.set",
                    ["at": .string("2030-01-02T\(hour < 10 ? "0" : "")\(hour):00:00Z")]
                )
                if try await gateway.reason(as: long, "session.ping") != nil { break }
                #expect(hour < 12, "it ends twelve hours after it was opened, however much it is used")
            }
            await other.close()
        }

        @Test func `a changed password or role, and an archived person, end every login and its subscriptions`()
            async throws
        {
            let shop = try await SecretShop.open()
            let bob = JSONValue.integer(shop.bob)
            for (method, params) in [
                ("user.changePassword", ["userId": bob, "old": .string(SecretShop.password), "new": "battery staple"]),
                ("user.update", ["userId": bob, "role": "seller"]), ("user.delete", ["userId": bob]),
            ] as [(String, JSONObject)] {
                let password = method == "user.changePassword" ? SecretShop.password : "battery staple"
                let token = try await shop.login("bob-secret@shop.example", password)
                let client = try await SecretShop.gateway(shop.daemon)
                var told = client.notifications.makeAsyncIterator()
                _ = try await client.call(as: token, "events.subscribe", ["topics": ["order"]])
                _ = try await shop.staff.call(method, params)
                let closed = try #require(await told.next())
                #expect(closed.method == "events.closed" && closed.params["reason"] == "LOGIN_EXPIRED", "\(method)")
                #expect(try await client.reason(as: token, "login.get") == "LOGIN_EXPIRED", "\(method)")
                await client.close()
            }
        }

        @Test func `people list and close their own logins`() async throws {
            let shop = try await SecretShop.open()
            let (one, two) = (try await shop.login("ada@shop.example"), try await shop.login("ada@shop.example"))
            let bobs = try await shop.login("bob-secret@shop.example")
            let listed = try await shop.gateway.call(as: one, "login.list")["items"]?.array ?? []
            #expect(listed.map { $0["current"] } == [false, true] && listed.allSatisfy { $0["token"] == nil })
            let bobsID = try #require(try await shop.gateway.call(as: bobs, "login.get")["loginId"])
            #expect(try await shop.gateway.call(as: one, "login.close", ["loginId": bobsID])["closed"] == 0)
            #expect(try await shop.gateway.reason(as: nil, "login.close", ["loginId": bobsID]) == "PERMISSION_DENIED")
            #expect(try await shop.gateway.call(as: one, "login.close")["closed"] == 1)
            #expect(try await shop.gateway.reason(as: two, "session.ping") == nil)
            #expect(try await shop.gateway.call("login.close", ["token": .string(two)])["closed"] == 1)
            #expect(try await shop.staff.call("login.close", ["userId": .integer(shop.bob)])["closed"] == 1)
            #expect(try await shop.gateway.reason(as: bobs, "session.ping") == "LOGIN_EXPIRED")
        }

        @Test func `keys are a person's own, and no key keeps a login`() async throws {
            let shop = try await SecretShop.open()
            let (ada, bob) = (try await shop.login("ada@shop.example"), try await shop.login("bob-secret@shop.example"))
            let order: JSONObject = ["lines": [["productId": .integer(shop.product), "quantity": 1]]]
            let meta: JSONObject = ["idempotencyKey": "k"]
            let first = try await shop.gateway.call(as: ada, "order.place", order, meta)
            let again = try await shop.gateway.call(as: ada, "order.place", order, meta)
            #expect(again["orderId"] == first["orderId"] && again["_meta"]?["replayed"] == true)
            let bobs = try await shop.gateway.call(as: bob, "order.place", order, meta)
            #expect(bobs["orderId"] != first["orderId"] && bobs["customerId"] == .integer(shop.bob))
            let opening: JSONObject = ["email": "ada@shop.example", "password": .string(SecretShop.password)]
            let one = try await shop.gateway.call(as: nil, "login.open", opening, meta)
            let two = try await shop.gateway.call(as: nil, "login.open", opening, meta)
            #expect(one["token"] != two["token"] && two["_meta"]?["replayed"] == false)
            let psql = try await shop.daemon.database()
            let token = try #require(two["token"]?.string)
            #expect(try await psql.text("select count(*)::text from request_key where reply like '%token%'") == "0")
            #expect(
                try await psql.text(
                    "select string_agg(encode(token_hash, 'escape'), ' ') || coalesce(string_agg(address, ' '), '') from pricing.login"
                ).contains(token) == false
            )
            await psql.close()
        }

        @Test func `a token stands in no mirror, log, list of calls or error`() async throws {
            let temporary = try TemporaryFolder()
            let folder = temporary.path + "/mirror"
            let shop = try await SecretShop.open(["--mirror-dir", folder, "--log-level", "debug"])
            let token = try await shop.login("ada@shop.example")
            _ = try await shop.gateway.call(as: token, "login.get")
            let asked = try await shop.answer(as: nil, "login.get", ["token": .string(token)])
            #expect(!asked.contains(token))
            let broken = try await shop.answer(as: nil, "login.get", ["token": [.string(token)]])
            let wrong = try await shop.answer(as: nil, "product.browse", [:], ["login": [.string(token)]])
            #expect(!broken.contains(token) && !wrong.contains(token))
            _ = try await shop.answer(as: token + "x", "product.browse", [:])
            #expect(await shop.daemon.stop() == 0)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!files.isEmpty)
            for file in files {
                let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
                #expect(!text.contains(token) && !text.contains(SecretShop.password), "\(file)")
            }
            let log = await shop.daemon.program.errorText()
            #expect(!log.contains(token) && !log.contains(SecretShop.password))
        }
    }
}
