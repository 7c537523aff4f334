import JSON
import JSONRPC
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// What cannot be done for one product: told where operators look, and refused where a call names it.
    @Suite
    struct FailingProductTests {
        @Test func `one that cannot be priced is named everywhere until it can`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let bad = try await shop.product()
            let good = try await shop.product()
            let halted: JSONObject = ["scope": "all", "reason": "count"]
            _ = try await shop.client.call("pricing.halt", halted)
            for product in [bad, good] { _ = try await shop.buy(product, 45) }
            let status = try await shop.client.call("server.status")["automation"]
            #expect(status?["halted"] == true)
            #expect(status?["halts"]?.array?.map { $0["reason"] } == ["count"])
            #expect(status?["breaker"]?["tripped"] == false)
            #expect(status?["lastTick"]?.string?.hasSuffix("Z") == true, "the daemon ticked when it started")

            let owner = try await daemon.psql(as: "postgres")
            try await owner.run(
                """
                create function poison() returns trigger language plpgsql as
                $$ begin if new.product_id = \(bad) then raise numeric_value_out_of_range; end if; return new; end $$;
                create trigger a_poison before update on inventory for each row execute function poison()
                """
            )
            let watcher = try await daemon.client()
            _ = try await watcher.call("events.subscribe", ["topics": ["automation"]])
            let resumed = try await shop.client.call("pricing.resume", halted)
            #expect(resumed["skipped"]?.array?.map { $0["productId"] } == [.integer(bad)])
            #expect(resumed["evaluated"] == 1)
            #expect(try await shop.price(good) == "110.00")
            let automation = try await shop.client.call("server.status")["automation"]
            #expect(automation?["halted"] == false)
            let failing = try #require(automation?["failing"]?.array?.first)
            #expect(failing["productId"] == .integer(bad))
            #expect(failing["reason"]?.string?.hasPrefix("22003") == true)
            #expect(try await failingProducts(shop) == 1)

            try await owner.run("drop trigger a_poison on inventory; drop function poison()")
            var ops: [String] = []
            for await event in watcher.notifications where event.method == "events.event" {
                guard let op = event.params["op"]?.string else { continue }
                if op == "failing" || op == "recovered" { #expect(event.params["key"] == .integer(bad)) }
                ops.append(op)
                if op == "recovered" { break }
            }
            #expect(ops == ["resume", "failing", "recovered"])
            #expect(try await shop.price(bad) == "110.00", "tried again by itself")
            #expect(try await shop.client.call("server.status")["automation"]?["failing"] == [])
            #expect(try await failingProducts(shop) == 0)
            try await Invariants.expect(daemon)
            await watcher.close()
        }

        private func failingProducts(_ shop: ShopClient) async throws -> Double? {
            let text = try #require(try await shop.client.call("server.metrics")["text"]?.string)
            return try PrometheusText(text).values["pricingd_failing_products"]
        }

        /// A change of nothing is refused, and all of it: what the call names besides stays as it was.
        @Test func `what is named must be there`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let open = try await shop.product()
            let archived = try await shop.product()
            _ = try await shop.client.call("product.archive", ["productId": .integer(archived)])
            let rule = try await shop.client.call(
                "rule.create",
                ["name": .string("bolder \(ShopClient.unique())"), "strategy": "bands"]
            )
            let ruleId = try #require(rule["ruleId"])
            let none: JSONValue = 999_999_999
            for (named, reason) in [(none, "PRODUCT_NOT_FOUND"), (.integer(archived), "PRODUCT_ARCHIVED")] {
                let refusal = try await shop.client.refusal(
                    "rule.activate",
                    ["ruleId": ruleId, "productIds": [.integer(open), named]]
                )
                #expect(refusal.reason == reason)
                #expect(refusal.data["productId"] == named)
            }
            #expect(try await shop.get(open)["ruleId"] != ruleId)
            #expect(try await shop.client.call("rule.get", ["ruleId": ruleId])["status"] == "draft")
            let refusals: [(method: String, params: JSONObject, reason: String)] = [
                ("rule.activate", ["ruleId": ruleId, "categoryId": none], "CATEGORY_NOT_FOUND"),
                ("rule.backtest", ["ruleId": ruleId, "productIds": [none]], "PRODUCT_NOT_FOUND"),
                ("rule.backtest", ["ruleId": ruleId, "categoryId": none], "CATEGORY_NOT_FOUND"),
                ("supplier.update", ["supplierId": none, "address": "x"], "SUPPLIER_NOT_FOUND"),
                ("supplier.delete", ["supplierId": none], "SUPPLIER_NOT_FOUND"),
                ("pricing.halt", ["categoryId": none, "reason": "x"], "CATEGORY_NOT_FOUND"),
                ("pricing.resume", ["productId": none, "reason": "x"], "PRODUCT_NOT_FOUND"),
                ("price.unpin", ["productId": .integer(archived)], "PRODUCT_ARCHIVED"),
            ]
            for (method, params, reason) in refusals {
                #expect(try await shop.client.refusal(method, params).reason == reason, "\(method)")
            }
        }
    }
}
