import JSON
import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct LabOptimumTests {
    private static let names = (try? Golden.scenarios().compactMap { $0.scenario["name"]?.string }) ?? []

    @Test(arguments: names)
    func `The optimum and the best fixed price of the public scenarios`(name: String) async throws {
        let columns = try #require(try Golden.scenarios().first { $0.columns["name"] == name }?.columns)
        try await Shop.with { shop in
            let found = try await shop.value(
                """
                select concat_ws(' ', lab_optimum(s), best_fixed_price(s), fixed_price_worth(s, best_fixed_price(s)))
                from parse_scenario($1::jsonb) s
                """,
                [.text(try Golden.scenario(name))]
            ).split(separator: " ").compactMap { Double($0) }
            let optimum = try #require(columns["optimum"].flatMap { Double($0) })
            let price = try #require(columns["best_fixed_price"].flatMap { Double($0) })
            #expect(abs(found[0] / optimum - 1) < 0.003)
            #expect(abs(found[1] / price - 1) < 0.001)
            #expect(found[2] < found[0] * 1.000_1, "one price cannot beat the best of all")
        }
    }

    /// Three standard errors, and 0.006 as the file's own shares have the optimum's noise taken out.
    @Test(arguments: names)
    func `Shares beside those that were measured elsewhere; none is above the optimum`(name: String) async throws {
        let (scenario, columns) = try #require(try Golden.scenarios().first { $0.columns["name"] == name })
        let policies = [
            "fixed_at_base", "best_fixed_oracle", "original_rule_10_20_80", "bands_10_20_80", "bands_20_25_75",
            "days_of_cover_bands", "deadline_calm", "learn_calm", "learn_cold_calm",
        ]
        let request: JSONObject = [
            "scenario": .object(scenario), "policies": .array(policies.map { .string($0) }), "first": 0,
            "count": .integer(40 * effort),
        ]
        try await Shop.with { shop in
            let rows = try JSONParser.parse(
                Array(
                    try await shop.value(
                        "select lab_rows($1::jsonb || jsonb_build_object('sums', lab_seasons($1::jsonb)))",
                        [.json(request.serialized())]
                    ).utf8
                )
            )
            #expect(rows.array?.count == policies.count)
            for (row, policy) in zip(rows.array ?? [], policies) {
                let share = try #require(row["share"]?.number)
                let error = try #require(row["ci95"]?.number) / 1.96
                let measured = try #require(columns["share_\(policy)"].flatMap { Double($0) })
                #expect(abs(share - measured) <= 3 * error + 0.006, "\(policy): \(share), elsewhere \(measured)")
                #expect(share <= 1 + 3 * error, "\(policy) beats the optimum")
            }
        }
    }

    @Test
    func `A season's integral is the sum of its moments, whatever its factors`() async throws {
        try await Shop.with { shop in
            let wrong = try await shop.rows(
                """
                with seasons as (
                    select season, parse_season('season_true', season, 30) as f from unnest(array['1', 'ramp(0.4,1.6)',
                        'weekly(0.5,2)', 'steps(3.3:0.4,10:2)', 'ramp(2, 0) * weekly(0.3,-1)*steps(7.77:0)*weekly(0.1,3)'])
                        season),
                cuts as (select * from seasons, (values (0::float8, 30::float8), (1.23, 1.234), (3, 12.5), (7, 7)) c (a, b))
                select format('%s from %s to %s', season, a, b) from cuts
                where abs(season_integral(f, a, b) - (select sum(season_at(f, a + (b - a) * (i + 0.5) / 4000)) * (b - a) / 4000
                                                      from generate_series(0, 3999) i)) > 2e-3 * (b - a)
                   or abs(season_integral(f, a, b) - season_integral(f, a, (a + b) / 2)
                          - season_integral(f, (a + b) / 2, b)) > 1e-12
                """
            )
            #expect(wrong == [])
            let week = try await shop.value("select season_integral(parse_season('', 'weekly(0.5,1)', 7), 0, 7)")
            #expect(abs(try #require(Double(week)) - 7) < 1e-12)
        }
    }

    @Test
    func `The share that pays a price is the share whose limit is above it`() async throws {
        try await Shop.with { shop in
            let wrong = try await shop.rows(
                """
                select format('%s at %s', d, u) from unnest(array['exponential(40)', 'exponential_decay(40,0.03)',
                    'linear(100)', 'logit(60,10)', 'isoelastic(20,1.7)']) d, unnest(array[0.001, 0.2, 0.5, 0.93]::float8[]) u,
                    parse_demand(d) f
                where abs(share_willing(f, willing_to_pay(f, u, 4), 4)
                          - case when f[1] in (2, 3) then 1 - u else u end) > 1e-12
                """
            )
            #expect(wrong == [])
        }
    }

    @Test(arguments: [
        (#"{"demand": "gauss(1,2)"}"#, "learn_calm"), (#"{"demand": "linear(-3)"}"#, "learn_calm"),
        (#"{"season_true": "ramp(1)"}"#, "learn_calm"), (#"{"season_believed": "steps(0:0)"}"#, "learn_calm"),
        (#"{"customers_per_day": 1e6}"#, "learn_calm"), ("{}", "learn_hot"), ("{}", "bands_10_20"),
    ])
    func `What makes no sense is refused as the caller's value`(change: String, policy: String) async throws {
        let scenario = try Golden.scenario("A_scarce")
        try await Shop.with { shop in
            let prepare = """
                select lab_prepare(jsonb_build_object('scenario', '\(scenario)'::jsonb || '\(change)',
                                                      'policies', array['\(policy)']))
                """
            #expect(await shop.refusal(prepare)?.sqlState == SQLState("PR602"))
        }
    }
}
