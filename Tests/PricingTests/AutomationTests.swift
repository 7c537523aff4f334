import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct AutomationTests {
    @Test(arguments: [#""scope": "all""#, #""categoryId": 1"#, #""productId": 1"#])
    func `A halted scope keeps its prices through sales and ticks, and resuming it sees what was suppressed`(
        scope: String
    ) async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 50)
            _ = try await shop.value("select pricing_halt('{\(scope), \"reason\": \"count\"}')")
            try await shop.run("update inventory set stock = 5 where product_id = \(product)")
            try await shop.setDay(0)
            #expect(try await shop.price(product) == "100.00")
            #expect(
                try await shop.value("select price_why('{\"productId\": \(product)}') ->> 'frozen'")
                    == "halted"
            )
            let resumed = try await shop.value(
                "select pricing_resume('{\(scope), \"reason\": \"counted\"}') ->> 'resumed'"
            )
            #expect(resumed == "1")
            #expect(try await shop.price(product) == "110.00")
            let again = try await shop.value(
                "select pricing_resume('{\(scope), \"reason\": \"counted\"}') ->> 'resumed'"
            )
            #expect(again == "0")
            let told = try await shop.rows("select op from notice where topic = 'automation' order by change_id")
            #expect(told == ["halt", "resume"])
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `Prices that leap over a fifth of the catalogue halt automation once; a resume forgives them`() async throws {
        try await Shop.with { shop in
            var products: [Int] = []
            for _ in 0..<25 { products.append(try await shop.product(stock: 50)) }
            let leap = """
                set session_replication_role = replica;
                update rule set up_share = 0.6, daily_cap = null where name = 'bands' and status = 'active';
                reset session_replication_role;
                update inventory set stock = 5 where product_id
                """
            _ = try await shop.value("select number_events()")
            try await shop.run("\(leap) <= \(products[3])")
            #expect(try await look(shop) == "null", "four of twenty-five")
            try await shop.run("\(leap) = \(products[4])")
            #expect(try await look(shop) == "the breaker tripped: 5 of 25 products moved by more than 25 %")
            #expect(try await look(shop) == "null", "halted already")
            #expect(
                try await shop.rows(
                    """
                    select concat_ws(' ', halted, halts, breaker_open) from automation_figures()
                    union all select concat_ws(' ', op, actor, after #> '{facts,catalogue}') from notice
                    where topic = 'automation'
                    """
                ) == ["t 1 t", "halt breaker 25"]
            )
            try await shop.run("\(leap) = \(products[9])")
            #expect(try await shop.price(products[9]) == "100.00", "halted")
            _ = try await shop.value("select pricing_resume('{\"scope\": \"all\", \"reason\": \"meant\"}')")
            #expect(try await shop.price(products[9]) == "160.00")
            #expect(try await look(shop) == "null", "one since the resume")
        }
    }

    @Test
    func `What a person sets trips nothing: pins, declarations, activated rules`() async throws {
        try await Shop.with { shop in
            for _ in 0..<25 { _ = try await shop.product(stock: 50) }
            try await shop.run(
                """
                update product set base_price = 300, floor_price = 100, ceiling_price = 900;
                update inventory set price = 120;
                """
            )
            #expect(try await look(shop) == "null")
        }
    }

    @Test
    func `A long backlog is read in parts, and first prices do not count as moves`() async throws {
        try await Shop.with { shop in
            for _ in 0..<25 { _ = try await shop.product(stock: 5) }
            try await shop.run(
                """
                insert into event_range (first_number, event_count, transaction_id, first_change, last_change, at)
                select n, 1, 0, 0, 0, now() from generate_series(1, 60000) n;
                update event_sequence set last_number = 60000;
                """
            )
            let position = "select last_sequence::text from breaker_state"
            #expect(try await look(shop) == "null")
            #expect(try await shop.value(position) == "50000")
            #expect(try await look(shop) == "null")
            #expect(
                try await shop.value(position) == (try await shop.value("select last_number::text from event_sequence"))
            )
            #expect(try await shop.value("select count(*) from breaker_move") == "0")
        }
    }

    @Test
    func `Where all is sold out the breaker judges nothing`() async throws {
        try await Shop.with { shop in
            for _ in 0..<25 { _ = try await shop.product(stock: 50) }
            _ = try await look(shop)
            try await shop.run(
                """
                set session_replication_role = replica;
                update rule set up_share = 0.6, daily_cap = null where name = 'bands' and status = 'active';
                reset session_replication_role;
                update inventory set stock = 5;
                update inventory set stock = 0;
                """
            )
            #expect(try await look(shop) == "null")
            try await shop.run("update inventory set stock = 1 where product_id = 1")
            #expect(try await look(shop) == "the breaker tripped: 25 of 25 products moved by more than 25 %")
        }
    }

    private func look(_ shop: Shop) async throws -> String {
        _ = try await shop.value("select number_events()")
        return try await shop.value("select (check_breaker()).reason")
    }

    @Test
    func `The breaker judges no small catalogue`() async throws {
        try await Shop.with { shop in
            for _ in 0..<19 { _ = try await shop.product(stock: 50) }
            try await shop.run(
                """
                set session_replication_role = replica;
                update rule set up_share = 0.9, daily_cap = null where name = 'bands';
                reset session_replication_role;
                update inventory set stock = 5
                """
            )
            #expect(try await look(shop) == "null")
        }
    }
}
