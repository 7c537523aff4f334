import JSON
import Postgres
import PricingTestSupport
import Testing

/// A random life under rules that ask for a yes: evaluation, interval, audit, history and backtest agree all along.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct ApprovalPropertyTests {
    /// Each stock of an interval, and each stock while a move waits: the posted price stands there, with its band.
    private static let intervals = """
        select format('product %s at %s units: %s, %s proposed', i.product_id, there, v.price, v.proposed)
        from inventory i join product d using (product_id) join rule r using (rule_id)
        cross join lateral generate_series(greatest(stands_from, i.stock - 60), least(stands_to, i.stock + 60)) there
        cross join lateral evaluate_price(d, r, jsonb_populate_record(i, jsonb_build_object('stock', there)), 'stock') v
        where stands_from is not null and i.stock > 0
          and ((v.price, v.band) is distinct from (i.regular_price, i.band)
               or v.proposed is not null and not i.awaits_approval)
        """
    /// Between ticks a sale lowers no regular price and what comes back raises none.
    private static let turned = """
        select format('change %s of product %s, a %s: %s to %s', sequence, product_id, cause, old_price, new_price)
        from (select *, coalesce(new_regular, new_price) - coalesce(old_regular, old_price) as moved from price_change) c
        where cause = 'sale' and moved < 0 or cause in ('cancel', 'restock') and moved > 0
        """
    /// No move of automation is larger than its rule lets pass, but to the limits; a proposal is larger.
    private static let passed = """
        select format('change %s of product %s, a %s', sequence, product_id, cause)
        from (select c.*, r.approve_above, coalesce(new_regular, new_price) as now_is,
                     coalesce(old_regular, old_price) as was
              from price_change c join rule r using (rule_id)) c
        where cause not in ('pin', 'approval', 'campaign', 'rollback', 'initial')
          and abs(now_is - was) > approve_above * was
          and now_is not in ((inputs ->> 'floor')::numeric, (inputs ->> 'ceiling')::numeric)
        union all
        select format('proposal %s: %s to %s', proposal_id, old_price, new_price)
        from proposal join rule r using (rule_id) where abs(new_price - old_price) <= approve_above * old_price
        """

    @Test(arguments: [
        ("bands", "calm", "0.05"), ("bands", "agile", "0"), ("cover", "balanced", "0.1"), ("deadline", "agile", "0.03"),
        ("learn", "calm", "0.1"), ("markdown", "balanced", "0.2"), ("learn", "agile", "null"),
    ])
    func `In a random life`(strategy: String, preset: String, above: String) async throws {
        try await Shop.with { shop in
            var life = try await RandomLife(shop, strategy: strategy, preset: preset, above: above, seed: 11)
            for hour in 1...Int(90 * effort) {
                try await RandomLife.setHour(shop, hour)
                for _ in 1...3 { #expect(try await life.act(hour: hour) == nil) }
                #expect(try await shop.differences() == [], "hour \(hour)")
                #expect(try await shop.rows(Self.intervals) == [], "hour \(hour)")
            }
            // A halted price stays outside limits that were declared meanwhile.
            #expect(try await shop.rows(Invariants.sql).filter { !$0.hasPrefix("I7") } == [])
            #expect(try await shop.rows(Self.turned) == [])
            #expect(try await shop.rows(Self.passed) == [])
            let reply = try await shop.inSteps("rule_backtest", ["ruleId": 8])
            #expect(reply["skipped"] == [] && reply["products"] == .integer(Int64(RandomLife.products)))
            for item in try #require(reply["items"]?.array) {
                #expect(item["differences"] == 0, "\(item["productId"] ?? .null): \(item["differs"] ?? .null)")
                #expect(item["charged"] == item["actual"]?["charged"])
                #expect(item["changes"] == item["actual"]?["changes"])
            }
            let took = try #require(reply["items"]?.array?.compactMap { $0["took"]?.object })
            for kind in ["declarations", "pins", "halts", "campaigns"] {
                #expect(took.contains { $0[kind]?.integer ?? 0 > 0 }, "\(kind) never came")
            }
        }
    }

    @Test func `Under another rule the backtest names what differs`() async throws {
        try await Shop.with { shop in
            var life = try await RandomLife(shop, strategy: "bands", preset: "calm", above: "null", seed: 3)
            for hour in 1...60 {
                try await RandomLife.setHour(shop, hour)
                for _ in 1...3 { _ = try await life.act(hour: hour) }
            }
            let manual = try #require(Int64(try await shop.value("select rule_id from rule where name = 'deadline'")))
            let reply = try await shop.inSteps("rule_backtest", ["ruleId": .integer(manual)])
            let items = try #require(reply["items"]?.array)
            #expect(reply["differing"]?.integer ?? 0 > 0)
            for item in items {
                let differs = try #require(item["differs"]?.array)
                #expect(differs.isEmpty == (item["differences"] == 0))
                #expect(differs.allSatisfy { $0["price"] != $0["actual"] })
            }
            #expect(try await shop.differences() == [], "and nothing was written")
        }
    }
}
