import Foundation
import JSON
import Postgres
import PricingTestSupport
import Testing

/// The learner over ledgers: what is folded when, and what undoes it.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct LearnerFoldTests {
    /// What a state keeps of itself over a day.
    private static let day = pow(0.5, 1.0 / 21)

    /// A product that dead bands keep at its price, so that an order moves none: base 100, ten units a day expected.
    private func product(_ shop: Shop, _ more: String = "{}", rule: String = "learn still") async throws -> Int {
        try await shop.run(
            """
            insert into category (name) values ('Things') on conflict (name) do nothing;
            insert into rule (name, version, strategy, status, band_tick, band_stock, from_shop)
            values ('learn still', 1, 'learn', 'active', 1, 1, false), ('still', 1, 'cover', 'active', 1, 1, false)
            on conflict do nothing;
            """
        )
        let id = try await shop.value(
            """
            select product_create(jsonb_build_object('title', 'Thing', 'categoryId', 1, 'basePrice', '100.00', 'stock', 1000,
                'refRate', 10, 'ruleId', (select rule_id from rule where name = $2)) || $1::jsonb) ->> 'productId'
            """,
            [.text(more), .text(rule)]
        )
        return try #require(Int(id))
    }

    @discardableResult
    private func order(_ shop: Shop, _ product: Int, _ units: Int) async throws -> Int {
        let buyer = try await shop.buyer()
        let id = try await shop.value(
            """
            select order_place(jsonb_build_object('customerId', \(buyer), 'lines', jsonb_build_array(
                jsonb_build_object('productId', \(product), 'quantity', \(units))))) ->> 'orderId'
            """
        )
        return try #require(Int(id))
    }

    /// The tick of the midnight that a day of January 2031 begins with; a daily tick folds as one made anew does.
    private func midnight(_ shop: Shop, _ day: Int) async throws {
        _ = try await shop.value(
            "select clock_set(jsonb_build_object('at', timestamptz '2030-12-31Z' + \(day) * interval '1 day'))"
        )
    }

    private func cancel(_ shop: Shop, _ order: Int) async throws {
        _ = try await shop.value("select order_cancel('{\"orderId\": \(order)}')")
    }

    private func follow(_ shop: Shop, _ product: Int, _ rule: String) async throws {
        try await shop.run(
            "update product set rule_id = (select rule_id from rule where name = '\(rule)') where product_id = \(product)"
        )
    }

    private func units(_ shop: Shop, _ product: Int) async throws -> Double {
        try #require(Double(try await shop.value("select state[1] from learner where product_id = \(product)")))
    }

    private func rate(_ shop: Shop, _ product: Int) async throws -> Double {
        try #require(Double(try await shop.value("select rate_now from inventory where product_id = \(product)")))
    }

    /// Asserts that two products have the same state and estimates, and that no audit finds anything.
    private func expectTwins(_ shop: Shop, _ one: Int, _ other: Int, _ why: Comment) async throws {
        let apart = try await shop.rows(
            """
            select concat(a.state, ' ', b.state) from learner a, learner b, inventory i, inventory j
            where a.product_id = \(one) and b.product_id = \(other) and i.product_id = \(one) and j.product_id = \(other)
              and not (select bool_and(is_near(x, y)) from unnest(a.state || array[i.elasticity_now, i.rate_now]::float8[],
                                                                  b.state || array[j.elasticity_now, j.rate_now]::float8[]) u (x, y))
            """
        )
        #expect(apart == [], why)
        #expect(try await shop.rows("select kind from audit_products(array[\(one), \(other)])") == [], why)
    }

    @Test
    func `A tick of many products in one transaction takes no more locks than the server has room for`() async throws {
        try await Shop.with { shop in
            try await shop.run(
                """
                insert into category (name) values ('Things');
                insert into product (title, category_id, base_price, floor_price, ceiling_price, rule_id)
                select 'Thing', 1, 100, 50, 200, (select rule_id from rule where name = 'learn' and status = 'active')
                from generate_series(1, 1500);
                update inventory set stock = 50, cause.kind = 'initial';
                """
            )
            #expect(
                try await shop.rows(
                    """
                    select count(*) <= 1030 from (select clock_set('{"at": "2031-01-02T00:00:00Z"}') offset 0) tick,
                           lateral (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
                                    and tick is not null) held
                    """
                ) == ["t"]
            )
            #expect(try await shop.value("select count(*) from learner where state is not null") == "1500")
        }
    }

    @Test
    func `A sale, a cancellation and a restock leave the learner as it is; the tick folds them`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(shop)
            try await order(shop, id, 4)
            try await midnight(shop, 2)
            let learned = """
                select l.ctid || ' ' || l.xmin || ' ' || l.state::text || ' ' || i.rate_now || ' ' || f.number
                from learner l join inventory i using (product_id) join learner_fold f using (product_id)
                """
            let before = try await shop.rows(learned)
            #expect(before.count == 1)
            let undone = try await order(shop, id, 3)
            try await order(shop, id, 2)
            try await cancel(shop, undone)
            _ = try await shop.value("select inventory_restock('{\"productId\": \(id), \"quantity\": 50}')")
            #expect(try await shop.rows(learned) == before)
            try await midnight(shop, 3)
            #expect(try await shop.rows(learned).count == 2)
            #expect(abs(try await units(shop, id) - (4 * Self.day + 2)) < 1e-9)
        }
    }

    @Test(arguments: ["{}", #"{"decay": 0.03, "seasonEnd": "2031-03-01T00:00:00Z"}"#])
    func `A cancelled order leaves no trace, whether its fold was made or not`(more: String) async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let (id, twin) = (try await product(shop, more), try await product(shop, more))
            var undone: [Int] = []
            for day in 1...6 {
                try await shop.setClock("2031-01-0\(day)T15:00:00Z")
                for other in [id, twin] { try await order(shop, other, day) }
                undone.append(try await order(shop, id, 7))
                if day == 3 { try await cancel(shop, undone[2]) }
                try await shop.setClock("2031-01-0\(day)T18:00:00Z")
            }
            try await cancel(shop, undone[0])
            try await cancel(shop, undone[4])
            try await midnight(shop, 8)
            for place in [1, 3, 5] { try await cancel(shop, undone[place]) }
            try await midnight(shop, 9)
            try await expectTwins(shop, id, twin, "all seven-unit orders were cancelled")
            try await shop.run("update product set base_price = 101")
            try await expectTwins(shop, id, twin, "folded anew")
            try await midnight(shop, 31)
            try await expectTwins(shop, id, twin, "and later")
        }
    }

    @Test
    func `What is sold outside the season teaches nothing, nor does its cancellation`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(
                shop,
                #"{"seasonStart": "2031-01-03T00:00:00Z", "seasonEnd": "2031-01-08T00:00:00Z"}"#
            )
            let early = try await order(shop, id, 40)
            try await midnight(shop, 3)
            #expect(try await units(shop, id) == 0)
            try await order(shop, id, 6)
            try await cancel(shop, early)
            try await midnight(shop, 4)
            #expect(try await units(shop, id) == 6)
            try await midnight(shop, 8)
            try await order(shop, id, 50)
            try await midnight(shop, 9)
            #expect(try await units(shop, id) < 6)
            try await shop.run("update product set season_end = '2031-02-08', season_start = '2031-02-01'")
            #expect(try await units(shop, id) == 0)
            #expect(abs(try await rate(shop, id) - 10) < 1e-9)
            #expect(try await shop.rows("select kind from audit_products(array[\(id)])") == [])
        }
    }

    @Test
    func `A cancelled order of before a reset leaves no trace, and what was sold since counts`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(shop)
            let early = try await order(shop, id, 300)
            try await midnight(shop, 2)
            try await shop.run("update inventory set learning_since = pricing_now() where product_id = \(id)")
            try await shop.setClock("2031-01-02T15:00:00Z")
            try await order(shop, id, 5)
            try await midnight(shop, 3)
            #expect(try await units(shop, id) == 5)
            try await cancel(shop, early)
            try await midnight(shop, 4)
            #expect(abs(try await units(shop, id) - 5 * Self.day) < 1e-9)
            try await shop.run("update inventory set learning_since = null where product_id = \(id)")
            #expect(try await shop.rows("select kind from audit_products(array[\(id)])") == [])
        }
    }

    @Test
    func `Days under another strategy count as what was sold in them`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(shop, #"{"floor": "100.00", "ceiling": "100.00"}"#, rule: "learn still")
            let twin = try await product(shop, #"{"floor": "100.00", "ceiling": "100.00"}"#, rule: "still")
            for day in 1...20 {
                for other in [id, twin] { try await order(shop, other, 20) }
                try await shop.setClock("2031-01-\(day < 10 ? "0" : "")\(day)T23:59:59Z")
            }
            try await midnight(shop, 21)
            try await follow(shop, twin, "learn still")
            let (rate, other) = (try await rate(shop, id), try await rate(shop, twin))
            #expect(rate > 12 && other > 12, "twice as much is sold as was expected")
            try await follow(shop, id, "still")
            for _ in 1...5 { try await order(shop, id, 10) }
            try await midnight(shop, 31)
            try await follow(shop, id, "learn still")
            #expect(try await self.rate(shop, id) < rate, "fifty in ten days are less")
            #expect(try await shop.rows("select kind from audit_products(array[\(id), \(twin)])") == [])
        }
    }

    @Test
    func `A changed base keeps the evidence: the ledgers are folded anew, and price.why says so`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(shop)
            for day in 1...10 {
                for _ in 1...3 { try await order(shop, id, 1) }
                try await midnight(shop, day + 1)
            }
            let (units, rate) = (try await units(shop, id), try await rate(shop, id))
            #expect(units > 20 && rate < 10)
            let why = "select price_why('{\"productId\": \(id)}') ->> 'text'"
            #expect(try await shop.value(why).contains("folded anew") == false)
            try await shop.run("update product set base_price = 100.01 where product_id = \(id)")
            #expect(abs(try await self.units(shop, id) / units - 1) < 0.02)
            #expect(abs(try await self.rate(shop, id) / rate - 1) < 0.02)
            #expect(
                try await shop.value(why).contains(
                    "what was sold since 2030-06-15T00:00:00.000Z was folded anew at 2031-01-11T"
                )
            )
            #expect(try await shop.rows("select kind from audit_products(array[\(id)])") == [])
        }
    }

    @Test
    func `Of many whose base changes at once the rest wait for the next tick, and price.why says so`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            var ids: [Int] = []
            for _ in 1...12 { ids.append(try await product(shop)) }
            try await midnight(shop, 2)
            let before = try await shop.price(ids[11])
            try await shop.run("update product set base_price = 102")
            let waiting = "select count(*) from learner where state is null"
            #expect(try await shop.value(waiting) == "2")
            let last = try await shop.value("select max(product_id) from learner where state is null")
            let why = try await shop.value("select price_why('{\"productId\": \(last)}') ->> 'text'")
            #expect(why.contains("what its ledgers teach is folded at the next tick"))
            #expect(try await shop.price(ids[11]) != before, "priced at once all the same")
            try await midnight(shop, 3)
            #expect(try await shop.value(waiting) == "0")
            #expect(try await shop.rows("select kind from audit_products(array(select product_id from product))") == [])
        }
    }

    @Test
    func `An order that began before a fold and commits after it is folded by the next one, once`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(shop)
            let buyer = try await shop.buyer()
            let place = """
                select set_config('pricing.moment', '2031-01-01T20:00:00Z', true),
                    order_place('{"customerId": \(buyer), "lines": [{"productId": \(id), "quantity": 6}]}')
                """
            try await shop.holding(place) {
                try await midnight(shop, 2)
                #expect(try await units(shop, id) == 0, "a first fold waits for no order")
            }
            try await midnight(shop, 3)
            #expect(try await units(shop, id) == 6)
            try await shop.run(place.replacing("2031-01-01", with: "2031-01-02"))
            try await midnight(shop, 4)
            #expect(abs(try await units(shop, id) - 6 * (Self.day + 1)) < 1e-9)
            try await cancel(shop, 2)
            try await midnight(shop, 5)
            #expect(abs(try await units(shop, id) - 6 * Self.day * Self.day) < 1e-9)
            #expect(try await shop.rows("select kind from audit_products(array[\(id)])") == [])
        }
    }

    @Test
    func `An empty shelf teaches nothing`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(shop, #"{"stock": 5}"#)
            try await midnight(shop, 2)
            try await order(shop, id, 5)
            try await midnight(shop, 3)
            let exposure = "select state[6] from learner where product_id = \(id)"
            let before = try #require(Double(try await shop.value(exposure)))
            try await midnight(shop, 24)
            let after = try #require(Double(try await shop.value(exposure)))
            #expect(before > 0 && abs(after - before / 2) < 1e-9, "21 days halve it and add nothing")
        }
    }

    @Test
    func `What the learner knows is audited and repaired`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(shop)
            for day in 1...4 {
                try await order(shop, id, day)
                try await midnight(shop, day + 1)
            }
            #expect(try await shop.differences() == [])
            for (sql, named) in [
                (
                    "update learner set state[1] = 9",
                    ["learner.estimate inventory \(id)", "learner.state learner \(id)"]
                ),
                ("update inventory set rate_now = 9", ["learner.estimate inventory \(id)"]),
                ("update learner_fold set movement = movement - 1 where number = 2", ["learner.state learner \(id)"]),
                (
                    "update learner_fold set at = at - interval '1 hour' where number = 3",
                    ["learner.state learner \(id)"]
                ),
            ] {
                #expect(Set(try await shop.differences(after: sql)) == Set(named), "\(sql)")
            }
            try await shop.tamper("update learner set state[1] = 9")
            let done = try await shop.object("audit_repair", ["apply": true])
            #expect(done["notRepairable"] == 0)
            try await midnight(shop, 6)
            #expect(try await shop.differences() == [])
        }
    }

    @Test
    func `The opening rate follows receipts until the first sale that stands, over the season's days`() async throws {
        try await Shop.with { shop in
            try await midnight(shop, 1)
            let id = try await product(
                shop,
                #"{"refRate": null, "stock": 60, "seasonEnd": "2031-01-31T00:00:00Z"}"#
            )
            func opening() async throws -> String {
                try await shop.value(
                    "select round(opening_rate::numeric, 6) || ' ' || opening_is_final from inventory where product_id = \(id)"
                )
            }
            #expect(try await opening() == "2.000000 false")
            let undone = try await order(shop, id, 9)
            try await midnight(shop, 11)
            #expect(try await opening() == "2.000000 true", "a sale stands at the tick")
            try await cancel(shop, undone)
            _ = try await shop.value("select inventory_restock('{\"productId\": \(id), \"quantity\": 40}')")
            try await midnight(shop, 12)
            #expect(try await opening() == "2.000000 true")
            let other = try await product(
                shop,
                #"{"refRate": null, "stock": 60, "seasonEnd": "2031-01-31T00:00:00Z"}"#
            )
            try await cancel(shop, try await order(shop, other, 9))
            try await midnight(shop, 21)
            _ = try await shop.value("select inventory_restock('{\"productId\": \(other), \"quantity\": 20}')")
            try await midnight(shop, 22)
            let moved =
                "select round(opening_rate::numeric, 6) || ' ' || opening_is_final from inventory where product_id = \(other)"
            #expect(try await shop.value(moved) == "8.000000 false", "80 units over the ten days that were left")
        }
    }
}
