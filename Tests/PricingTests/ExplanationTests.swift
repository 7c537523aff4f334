import PricingProtocol
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct ExplanationTests {
    /// Declarations that bring each strategy into motion; the same for all.
    private static let declared = """
        elasticity = 1.25, ref_rate = 1.2, decay = 0.01, unit_cost = 30,
        season_start = pricing_now(), season_end = pricing_now() + interval '30 days'
        """

    @Test(arguments: Strategies.names)
    func `Each stated change, carried out, gives the very price that was stated`(strategy: String) async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            for stock in [2, 11, 17, 40, 104] {
                for event in ["sales", "restock", "tick"] {
                    let product = try await shop.product(stock: stock)
                    try await shop.run(
                        """
                        update product set rule_id = (select rule_id from rule where name = '\(strategy)'), \(Self.declared)
                        where product_id = \(product)
                        """
                    )
                    try await carryOut(event, product, shop)
                }
            }
        }
    }

    /// Does what `price.why` says of an event, and compares.
    private func carryOut(_ event: String, _ product: Int, _ shop: Shop) async throws {
        let told = try await shop.rows(
            """
            select concat_ws(' ', m ->> 'price', m ->> 'quantity', m ->> 'at')
            from json_array_elements(price_why('{"productId": \(product)}') -> 'next') m
            where m ->> 'event' = '\(event)'
            """
        )
        guard let parts = told.first?.split(separator: " ").map(String.init) else { return }
        let posted = try await shop.price(product)
        switch event {
        case "tick":
            _ = try await shop.value("select clock_set('{\"at\": \"\(parts[1])\"}')")
        default:
            let units = try #require(Int(parts[1]))
            let sign = event == "sales" ? -1 : 1
            if units > 1 {
                try await move(product, (units - 1) * sign, shop)
                #expect(try await shop.price(product) == posted, "\(event) of \(units): no earlier")
            }
            try await move(product, sign, shop)
        }
        #expect(try await shop.price(product) == parts[0], "\(event) of product \(product)")
    }

    private func move(_ product: Int, _ units: Int, _ shop: Shop) async throws {
        try await shop.run("update inventory set stock = stock + \(units) where product_id = \(product)")
    }

    @Test
    func `price.why and price.get agree in every state, and the text has no hole`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            for strategy in Strategies.names {
                for base in ["0.01", "1.01", "100.00", "4999999999.99"] {
                    for state in Self.states {
                        let product = try await shop.product(base: base, stock: 50, rule: strategy)
                        try await shop.run("update product set ceiling_price = greatest(ceiling_price, 200)")
                        try await shop.run(state.replacing("$product", with: "\(product)"))
                        #expect(try await shop.rows(Self.contradictions) == [], "\(strategy) \(base) \(state)")
                        try await shop.run("update product set archived_at = now() where archived_at is null")
                        #expect(
                            try await shop.rows(Self.contradictions) == [],
                            "\(strategy) \(base) \(state), archived"
                        )
                    }
                }
            }
        }
    }

    /// What may happen to a product before its price is explained.
    private static let states = [
        "select", "update inventory set stock = 3 where product_id = $product",
        "update inventory set stock = 0 where product_id = $product",
        "update inventory set stock = 2147483647 where product_id = $product",
        """
        select price_pin('{"productId": $product, "price": "1.01"}') from product where product_id = $product
            and 1.01 between floor_price and ceiling_price;
        select price_pin('{"productId": $product, "price": "200.00"}') from product where product_id = $product
            and 200 between floor_price and ceiling_price
        """,
        """
        insert into automation_halt (product_id, reason, actor, halted_at) values ($product, 'test', 'test', now());
        update inventory set stock = 3 where product_id = $product
        """,
        """
        alter table inventory disable trigger inventory_move;
        update inventory set price = price + 0.01, stock = 3 where product_id = $product and price < 9999999999;
        alter table inventory enable trigger inventory_move
        """,
        """
        update product set season_start = pricing_now() - interval '3 days', season_end = pricing_now() + interval '1 day',
            season_profile = '{0,0,0,1}', decay = 1 where product_id = $product
        """,
        "update product set unit_cost = 0.01, unit_value = base_price, elasticity = 20 where product_id = $product",
        """
        update product set ref_rate = 1e9, season_start = pricing_now() - interval '2 days',
            season_end = pricing_now() - interval '1 day' where product_id = $product
        """,
    ]

    /// Products of which an explanation is not the posted price's, does not say what else it would be, or has a hole.
    private static let contradictions = """
        select concat_ws(' ', product_id, w ->> 'price', get ->> 'price', v.price, text, notes)
        from product d join inventory i using (product_id) join rule r using (rule_id),
             evaluate_price(d, r, i, 'stock') v,
             lateral (select price_why(jsonb_build_object('productId', product_id))::jsonb as w,
                             price_get(jsonb_build_object('productIds', array[product_id])) -> 'items' -> 0 as get) asked,
             lateral (select w ->> 'text' as text) told,
             lateral (select string_agg(step ->> 'note', chr(10)) as notes
                      from jsonb_array_elements(w -> 'steps') s (step)) noted
        where product_id = (select max(product_id) from product) and (w ->> 'price' is distinct from get ->> 'price' or w ->> 'posted' is distinct from w ->> 'price'
            or (v.price <> i.price) is distinct from (w ->> 'wouldBe' is not null)
            or (v.price <> i.price) is distinct from (text ~ 'would be [0-9]')
            or regexp_replace(replace(text, '   strategy', ' strategy') || chr(10) || notes, '^ +', '', 'gn')
               ~ '(?n)####|null|NaN|Infinity|, %|[ (][,;:)]|[:;,(] *$|[^ ] {2}|(less|more|to) *(;|$)')
        """

    @Test
    func `A preview of the present stock is the posted price, and of another one what that stock brings`() async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 40)
            let preview = "select price_preview('{\"productId\": \(product), \"stock\": 5}') ->> 'price'"
            let told = try await shop.value(preview)
            try await shop.run("update inventory set stock = 5 where product_id = \(product)")
            #expect(try await shop.price(product) == told)
            let rule = try await shop.value("select rule_id from rule where name = 'learn'")
            let other = try await shop.value(
                "select price_preview('{\"productId\": \(product), \"rule\": \(rule)}') ->> 'price'"
            )
            try await shop.run("update product set rule_id = \(rule) where product_id = \(product)")
            #expect(try await shop.price(product) == other)
        }
    }

    @Test(arguments: ["bands", "learn", "manual"])
    func `A preview of another base price is what its declaration brings, with the limits that follow it`(
        rule: String
    ) async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 5)
            let id = try await shop.value("select rule_id from rule where name = '\(rule)' and status = 'active'")
            try await shop.run(
                "update product set rule_id = \(id), floor_typed = false, ceiling_typed = false where product_id = \(product)"
            )
            let preview = "select price_preview('{\"productId\": \(product), \"basePrice\": \"300.00\"}') ->> 'price'"
            let told = try await shop.value(preview)
            try await shop.run("update product set base_price = 300 where product_id = \(product)")
            #expect(try await shop.price(product) == told)
        }
    }
}
