import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// Audit, lint and backtest over the socket. Its own daemon, since rows are tampered with here.
    @Suite
    struct ProofTests {
        private static let daemon = Task { try await TestDaemon.start() }

        @Test func `what was tampered with is named and repaired`() async throws {
            let daemon = try await Self.daemon.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            try await shop.buy(product, 45)
            #expect(try await shop.client.call("audit.verify")["total"] == 0)
            let database = try await daemon.database()
            _ = try await database.text(
                """
                with off as materialized (select set_config('session_replication_role', 'replica', false))
                select count(*)::text from off
                """
            )
            _ = try await database.text(
                "with t as (update inventory set stock = stock + 2 where product_id = \(product) returning 1) select count(*)::text from t"
            )
            await database.close()

            let found = try await shop.client.call("audit.verify")
            #expect(found["total"] == 1)
            let difference = try #require(found["differences"]?.array?.first)
            #expect(difference["kind"] == "stock.sum")
            #expect(difference["productId"] == .integer(product))
            #expect(difference["expected"] == "5")
            #expect(difference["found"] == "7")

            #expect(try await shop.client.call("audit.repair")["applied"] == false)
            let rehearsal = try await shop.client.call("audit.repair", ["apply": true, "_meta": ["dryRun": true]])
            #expect(rehearsal["repairable"] == 1)
            #expect(try await shop.stock(product) == 7, "neither way of asking first changes anything")
            _ = try await shop.client.call("audit.repair", ["apply": true, "reason": "counted"])
            #expect(try await shop.stock(product) == 5)
            #expect(try await shop.client.call("audit.verify")["total"] == 0)
            let events = try await shop.all("events.list", ["topics": ["automation"]])
            #expect(events.last?["op"] == "repair")
            #expect(events.last?["cause"]?["reason"] == "counted")
        }

        @Test func `the original rule is refused with its walk`() async throws {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            let rule: JSONObject = ["strategy": "bands", "parameters": ["basis": "current"]]
            let lint = try await shop.client.call("rule.lint", rule)
            #expect(lint["ok"] == false)
            let codes = lint["findings"]?.array?.compactMap { $0["code"]?.string } ?? []
            #expect(Set(codes).isSuperset(of: ["RATCHET_DOWN", "RUNAWAY_UP", "RUNAWAY_DOWN"]))
            var create = rule
            create["name"] = .string("original \(ShopClient.unique())")
            let refusal = try await shop.client.refusal("rule.create", create)
            #expect(refusal.reason == "RULE_INVALID")
            #expect(refusal.data["counterexample"]?["trace"]?.array?.isEmpty == false)
            #expect(refusal.data["violations"]?.array?.count == 3)
        }

        @Test func `a backtest of the rule in force gives the path that was`() async throws {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            let product = try await shop.product()
            try await shop.buy(product, 42)
            let reply = try await shop.client.call("rule.backtest", ["ruleId": 1, "productIds": [.integer(product)]])
            let item = try #require(reply["items"]?.array?.first)
            #expect(item["changes"] == 1)
            #expect(item["path"] == item["actual"]?["path"])
            #expect(item["charged"] == "4200.00")
        }

        @Test func `an audit tells how far it is`() async throws {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            let product = try await shop.product()
            try await shop.buy(product)
            let reply = try await shop.client.call("audit.verify", ["_meta": ["progressToken": "far"]])
            await shop.client.close()
            var steps: [JSONObject] = []
            for await note in shop.client.notifications where note.method == "$/progress" { steps.append(note.params) }
            #expect(steps.map { $0["message"] } == ["products", "orders"])
            #expect(steps.allSatisfy { $0["token"] == "far" })
            let checked = try #require(reply["checked"])
            let all = (checked["products"]?.integer ?? 0) + (checked["orders"]?.integer ?? 0)
            #expect(steps.last?["done"]?.integer == all)
            #expect(steps.last?["total"]?.integer == all)
        }
    }
}
