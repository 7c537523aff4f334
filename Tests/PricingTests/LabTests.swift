import JSON
import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct LabTests {
    /// A query's only value as JSON.
    private func json(_ shop: Shop, _ sql: String, _ bindings: [Binding] = []) async throws -> JSONValue {
        try JSONParser.parse(Array(try await shop.value(sql, bindings).utf8))
    }

    @Test(arguments: [0, 1])
    func `The random stream, to the last bit`(season: Int) async throws {
        let golden = try Golden.value("rng seed=101 rep=\(season) k=0..5").array?.compactMap(\.string)
        try await Shop.with { shop in
            let units = try await shop.rows(
                """
                select stream_unit(sum64(stream_start(101, \(season)), product64(k + 1, -7046029254386353131)))
                from generate_series(0, 5) k
                """
            )
            #expect(units == golden)
        }
    }

    @Test(arguments: ["A_scarce", "E_logit", "F_linear", "G_season"])
    func `A season's customers`(name: String) async throws {
        let golden = try Golden.value("\(name) rep0 customers")
        try await Shop.with { shop in
            let drawn = try await json(
                shop,
                """
                select json_build_object('count', cardinality(times), 'sum_t', (select sum(t) from unnest(times) t),
                    'sum_v', (select sum(w) from unnest(willing) w), 'times', times[1:5], 'willing', willing[1:5])
                from parse_scenario($1::jsonb) s, draw_customers(s, 0)
                """,
                [.text(try Golden.scenario(name))]
            )
            #expect(drawn["count"] == golden["count"])
            for sum in ["sum_t", "sum_v"] {
                #expect(abs(try #require(drawn[sum]?.number) - (golden[sum]?.number ?? 0)) < 1e-6)
            }
            let first = try #require(golden["first5"]?.array)
            #expect(first.count == 5)
            for (index, customer) in first.enumerated() {
                #expect(abs((drawn["times"]?.numbers[index] ?? 0) - customer.numbers[0]) < 1e-9)
                #expect(abs((drawn["willing"]?.numbers[index] ?? 0) - customer.numbers[1]) < 1e-9)
            }
        }
    }

    /// A golden entry and the policy that it is of.
    @Test(
        arguments: ["A_scarce", "E_logit", "F_linear", "G_season"],
        [
            ("fixed price", "fixed_at_base"), ("seed compound", "original_rule_10_20_80"),
            ("level", "bands_10_20_80"), ("learn calm", "learn_calm"),
        ]
    )
    func `Seasons under each policy, one by one and in the mean of 200`(
        name: String,
        policy: (entry: String, name: String)
    ) async throws {
        let base = ["A_scarce": "50.0", "E_logit": "60.0", "F_linear": "55.0", "G_season": "50.0"][name] ?? ""
        let entry =
            switch policy.entry {
            case "fixed price": "\(name) fixed price \(base): revenue rep0..9, mean of reps 0..199"
            case "learn calm": "\(name) learn calm: revenue rep0..4, mean 0..199, mean changes"
            default: "\(name) \(policy.entry) 10% 20/80: revenue rep0..4, mean 0..199"
            }
        let golden = try Golden.value(entry).array
        try await Shop.with { shop in
            let scenario = Binding.text(try Golden.scenario(name))
            let single = try await json(
                shop,
                """
                select json_agg(o.value order by number)
                from parse_scenario($1::jsonb) s, parse_policy($2) q, generate_series(0, $3::bigint - 1) number,
                     draw_customers(s, number) c, sell_season(s, q, c.times, c.willing, false) o
                """,
                [scenario, .text(policy.name), .int(Int64(try #require(golden?[0].numbers.count)))]
            )
            for (value, expected) in zip(single.numbers, golden?[0].numbers ?? []) {
                #expect(abs(value - expected) < 1e-4)
            }
            let sums = try await json(
                shop,
                """
                select lab_seasons(jsonb_build_object('scenario', $1::jsonb, 'policies', array[$2::text], 'first', 0,
                                                      'count', 200)) -> 0
                """,
                [scenario, .text(policy.name)]
            )
            let mean = try #require(sums["value"]?.number) / 200
            #expect(abs(mean - (golden?[1].number ?? 0)) < 1e-4)
            if let changes = golden?.dropFirst(2).first?.number {
                #expect(abs(try #require(sums["changes"]?.number) / 200 - changes) < 1e-9)
            }
        }
    }

    @Test
    func `A whole path, row for row`() async throws {
        let golden = try #require(
            try Golden.value("A_scarce rep0 learn calm path [cause,t,posted price,eps_hat,rate_hat]").array
        )
        let outcome = try Golden.value("A_scarce rep0 learn calm")
        try await Shop.with { shop in
            let season = try await json(
                shop,
                """
                select row_to_json(o) from parse_scenario($1::jsonb) s, parse_policy('learn_calm') q, draw_customers(s, 0) c,
                     sell_season(s, q, c.times, c.willing, true) o
                """,
                [.text(try Golden.scenario("A_scarce"))]
            )
            let path = try #require(season["path"]?.array)
            #expect(path.count == golden.count && path.count == 143)
            for (row, expected) in zip(path, golden) {
                #expect(row["cause"] == expected.array?[0])
                for (member, place) in [("t", 1), ("price", 2), ("elasticity", 3), ("rate", 4)] {
                    let difference = (row[member]?.number ?? .nan) - (expected.array?[place].number ?? .nan)
                    #expect(abs(difference) < 1e-6, "\(member) of \(row)")
                }
            }
            #expect(season["value"]?.number == outcome["revenue"]?.number)
            #expect(season["left_over"] == outcome["left"])
            #expect(season["changes"] == outcome["changes"])
        }
    }

    @Test
    func `The closed form`() async throws {
        let prices = try #require(
            try Golden.value("price_deadline(stock,d=34.3805,base=50,elast=1.25,v=0)").object
        )
        try await Shop.with { shop in
            #expect(prices.count == 7)
            for stock in prices.keys {
                let given = try await shop.value(
                    "select strategy_deadline(\(stock), 34.3805::float8, 50::float8, 1.25, 0)"
                )
                #expect(abs(try #require(Double(given)) - (prices[stock]?.number ?? 0)) < 1e-6)
            }
        }
    }
}
