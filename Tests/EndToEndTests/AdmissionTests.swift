import JSON
import JSONRPC
import Postgres
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// A peer that asks for much leaves room for others.
    @Suite
    struct AdmissionTests {
        private func request(_ id: Int, _ method: String, _ params: JSONObject = [:]) -> String {
            let message: JSONObject = [
                "jsonrpc": "2.0", "id": .integer(Int64(id)), "method": .string(method), "params": .object(params),
            ]
            return String(decoding: message.serialized(), as: UTF8.self)
        }

        private func reply(_ peer: LineClient) async throws -> JSONValue {
            try JSONParser.parse(Array(try #require(await peer.line()).utf8))
        }

        /// Long readings stand still as long as orders are locked; the operator's calls need other tables.
        @Test(arguments: ["audit.verify", "report.run", "dashboard.stats"])
        func `long readings leave connections to others`(method: String) async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let held = try await HeldLock(
                "lock table customer_order in access exclusive mode",
                as: "postgres",
                in: daemon
            )
            var params: JSONObject = ["_meta": ["timeoutMs": 20_000]]
            if method == "report.run" { params["name"] = "orders" }
            let flood = try (0..<4).map { _ in try daemon.lines() }
            for peer in flood {
                for id in 0..<32 { peer.send(request(id, method, params)) }
            }
            try await held.awaitWaiter()
            for round in 1...20 {
                #expect(try await shop.client.call("product.list")["items"] != nil)
                #expect(try await shop.restock(product, 1)["stock"] == .integer(Int64(50 + round)))
                #expect(try await held.waiters() <= 2)
            }
            let gate = try #require(AllMethods.byName[method]?.gate)
            let names = [gate.most, gate.perUser].compactMap { $0?.name }
            let limits = try await shop.client.call("session.hello")["limits"]
            var refused = 0
            // Dashboards wait for each other.
            for peer in flood where gate.waiting == nil {
                for _ in 0..<31 {
                    let error = try await reply(peer)["error"]
                    let which = error?["data"]?["which"]?.string ?? "lockMs"
                    // One of them may have waited for its lock in vain already.
                    guard which != "lockMs" else { continue }
                    #expect(error?["data"]?["reason"] == "RESOURCE_EXHAUSTED")
                    #expect(names.contains(which), "\(which)")
                    #expect(limits?[which] == error?["data"]?["value"])
                    #expect(error?["data"]?["retryAfterMs"]?.integer != nil)
                    refused += 1
                }
            }
            #expect(gate.waiting != nil || refused >= 110)
            for peer in flood { peer.vanish() }
            try await held.release()
            // The last of them may still be on its way out.
            while true {
                do {
                    _ = try await shop.client.call(method, params)
                    break
                } catch let error as RPCError where names.contains(error.data["which"]?.string ?? "") {
                    await Task.yield()
                }
            }
        }

        @Test func `a full pipeline of others leaves room for a modest peer`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let (wanted, other) = (try await shop.product(["stock": 100_000]), try await shop.product())
            let held = try await HeldLock(row: wanted, in: daemon)
            let flood = try (0..<4).map { _ in try daemon.lines() }
            for peer in flood {
                for id in 0..<1500 { peer.send(request(id, "order.place", shop.order(of: wanted))) }
            }
            for round in 1...30 {
                #expect(try await shop.client.call("product.get", ["productId": .integer(other)])["price"] != nil)
                #expect(try await shop.buy(other)["orderId"] != nil)
                #expect(try await shop.restock(other, 1)["stock"] == 50, "round \(round)")
            }
            for peer in flood { peer.vanish() }
            try await held.release()
        }

        /// Two peers send orders until the time that they would wait is too long; a third one still has its turn.
        @Test func `orders that would wait too long are refused at once, and the others are placed once`()
            async throws
        {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 100_000])
            var order = shop.order(of: product)
            order["_meta"] = ["timeoutMs": 60_000]
            let flood = [try daemon.lines(), try daemon.lines()]
            let held = try await HeldLock(
                "lock table customer_order in access exclusive mode",
                as: "postgres",
                in: daemon
            )
            var sent = 0
            func send(_ count: Int) {
                for _ in 0..<count {
                    flood[sent % 2].send(request(sent, "order.place", order))
                    sent += 1
                }
            }
            send(512)
            try await held.awaitWaiter()
            // By id; until the lock goes, only refusals come.
            var answers: [Int64: JSONValue] = [:]
            while answers.isEmpty {
                let peer = flood[sent % 2]
                send(1)
                let ping = Int64(1_000_000 + sent)
                peer.send(request(Int(ping), "session.ping"))
                while true {
                    let answer = try await reply(peer)
                    let id = try #require(answer["id"]?.integer)
                    if id == ping { break }
                    #expect(answer["error"] != nil, "none is placed as yet")
                    answers[id] = answer
                }
            }
            let limits = try await shop.client.call("session.hello")["limits"]
            let modest = try daemon.lines()
            modest.send(request(1, "order.place", order), request(2, "session.ping"))
            #expect(try await reply(modest)["id"] == 2)
            try await held.release()
            #expect(try await reply(modest)["result"]?["orderId"] != nil)
            for (number, peer) in flood.enumerated() {
                while answers.keys.count(where: { Int($0) % 2 == number }) < (sent + 1 - number) / 2 {
                    let answer = try await reply(peer)
                    answers[try #require(answer["id"]?.integer)] = answer
                }
            }
            var orders: Set<Int64> = []
            for answer in answers.values {
                if let placed = answer["result"]?["orderId"]?.integer {
                    #expect(orders.insert(placed).inserted)
                    continue
                }
                #expect(answer["error"]?["code"] == -32005)
                let data = try #require(answer["error"]?["data"]?.object)
                #expect(data["reason"] == "RESOURCE_EXHAUSTED" && data["which"] == "orderWaitMs")
                #expect(data["value"] == limits?["orderWaitMs"] && data["value"] != nil)
                #expect(data["outcome"] == "not_done" && data["retryable"] == true)
                #expect((10...1000).contains(try #require(data["retryAfterMs"]?.integer)))
            }
            #expect(answers.count == sent && orders.count < sent)
            #expect(try await shop.stock(product) == 100_000 - Int64(orders.count + 1))
            try await Invariants.expect(daemon)
        }

        /// A guess costs a core for a good part of a second: one at a time, and a bounded number wait.
        @Test func `passwords are checked one at a time`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let user: JSONObject = ["fullName": "G", "email": "guessed@test.example", "password": "right-enough"]
            _ = try await shop.client.call("user.create", user)
            let admin = try await daemon.database()
            let checking = Statement.int(
                "test_checking",
                """
                select count(*) from pg_stat_activity
                where state = 'active' and query like '%user_authenticate(%' and pid <> pg_backend_pid()
                """
            )
            let guessers = try (0..<8).map { _ in try daemon.lines() }
            let guess: JSONObject = [
                "email": "guessed@test.example", "password": "wrong", "_meta": ["timeoutMs": 60_000],
            ]
            for peer in guessers {
                for id in 0..<8 { peer.send(request(id, "user.authenticate", guess)) }
            }
            var most: Int64 = 0
            var reasons: [String: Int] = [:]
            for peer in guessers {
                for _ in 0..<8 {
                    most = max(
                        most,
                        try await admin.run { (session) throws(PostgresError) in try session.one(checking) }
                    )
                    let data = try await reply(peer)["error"]?["data"]
                    reasons[data?["reason"]?.string ?? "", default: 0] += 1
                    guard data?["reason"] == "RESOURCE_EXHAUSTED" else { continue }
                    #expect(data?["which"] == "waitingPasswordChecks" && data?["value"] == 16)
                }
            }
            #expect(most == 1)
            #expect(Set(reasons.keys) == ["BAD_CREDENTIALS", "RESOURCE_EXHAUSTED"])
            #expect(try #require(reasons["BAD_CREDENTIALS"]) >= 17)
            let right: JSONObject = ["email": "guessed@test.example", "password": "right-enough"]
            #expect(try await shop.client.call("user.authenticate", right)["userId"] != nil)
            await admin.close()
        }
    }
}
