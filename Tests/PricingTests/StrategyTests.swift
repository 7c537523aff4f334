import Postgres
import Pricing
import PricingProtocol
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct StrategyTests {
    /// The published values of the closed form: stock, then the price for D = 34.3805, base 50, elasticity 1.25, v = 0.
    @Test(arguments: [
        (1, 192.395567), (2, 164.689301), (5, 128.101786), (10, 100.503971), (25, 64.521039), (44, 44.795007),
        (80, 40.000015),
    ])
    func `deadline gives the closed form`(stock: Int, price: Double) async throws {
        try await Shop.with { shop in
            let given = try await shop.value("select strategy_deadline(\(stock), 34.3805::float8, 50::float8, 1.25, 0)")
            let computed = try #require(Double(given))
            #expect(abs(computed - price) < 1e-6)
        }
    }

    @Test
    func `Erlang's loss formula: the fast recursion equals the plain sum`() async throws {
        try await Shop.with { shop in
            let wrong = try await shop.rows(
                """
                with plain as (
                    select n, m, (select sum(exp(k * ln(m) - lgamma - n * ln(m) + top)) from (
                               select k, (select coalesce(sum(ln(j)), 0) from generate_series(1, k) j) as lgamma,
                                      (select coalesce(sum(ln(j)), 0) from generate_series(1, n) j) as top
                               from generate_series(0, n) k) terms) as reciprocal
                    from unnest(array[1, 2, 7, 30, 60]) n, unnest(array[0.01, 0.9, 6.5, 45, 160, 2000]::float8[]) m)
                select format('n %s m %s: %s, plain %s', n, m, erlang_share(n, m), 1 - 1 / reciprocal)
                from plain where abs(erlang_share(n, m) - (1 - 1 / reciprocal)) > 1e-9
                """
            )
            #expect(wrong == [])
            let extremes = try await shop.value(
                "select concat_ws(' ', erlang_share(2000000000, 6e20), erlang_share(5, 0), erlang_share(1000000, 1000))"
            )
            #expect(extremes == "3.333333333333333e-12 1 1")
        }
    }

    @Test
    func `A season's weights sum over any cut of it; outside it nothing weighs`() async throws {
        try await Shop.with { shop in
            let wrong = try await shop.rows(
                """
                with seasons as (
                    select n, array(select 0.1 + random_unit(3, 1, n * 100 + k) from generate_series(1, 1 + n % 9) k) as w,
                           timestamptz '2031-03-01Z' as starts, timestamptz '2031-03-01Z' + n * interval '7 hours' as ends
                    from generate_series(1, 200) n),
                cut as (
                    select *, starts - interval '1 day' as before, ends + interval '1 day' as after,
                           starts + random_unit(3, 2, n) * (ends - starts) as middle from seasons)
                select format('season %s', n) from cut
                where abs(season_weight(w, starts, ends, before, middle) + season_weight(w, starts, ends, middle, after)
                          - days_between(starts, ends) * (select avg(x) from unnest(w) x)) > 1e-9
                   or season_weight(w, starts, ends, ends, after) <> 0
                   or abs(season_weight(null, starts, ends, before, after) - days_between(starts, ends)) > 1e-9
                """
            )
            #expect(wrong == [])
        }
    }

    @Test
    func `restock: no order open, cost and its best margin; on its way, dearer until it arrives and closes`()
        async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 4)
            try await shop.setDay(0)
            try await shop.run(
                """
                update product set rule_id = (select rule_id from rule where name = 'restock'), unit_cost = 40,
                    ref_rate = 1 where product_id = \(product)
                """
            )
            #expect(try await shop.price(product) == "90.00", "cost 40 and base 100 over elasticity 2")
            let expected = try await shop.value(
                "select inventory_expect('{\"productId\": \(product), \"quantity\": 50, \"eta\": \"2031-04-01T00:00:00Z\"}') ->> 'expectationId'"
            )
            try await shop.setDay(1)
            let waiting = try #require(Double(try await shop.price(product)))
            #expect(waiting > 100, "four units for weeks")
            try await shop.run(
                "select inventory_restock('{\"productId\": \(product), \"quantity\": 50, \"expectationId\": \(expected)}')"
            )
            for day in 2...5 { try await shop.setDay(day) }
            #expect(try await shop.price(product) == "90.00")
            #expect(try await shop.value("select count(*) from expectation where closed_at is null") == "0")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test(arguments: Strategies.names)
    func `Stock below zero breaks the stock's own constraint under every strategy`(strategy: String) async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 4, rule: strategy)
            let refusal = await shop.outcome("update inventory set stock = -1 where product_id = \(product)")
            #expect(refusal?.constraint == "inventory_held_range", "\(String(describing: refusal))")
        }
    }
}
