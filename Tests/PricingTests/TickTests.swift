import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct TickTests {
    @Test
    func `A move beyond the daily cap arrives over the days, each day's anchor being the price that it began with`()
        async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await useRule(shop, product, #"{"up": 0.5, "dailyCap": 0.2}"#)
            try await shop.setDay(0)
            try await shop.run("update inventory set stock = 5 where product_id = \(product)")
            #expect(try await state(shop, product) == "120.00 100.00")
            try await shop.run("update inventory set stock = 4 where product_id = \(product)")
            #expect(try await shop.price(product) == "120.00", "between ticks the price depends on stock alone")
            try await shop.setDay(1)
            #expect(try await state(shop, product) == "144.00 120.00")
            try await shop.setDay(2)
            #expect(try await state(shop, product) == "150.00 144.00")
            try await shop.setDay(3)
            #expect(try await state(shop, product) == "150.00 150.00")
            #expect(
                try await shop.rows(
                    "select concat_ws(' ', cause, binding_guard, actor) from price_change order by sequence"
                )
                    == ["adjust daily_cap postgres", "tick daily_cap tick", "tick tick"]
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `Low and back within a day is base again: the anchor is the day's first price, not the last one`() async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await useRule(shop, product, #"{"up": 0.2, "down": 0.2, "dailyCap": 0.2}"#)
            try await shop.setDay(0)
            for _ in 0..<5 {
                for (stock, price) in [(5, "120.00"), (150, "80.00"), (50, "100.00")] {
                    try await shop.run("update inventory set stock = \(stock) where product_id = \(product)")
                    #expect(try await shop.price(product) == price)
                }
            }
        }
    }

    @Test
    func `A page looks at a bounded number of products where nothing is due, and the next goes on there`() async throws
    {
        try await Shop.with { shop in
            try await shop.setDay(0)
            for _ in 0..<60 { try await shop.product() }
            #expect(try await page(shop, after: 0) == "0 50", "fifty times the one that it may evaluate")
            #expect(try await page(shop, after: 50) == "0 null")
            try await shop.run(
                """
                set session_replication_role = replica;
                update inventory set ticked_at = ticked_at - interval '2 days' where product_id = 57;
                reset session_replication_role
                """
            )
            #expect(try await page(shop, after: 50) == "1 57")
        }
    }

    private func page(_ shop: Shop, after: Int) async throws -> String {
        try await shop.value(
            "select evaluated || ' ' || coalesce(next_after::text, 'null') from tick_page(1, \(after))"
        )
    }

    @Test
    func `A changed declaration arrives at once and begins a new anchor`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await shop.setDay(0)
            try await shop.run(
                "update product set base_price = 300, floor_price = 150, ceiling_price = 600 where product_id = \(product)"
            )
            #expect(try await state(shop, product) == "300.00 300.00")
            try await shop.run("update inventory set stock = 5 where product_id = \(product)")
            #expect(try await shop.price(product) == "330.00")
        }
    }

    @Test
    func `A tick when nothing is due does nothing, at any hour of the day`() async throws {
        try await Shop.with { shop in
            try await shop.product(stock: 5)
            try await shop.setDay(0)
            let before = try await shop.rows(everything)
            #expect(try await shop.value("select tick_prices()") == "0")
            try await shop.setClock("2031-01-01T17:59:59Z")
            #expect(try await shop.rows(everything) == before)
            try await shop.setClock("2031-01-02T00:00:00Z")
            #expect(
                try await shop.value("select concat_ws(' ', anchor_date, price) from inventory") == "2031-01-02 110.00"
            )
        }
    }

    @Test
    func `A pin ends at its time, the price goes back by itself, and history says why`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 5)
            try await shop.setDay(0)
            _ = try await shop.value(
                #"select price_pin('{"productId": \#(product), "price": "150.00", "until": "2031-01-01T18:00:00Z"}')"#
            )
            try await shop.setClock("2031-01-01T17:59:59Z")
            #expect(try await shop.price(product) == "150.00")
            try await shop.setClock("2031-01-01T18:00:00Z")
            #expect(try await shop.price(product) == "110.00")
            #expect(
                try await shop.rows(
                    "select concat_ws(' ', cause, actor, new_price) from price_change order by sequence"
                )
                    == ["pin postgres 150.00", "unpin tick 110.00"]
            )
            #expect(
                await shop.refusal(
                    #"select price_pin('{"productId": \#(product), "price": "150.00", "until": "2031-01-01T18:00:00Z"}')"#
                )?.sqlState?.code == "PR602"
            )
        }
    }

    @Test
    func `A pin without expiry outlives every tick`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            _ = try await shop.value(#"select price_pin('{"productId": \#(product), "price": "150.00"}')"#)
            for number in [0, 1, 400, 4000] {
                try await shop.setDay(number)
                #expect(try await shop.price(product) == "150.00")
            }
            _ = try await shop.value(#"select price_unpin('{"productId": \#(product)}')"#)
            #expect(try await shop.price(product) == "100.00")
        }
    }

    @Test
    func `A rule of hours ticks each hour, one of days not before the next day`() async throws {
        try await Shop.with { shop in
            let hourly = try await shop.product()
            let daily = try await shop.product()
            try await useRule(shop, hourly, #"{"tickSeconds": 3600}"#)
            try await shop.setClock("2031-01-01T12:10:00Z")
            try await shop.setClock("2031-01-01T13:05:00Z")
            #expect(
                try await shop.rows(
                    "select to_char(ticked_at at time zone 'UTC', 'HH24:MI') from inventory order by product_id"
                )
                    == ["13:05", "12:10"]
            )
            #expect(hourly < daily)
        }
    }

    @Test
    func `Only one tick runs at a time, and a row that another session holds is ticked later`() async throws {
        try await Shop.with { shop in
            let held = try await shop.product(stock: 5)
            let free = try await shop.product(stock: 5)
            try await shop.setDay(0)
            try await shop.run("update virtual_clock set at = at + interval '1 day'")
            let other = try await shop.another()
            try await shop.holding("select from inventory where product_id = \(held) for update") {
                let ticked = try await other.value("select tick_prices()")
                #expect(ticked == "1")
            }
            try await shop.holding("select tick_prices()") {
                let ticked = try await other.value("select tick_prices()")
                #expect(ticked == "0")
            }
            #expect(try await shop.value("select count(distinct ticked_at) from inventory") == "1")
            #expect(held < free)
        }
    }

    /// Puts a bands rule of these parameters into force for one product.
    private func useRule(_ shop: Shop, _ product: Int, _ parameters: String) async throws {
        _ = try await shop.value(
            """
            select rule_activate(jsonb_build_object('productIds', jsonb_build_array(\(product)), 'ruleId',
                rule_create(jsonb_build_object('name', 'special', 'strategy', 'bands', 'parameters', $1::jsonb)) -> 'ruleId'))
            """,
            [.text(parameters)]
        )
    }

    /// Price and anchor.
    private func state(_ shop: Shop, _ product: Int) async throws -> String {
        try await shop.value("select concat_ws(' ', price, anchor_price) from inventory where product_id = \(product)")
    }
}
