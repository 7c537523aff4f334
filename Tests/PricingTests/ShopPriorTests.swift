import Foundation
import JSON
import Postgres
import PricingTestSupport
import Testing

/// What a shop's products teach each other.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct ShopPriorTests {
    /// A category of products whose limits keep them at base, 100, with ten units a day declared.
    private func category(_ shop: Shop, _ name: String, products: Int) async throws -> [Int] {
        try await shop.run(
            """
            insert into rule (name, version, strategy, status, from_shop)
            values ('shared', 1, 'learn', 'active', true), ('alone', 1, 'learn', 'active', false) on conflict do nothing;
            insert into category (name) values ('\(name)') on conflict (name) do nothing;
            """
        )
        var ids: [Int] = []
        for _ in 0..<products { ids.append(try await product(shop, name)) }
        return ids
    }

    private func product(
        _ shop: Shop,
        _ category: String,
        rule: String = "shared",
        limits: (String, String) = ("100.00", "100.00")
    ) async throws -> Int {
        let id = try await shop.value(
            """
            select product_create(jsonb_build_object('title', 'Thing', 'basePrice', '100.00', 'stock', 100000, 'refRate', 10,
                'floor', $3::text, 'ceiling', $4::text,
                'categoryId', (select category_id from category where name = $1),
                'ruleId', (select rule_id from rule where name = $2))) ->> 'productId'
            """,
            [.text(category), .text(rule), .text(limits.0), .text(limits.1)]
        )
        return try #require(Int(id))
    }

    /// The tick of a January day's midnight, after each of some products sold so many units on the day before.
    private func day(_ shop: Shop, _ number: Int, _ sold: [Int] = [], units: Int = 0) async throws {
        let buyer = try await shop.buyer()
        for product in sold {
            try await shop.run(
                """
                select order_place(jsonb_build_object('customerId', \(buyer), 'lines', jsonb_build_array(
                    jsonb_build_object('productId', \(product), 'quantity', \(units)))))
                """
            )
        }
        _ = try await shop.value(
            "select clock_set(jsonb_build_object('at', timestamptz '2030-12-31Z' + \(number) * interval '1 day'))"
        )
    }

    private func number(_ shop: Shop, _ sql: String) async throws -> Double {
        try #require(Double(try await shop.value(sql)), "\(sql)")
    }

    private func rate(_ shop: Shop, _ product: Int) async throws -> Double {
        try await number(shop, "select rate_now from inventory where product_id = \(product)")
    }

    @Test
    func `A shop that sells half of what it declared is found out, and a new product begins there`() async throws {
        try await Shop.with { shop in
            try await day(shop, 1)
            let old = try await category(shop, "Things", products: 12)
            for number in 2...15 { try await day(shop, number, old, units: 5) }
            let shift = try await number(
                shop,
                "select shift_rate from shop_prior order by at desc, category_id limit 1"
            )
            #expect((0.5...0.6).contains(exp(shift)))
            let (new, alone) = (try await product(shop, "Things"), try await product(shop, "Things", rule: "alone"))
            let share = try await number(shop, "select share from shop_prior order by at desc, category_id limit 1")
            #expect((0.8..<1).contains(share))
            #expect(abs(try await rate(shop, new) - 10 * (share * exp(shift) + 1 - share)) < 1e-9)
            #expect(abs(try await rate(shop, alone) - 10) < 1e-9)
            let why = try await shop.object("price_why", ["productId": .integer(Int64(new))])
            let text = try #require(why["text"]?.string)
            let percent = Int((100 * share).rounded())
            #expect(text.contains("\(percent) % of its category's products sell 0.5"), "\(text)")
            #expect(try await shop.rows("select kind from audit_products(array(select product_id from product))") == [])
        }
    }

    /// The log of how likely the shop's sales are under two shifts of a share of its products, worked out from the model
    /// itself: gamma rates of shape 8, log-normal elasticities of deviation 0.7 on the grid, the belief of one product's
    /// weight that nothing errs, and the share's as if one product more erred and one did not.
    private func likelihood(_ states: [[Double]], _ shifts: (rate: Double, sensitivity: Double), _ share: Double)
        -> Double
    {
        var sum = -4 * pow(shifts.rate, 2) - 0.5 * pow(shifts.sensitivity / 0.7, 2) + log(share * (1 - share))
        for state in states {
            let (shop, alone) = (likelihood(state, shifts), likelihood(state, (0, 0)))
            let most = max(shop, alone)
            sum += most + log(share * exp(shop - most) + (1 - share) * exp(alone - most))
        }
        return sum
    }

    /// That of one product's sales under two shifts.
    private func likelihood(_ state: [Double], _ shifts: (rate: Double, sensitivity: Double)) -> Double {
        let powers: [Double] = (-3...3).map { Double($0) / 2 * log(2.0) }
        let priors: [Double] = powers.map { exp(-0.5 * pow(($0 - shifts.sensitivity) / 0.7, 2)) }
        let norm = priors.reduce(0, +)
        let exposure = 8 / (10 * exp(shifts.rate))
        var terms: [Double] = []
        for (place, power) in powers.enumerated() {
            let tilt = 2 * exp(power) * state[1]
            let counts = 8 * log(exposure) - (8 + state[0]) * log(exposure + state[2 + place])
            terms.append(log(priors[place] / norm) + counts - tilt)
        }
        let most = terms.max() ?? 0
        let rest: [Double] = terms.map { exp($0 - most) }
        return most + log(rest.reduce(0, +))
    }

    @Test
    func `The shifts and their share settle where what was sold is likeliest`() async throws {
        try await Shop.with { shop in
            try await day(shop, 1)
            _ = try await category(shop, "Things", products: 0)
            var products: [Int] = []
            for _ in 0..<18 { products.append(try await product(shop, "Things", limits: ("50.00", "200.00"))) }
            let (erring, right) = (Array(products[..<12]), Array(products[12...]))
            for number in 2...6 {
                try await shop.run("update inventory set price = \(90 + 5 * number) where product_id <= \(products[6])")
                try await day(shop, number, right, units: 9)
                try await day(shop, number, erring, units: 40 - 2 * number)
            }
            try await day(shop, 7, products, units: 17)
            let states = try await shop.rows("select array_to_json(state) from learner order by product_id").map {
                try JSONParser.parse(Array($0.utf8)).numbers
            }
            let settled = try await shop.rows(
                """
                with recursive steps (n, rate, sensitivity, share) as (
                    select 0, 0::float8, 0::float8, 0.5::float8
                    union all
                    select n + 1, shift_step(rate, s[1], s[2]), shift_step(sensitivity, s[3], s[4]), s[5]
                    from steps, lateral (
                        select array[sum(b * x[1]), sum(b * x[2]), sum(b * x[3]), sum(b * x[4]),
                                     likeliest_share(array_agg(x[5]))] as s
                        from learner l, learner_says(l.state, 2, 10, rate, sensitivity, prior_moments(sensitivity),
                                                     grid_weights(l.state, 2, 10, 0, 0)) x,
                             shop_belief(share, x[5]) b) s
                    where n < 60
                )
                select unnest(array[rate, sensitivity, share]) from steps where n = 60
                """
            ).compactMap(Double.init)
            let (rate, sensitivity, share) = (settled[0], settled[1], settled[2])
            #expect(rate > 0.2)
            #expect((0.5..<0.9).contains(share))
            let best = likelihood(states, (rate, sensitivity), share)
            for step in [-0.02, 0.02] {
                #expect(best > likelihood(states, (rate + step, sensitivity), share))
                #expect(best > likelihood(states, (rate, sensitivity + step), share))
                #expect(best > likelihood(states, (rate, sensitivity), share + step))
            }
        }
    }

    @Test
    func `A day keeps its prior, a category has its own from ten products that sold, and a halved one is the shop's`()
        async throws
    {
        try await Shop.with { shop in
            try await day(shop, 1)
            let busy = try await category(shop, "Busy", products: 10)
            let calm = try await category(shop, "Calm", products: 9)
            try await day(shop, 2, busy, units: 30)
            for hour in ["06", "12"] {
                _ = try await shop.value("select clock_set('{\"at\": \"2031-01-02T\(hour):00:00Z\"}')")
            }
            let scopes =
                "select array_agg(category_id order by category_id) from shop_prior where at = "
                + "(select max(at) from shop_prior)"
            #expect(try await shop.value("select count(distinct at) from shop_prior") == "1")
            try await day(shop, 3, calm, units: 3)
            #expect(try await shop.value(scopes) == "{0,1}")
            let factors = try await shop.rows(
                """
                select share * exp(shift_rate) + 1 - share from shop_prior where at = (select max(at) from shop_prior)
                order by category_id
                """
            ).compactMap(Double.init)
            #expect(factors[1] > factors[0])
            let (here, there) = (try await product(shop, "Busy"), try await product(shop, "Calm"))
            #expect(abs(try await rate(shop, here) - 10 * factors[1]) < 1e-9)
            #expect(abs(try await rate(shop, there) - 10 * factors[0]) < 1e-9)
            try await shop.run("update product set category_id = 1 where product_id = \(there)")
            #expect(abs(try await rate(shop, there) - 10 * factors[1]) < 1e-9)
        }
    }

    @Test
    func `The history keeps what a price began with`() async throws {
        try await Shop.with { shop in
            try await day(shop, 1)
            let old = try await category(shop, "Things", products: 10)
            for number in 2...9 { try await day(shop, number, old, units: 30) }
            let new = try await product(shop, "Things", limits: ("1.00", "900.00"))
            try await shop.run("update product set base_price = 110 where product_id = \(new)")
            #expect(
                try await shop.value(
                    """
                    select (inputs ->> 'shopRate')::float8 = shift_rate
                        and (inputs ->> 'shopElasticity')::float8 = shift_elasticity
                        and (inputs ->> 'shopShare')::float8 = share
                    from price_change, (select * from shop_prior order by at desc, category_id desc limit 1) p
                    where product_id = \(new) order by sequence desc limit 1
                    """
                ) == "t"
            )
        }
    }

    @Test
    func `A product that comes back begins with what it knew, less half a year's worth a half-life`() async throws {
        try await Shop.with { shop in
            try await day(shop, 1)
            _ = try await category(shop, "Tents", products: 0)
            let tent = try await product(shop, "Tents")
            try await shop.run("update product set season_start = '2031-01-01', season_end = '2031-01-31'")
            for number in 2...31 { try await day(shop, number, [tent], units: 30) }
            let learned = try await rate(shop, tent)
            #expect(learned > 15)
            try await day(shop, 32)
            #expect(try await shop.value("select count(*) from past_season where ended_at = '2031-01-31'") == "1")
            try await day(shop, 200)
            let between = try await rate(shop, tent)
            try await shop.run("update product set season_start = '2032-01-01', season_end = '2032-01-31'")
            try await day(shop, 366)
            let next = try await rate(shop, tent)
            #expect(learned > between && between > next && next > 12)
            #expect(try await shop.value("select state[1] from learner") == "0")
            #expect(try await shop.rows("select kind from audit_products(array[\(tent)])") == [])
            // A second season teaches on top of it, and another list price is another product.
            for number in 367...370 { try await day(shop, number, [tent], units: 5) }
            #expect(try await rate(shop, tent) < next)
            try await shop.run("update product set base_price = 101, floor_price = 101, ceiling_price = 101")
            #expect(try await rate(shop, tent) < 10)
        }
    }
}
