import Foundation
import Postgres
import PricingTestSupport
import Testing

/// How often random tests run: 1 unless `PRICINGD_LONG=1` asks for the release counts.
let effort: Int64 = ProcessInfo.processInfo.environment["PRICINGD_LONG"] == "1" ? 10 : 1

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct PricePropertyTests {
    private static let seed: Int64 = 20_260_101
    private static let count: Int64 = effort > 1 ? 100_000 : 2000

    @Test(arguments: PriceProperty.all)
    func `Over random declarations, rules and stock`(_ property: PriceProperty) async throws {
        try await Shop.with { shop in
            try await shop.run(PriceProperty.functions)
            let counterexamples = try await shop.rows(
                """
                with cases as materialized (
                    select n, s.d, s.r, s.i from generate_series(1, $2::bigint) n, pg_temp.sample($1::bigint, n) s)
                select format('seed %s, case %s, %s; declaration %s rule %s inventory %s', $1, n, told, d, r, i)
                from (\(property.sql)) against join cases using (n) limit 3
                """,
                [.int(Self.seed), .int(Self.count)]
            )
            #expect(counterexamples == [])
        }
    }

    @Test
    func `The random cases reach every guard of every strategy`() async throws {
        try await Shop.with { shop in
            try await shop.run(PriceProperty.functions)
            let reached = try await shop.rows(
                """
                select concat_ws(' ', (s.r).strategy, coalesce(e.binding, 'none'))
                from generate_series(1, 6000) n, pg_temp.sample($1, n) s, evaluate_price(s.d, s.r, s.i, 'tick') e
                group by 1 order by 1
                """,
                [.int(Self.seed)]
            )
            let all = try await shop.rows(
                """
                select concat_ws(' ', name, binding)
                from strategy, unnest(array['ceiling', 'daily_cap', 'floor', 'none', 'dead_band']) binding
                where basis <> 'level' or binding <> 'dead_band'
                """
            )
            #expect(Set(reached) == Set(all))
        }
    }

    /// raw, posted, anchor, cap, floor, ceiling, band, step, offset; then limited, price, binding.
    @Test(arguments: [
        ("110, 100, 100, null, 50, 200, null, 0.01, 0", "110 110.00 none"),
        ("130, 100, 100, 0.2, 50, 200, null, 0.01, 0", "120.0 120.00 daily_cap"),
        ("70, 100, 100, 0.2, 50, 200, null, 0.01, 0", "80.0 80.00 daily_cap"),
        ("120, 100, 100, 0.2, 50, 200, null, 0.01, 0", "120 120.00 none"),
        ("130, 100, null, 0.2, 50, 200, null, 0.01, 0", "130 130.00 none"),
        ("40, 100, 100, null, 50, 200, null, 0.01, 0", "50 50.00 floor"),
        ("240, 100, 100, null, 50, 200, null, 0.01, 0", "200 200.00 ceiling"),
        // floor beats cap, floor beats ceiling
        ("100, 100, 100, 0.2, 150, 200, null, 0.01, 0", "150 150.00 floor"),
        ("100, 100, 100, null, 150, 120, null, 0.01, 0", "150 150.00 floor"),
        // the first that binds is named
        ("500, 100, 100, 0.2, 50, 110, null, 0.01, 0", "110 110.00 daily_cap"),
        // dead band: at its edge the price stays, past it it moves, outside the limits it always moves
        ("108, 100, 100, null, 50, 200, 0.08, 0.01, 0", "108 100 dead_band"),
        ("108.01, 100, 100, null, 50, 200, 0.08, 0.01, 0", "108.01 108.01 none"),
        ("100, 100, 100, null, 50, 200, 0.08, 0.01, 0", "100 100 none"),
        ("49, 45, 100, null, 50, 200, 0.5, 0.01, 0", "50 50.00 floor"),
        // 0.75 of a step is the least dead band
        ("100.75, 100, 100, null, 50, 200, 0, 1, 0", "100.75 100 dead_band"),
        ("100.76, 100, 100, null, 50, 200, 0, 1, 0", "100.76 101.00 none"),
        // rounding, half up, then the limits once more
        ("104.50, 90, 100, null, 50, 200, null, 1, 0", "104.50 105.00 none"),
        ("104.49, 90, 100, null, 50, 200, null, 1, 0.01", "104.49 104.99 none"),
        ("104.49, 90, 100, null, 50, 104.50, null, 1, 0.01", "104.49 104.50 none"),
        ("50.20, 90, 100, null, 50.20, 104, null, 1, 0", "50.20 50.20 none"),
        // below half a step to the cent, at half a step up to the first one
        ("0.30, 1, 1, null, 0.10, 2, null, 1, 0", "0.30 0.30 none"),
        ("0.50, 1, 1, null, 0.10, 2, null, 1, 0", "0.50 1.00 none"),
        ("10, 9, 10, null, 5, 20, null, 50, 0", "10 10.00 none"),
    ])
    func `The guards, one by one`(arguments: String, expected: String) async throws {
        try await Shop.with { shop in
            let got = try await shop.value(
                "select concat_ws(' ', limited, price, coalesce(binding, 'none')) from apply_guards(\(arguments))"
            )
            #expect(got == expected)
        }
    }

    @Test
    func `The limits: cost with its margin rounds up to a cent`() async throws {
        try await Shop.with { shop in
            let lowest = try await shop.rows(
                """
                select price_floor(f, c, m)::numeric(12, 2) from (values (5.00, null, 0.5), (5.00, 4.99, 0),
                    (5.00, 5.01, 0), (5.00, 4.99, 0.1), (0.01, 3.33, 0.3333)) v (f, c, m)
                """
            )
            #expect(lowest == ["5.00", "5.00", "5.01", "5.49", "4.44"])
        }
    }

    @Test
    func `P5: rows updated a hundred times with the same stock change nothing`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 8)
            let before = try await shop.rows(everything)
            try await shop.run(
                """
                do $$ begin
                    for n in 1..100 loop
                        update inventory set stock = stock where product_id = \(product);
                        update inventory set cause = row('adjust', null, '', null)::movement_cause
                        where product_id = \(product);
                    end loop;
                end $$
                """
            )
            #expect(try await shop.rows(everything) == before)
        }
    }
}
