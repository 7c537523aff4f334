import JSON
import Postgres
import PricingClient
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct BacktestTests {
    private static let season = """
        update product set season_start = timestamptz '2031-01-01 00:00Z', season_end = timestamptz '2031-01-15 00:00Z',
            unit_cost = 20
        """

    /// Ten days of random sales, cancellations, deliveries and corrections of three products under one rule, with every
    /// tick at its time.
    private func live(_ shop: Shop, strategy: String, preset: String, seed: UInt64) async throws {
        let start = "timestamptz '2031-01-01 00:00Z'"
        func set(_ hour: Int) async throws {
            _ = try await shop.value(
                "select clock_set(jsonb_build_object('at', \(start) + \(hour) * interval '1 hour'))"
            )
        }
        try await set(0)
        let rule = try await shop.value(
            "select rule_create('{\"name\": \"tried\", \"strategy\": \"\(strategy)\", \"preset\": \"\(preset)\"}') ->> 'ruleId'"
        )
        _ = try await shop.value("select rule_activate('{\"ruleId\": \(rule)}')")
        var products: [Int] = []
        for number in 1...3 {
            let product = try await shop.product(base: "\(number * 40)", stock: 0, rule: "tried")
            try await shop.run("\(Self.season) where product_id = \(product)")
            try await shop.run(
                "update inventory set stock = \(30 * number), cause.kind = 'initial' where product_id = \(product)"
            )
            products.append(product)
        }
        let buyer = try await shop.buyer()
        var random = SplitMix64(seed: seed)
        for hour in 1..<240 {
            try await set(hour)
            guard random.oneIn(2) else { continue }
            let product = products[random.number(0...2)]
            switch random.number(1...10) {
            case 1:
                _ = await shop.outcome("select inventory_restock('{\"productId\": \(product), \"quantity\": 40}')")
            case 2: _ = await shop.outcome("select inventory_adjust('{\"productId\": \(product), \"quantity\": -3}')")
            case 3:
                _ = await shop.outcome(
                    "select order_cancel(jsonb_build_object('orderId', (select max(order_id) from customer_order)))"
                )
            default: _ = await shop.outcome(place(buyer, [(product, random.number(1...4))]))
            }
        }
    }

    @Test(arguments: [
        "bands calm", "cover balanced", "deadline calm", "learn calm", "learn agile", "markdown balanced",
        "restock agile",
    ])
    func `Under the rule that was in force it gives the very path that was`(name: String) async throws {
        let words = name.split(separator: " ").map(String.init)
        try await Shop.with { shop in
            try await live(shop, strategy: words[0], preset: words[1], seed: 5)
            let rule = try #require(Int(try await shop.value("select max(rule_id) from rule")))
            let reply = try await shop.inSteps("rule_backtest", ["ruleId": .integer(Int64(rule))])
            #expect(reply["products"] == 3)
            for item in try #require(reply["items"]?.array) {
                let actual = try #require(item["actual"])
                for member in ["path", "changes", "reversals", "limitHits", "lastPrice", "charged"] {
                    #expect(item[member] == actual[member], "\(name), product \(item["productId"] ?? .null): \(member)")
                }
            }
            let changes = try #require(reply["totals"]?["changes"]?.integer)
            // Without goods on their way restock's price stands.
            #expect(words[0] == "restock" ? changes == 0 : changes > 1, "\(name)")
            let made = try await shop.value("select count(*) from price_change where cause <> 'declaration'")
            #expect(Int64(made) == changes)
        }
    }

    @Test
    func `Under another rule it says what would have been charged for the same units`() async throws {
        try await Shop.with { shop in
            try await live(shop, strategy: "bands", preset: "calm", seed: 6)
            let manual = try #require(Int(try await shop.value("select rule_id from rule where strategy = 'manual'")))
            let reply = try await shop.inSteps("rule_backtest", ["ruleId": .integer(Int64(manual)), "limit": 2])
            #expect(reply["items"]?.array?.count == 2)
            #expect(reply["totals"]?["changes"] == 0)
            let atBase = """
                select sum(l.quantity * d.base_price)::numeric(14, 2) from order_line l join product d using (product_id)
                join customer_order o using (order_id) where o.status <> 'cancelled'
                """
            let asked = try await shop.value(atBase)
            #expect(reply["totals"]?["charged"]?.string == asked)
            let charged = "select sum(total) from customer_order where status <> 'cancelled'"
            let paid = try await shop.value(charged)
            #expect(reply["totals"]?["actual"]?["charged"]?.string == paid)
            #expect(try await shop.differences() == [], "and nothing was written")
        }
    }

    @Test
    func `A part of the time, of the products; a period that ends before it begins is refused`() async throws {
        try await Shop.with { shop in
            try await live(shop, strategy: "bands", preset: "calm", seed: 7)
            let params: JSONObject = [
                "ruleId": 1, "from": "2031-01-04T00:00:00Z", "to": "2031-01-06T00:00:00Z", "productIds": [1, 3],
            ]
            let reply = try await shop.inSteps("rule_backtest", params)
            #expect(reply["products"] == 2)
            #expect(reply["items"]?.array?.compactMap { $0["productId"]?.integer } == [1, 3])
            for item in reply["items"]?.array ?? [] {
                for step in (item["path"]?.array ?? []) + (item["actual"]?["path"]?.array ?? []) {
                    let at = try #require(step["at"]?.string)
                    #expect(at >= "2031-01-04" && at <= "2031-01-06T00:00:00.000Z")
                }
            }
            let refusal = await shop.refusal(
                "select rule_backtest('{\"ruleId\": 1, \"from\": \"2031-01-04T00:00:00Z\", \"to\": \"2031-01-03T00:00:00Z\"}')"
            )
            #expect(refusal?.sqlState?.code == "PR602")
        }
    }
}
