import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct DeliveryTests {
    @Test
    func
        `When an expected delivery is written, by a call or by direct SQL, the earliest arrival and the price follow at once`()
        async throws
    {
        try await Shop.with { shop in
            try await shop.setDay(0)
            let product = try await shop.product(stock: 20, rule: "restock")
            let other = try await shop.product(stock: 20, rule: "restock")
            try await shop.run("update product set unit_cost = 40, ref_rate = 2")
            let alone = try await shop.price(product)
            for statement in [
                "insert into expectation (product_id, quantity, eta, actor, created_at) values (\(product), 5, "
                    + "pricing_now() + interval '60 days', 'sql', now())",
                "update expectation set eta = pricing_now() + interval '5 days'",
                "update expectation set eta = pricing_now() + interval '90 days'",
                "update expectation set product_id = \(other)", "update expectation set product_id = \(product)",
                "update expectation set closed_at = pricing_now()", "update expectation set closed_at = null",
                "delete from expectation",
            ] {
                try await shop.run(statement)
                #expect(try await shop.rows(Self.outOfStep) == [], "\(statement)")
                #expect(try await shop.rows(Invariants.sql) == [], "\(statement)")
            }
            #expect(try await shop.price(product) == alone)
            #expect(try await shop.value("select count(distinct new_price) > 1 from price_change") == "t")
            let endless = "insert into expectation (product_id, quantity, eta, actor, created_at) "
            #expect(await shop.refusal(endless + "values (\(product), 5, 'infinity', 'sql', now())") != nil)
        }
    }

    @Test
    func `A delivery that becomes overdue is told once, at the next tick, and one that has come is not`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            let product = try await shop.product(stock: 20)
            for (quantity, days) in [(1, 1), (2, 2), (3, 3), (4, 9)] {
                try await shop.run(
                    """
                    insert into expectation (product_id, quantity, eta, actor, created_at)
                    values (\(product), \(quantity), pricing_now() + interval '\(days) days', 'sql', now())
                    """
                )
            }
            let told = "select after ->> 'quantity' from notice where op = 'overdue' order by change_id"
            try await shop.setDay(1)
            #expect(try await shop.rows(told) == [], "due now")
            try await shop.run("update expectation set closed_at = pricing_now() where quantity = 2")
            try await shop.setDay(2)
            #expect(try await shop.rows(told) == ["1"])
            for day in 3...6 { try await shop.setDay(day) }
            #expect(try await shop.rows(told) == ["1", "3"])
            #expect(try await shop.value("select overdue from automation_figures()") == "2")
            #expect(
                try await shop.value("select automation_status()::jsonb #> '{overdue,0,quantity}'") == "1",
                "the longest overdue first"
            )
        }
    }

    @Test
    func `What is archived by direct SQL waits for nothing, and says why`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 20, rule: "restock")
            let expect =
                #"select inventory_expect('{"productId": \#(product), "quantity": 5, "eta": "2099-01-01T00:00:00Z"}')"#
            _ = try await shop.value(expect)
            _ = try await shop.value(expect)
            try await shop.run("update product set archived_at = now(), active = false")
            #expect(
                try await shop.rows("select closed_reason from expectation where closed_at is not null")
                    == Array(repeating: "the product was archived", count: 2)
            )
            #expect(try await shop.value("select next_eta from inventory") == "null")
            #expect(try await shop.rows("select kind from audit_products(array(select product_id from product))") == [])
        }
    }

    @Test
    func `Of two sessions that change a product's deliveries the second sees what the first did`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 20, rule: "restock")
            func insert(_ days: Int) -> String {
                "insert into expectation (product_id, quantity, eta, actor, created_at) "
                    + "values (\(product), 5, pricing_now() + interval '\(days) days', 'sql', now())"
            }
            #expect(try await shop.race(insert(3), against: insert(9)) == nil)
            #expect(try await shop.rows(Self.outOfStep) == [])
        }
    }

    /// Products whose row knows another arrival than the earliest open one, or whose price is not what they come to.
    private static let outOfStep = """
        select concat_ws(' ', i.product_id, i.next_eta, i.price, v.price)
        from inventory i join product d using (product_id) join rule r using (rule_id), evaluate_price(d, r, i, 'stock') v
        where i.next_eta is distinct from (select min(eta) from expectation e
                                           where e.product_id = i.product_id and e.closed_at is null)
           or v.price <> i.price
        """
}
