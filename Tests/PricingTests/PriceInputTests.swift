import Postgres
import PricingTestSupport
import Testing

/// Every column that a price is computed from: a change of it is a new price with its history and event, or is refused.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct PriceInputTests {
    /// A change that moves the price of a product of base 100.00 and 50 in stock under a rule.
    struct Change: Sendable, CustomTestStringConvertible {
        let column: String
        let value: String
        let rule: String
        let stock: Int

        init(_ column: String, _ value: String, rule: String = "bands", stock: Int = 50) {
            (self.column, self.value, self.rule, self.stock) = (column, value, rule, stock)
        }

        var testDescription: String { column }
    }

    static let declared = [
        Change("base_price", "150"),
        Change("unit_cost", "105"),
        Change("floor_price", "105"),
        Change("ceiling_price", "80"),
        Change("low_stock", "60"),
        Change("high_stock", "40"),
        Change("rule_id", "(select rule_id from rule where name = 'manual')", stock: 5),
        Change("elasticity", "4", rule: "deadline"),
        Change("ref_rate", "9", rule: "deadline"),
        Change("unit_value", "60", rule: "deadline", stock: 5000),
        Change("decay", "0.05", rule: "markdown"),
        Change("season_start", "now() - interval '90 days'", rule: "markdown"),
        Change("season_end", "now() + interval '3 days'", rule: "deadline"),
        Change("season_profile", "array[1.9, 0.1]", rule: "deadline"),
    ]

    static let kept = [
        "product_id", "band", "anchor_price", "anchor_date", "ticked_at", "opening_price", "movement_count",
        "change_count", "last_restock_at", "opening_is_final", "elasticity_now", "rate_now", "changed_at",
        "regular_price", "campaign_percent", "campaign_price", "awaits_approval",
    ]

    private func product(_ shop: Shop, _ change: Change) async throws -> Int {
        let id = try await shop.product(stock: change.stock, rule: change.rule)
        if change.rule != "bands" {
            try await shop.run(
                """
                update product set ref_rate = 3, decay = 0.01, season_start = now() - interval '10 days',
                    season_end = now() + interval '20 days' where product_id = \(id)
                """
            )
        }
        return id
    }

    @Test(arguments: declared)
    func `A declaration that changes by SQL is priced, kept in the history and told`(_ change: Change) async throws {
        try await Shop.with { shop in
            let id = try await product(shop, change)
            let before = try await shop.price(id)
            let told = "select count(*) from recorded_event where topic = 'price' and product_id = \(id)"
            let (rows, events) = (try await changes(shop, id), try await count(shop, told))
            try await shop.run("update product set \(change.column) = \(change.value) where product_id = \(id)")
            #expect(try await shop.price(id) != before)
            #expect(try await changes(shop, id) == rows + 1)
            #expect(try await count(shop, told) == events + 1)
            #expect(try await shop.rows("select kind from audit_products(array[\(id)])") == [])
        }
    }

    @Test(arguments: declared)
    func `Under a halt the change is kept, and the resume sees it`(_ change: Change) async throws {
        try await Shop.with { shop in
            let (id, twin) = (try await product(shop, change), try await product(shop, change))
            let before = try await shop.price(id)
            let edit = "update product set \(change.column) = \(change.value)"
            let given = "select price || ' ' || anchor_price from inventory where product_id = "
            try await shop.run("select pricing_halt('{\"productId\": \(id), \"reason\": \"a test\"}')")
            try await shop.run("\(edit) where product_id in (\(id), \(twin))")
            #expect(try await shop.price(id) == before)
            try await shop.run("select pricing_resume('{\"productId\": \(id), \"reason\": \"a test\"}')")
            #expect(try await shop.price(id) != before)
            #expect(try await shop.value(given + "\(id)") == shop.value(given + "\(twin)"), "as if never halted")
        }
    }

    @Test
    func `A product that moves out of a halted category is priced at the move`() async throws {
        try await Shop.with { shop in
            let id = try await shop.product(stock: 50)
            try await shop.run(
                """
                insert into category (name) values ('Elsewhere');
                select pricing_halt(jsonb_build_object('categoryId', (select category_id from product), 'reason', 'a test'));
                update inventory set stock = 5;
                """
            )
            #expect(try await shop.price(id) == "100.00")
            try await shop.run(
                "update product set category_id = (select category_id from category where name = 'Elsewhere')"
            )
            #expect(try await shop.price(id) == "110.00")
        }
    }

    @Test(arguments: kept)
    func `What the trigger keeps of a row is refused to everybody else`(column: String) async throws {
        try await Shop.with { shop in
            try await shop.product()
            #expect(await shop.refusal("update inventory set \(column) = \(column)")?.sqlState?.code == "PR903")
        }
    }

    @Test
    func `What an inventory row is given by hand is priced: opening rate, arrival`() async throws {
        try await Shop.with { shop in
            let learning = try await shop.product(rule: "learn")
            let waiting = try await shop.product(rule: "restock")
            for (id, given) in [
                (learning, "opening_rate = 40"),
                (waiting, "next_eta = now() + interval '90 days'"),
            ] {
                let before = try await shop.price(id)
                try await shop.run("update inventory set \(given) where product_id = \(id)")
                #expect(try await shop.price(id) != before, "\(given)")
                #expect(try await shop.rows("select kind from audit_products(array[\(id)])") == [])
            }
        }
    }

    @Test
    func `No version of a rule is edited, by a call or by direct SQL; a product keeps its birthday`() async throws {
        try await Shop.with { shop in
            try await shop.product()
            let columns = try await shop.rows(
                """
                select column_name from information_schema.columns where table_schema = 'pricing' and table_name = 'rule'
                  and column_name not in ('rule_id', 'status', 'activated_at') and is_updatable = 'YES'
                """
            )
            #expect(columns.count >= 16)
            for column in columns {
                let other = try await shop.value(
                    """
                    select case data_type when 'text' then '''other''' when 'boolean' then format('not %I', column_name)
                        when 'timestamp with time zone' then 'created_at - interval ''1 day'''
                        else format('coalesce(%I, 1) + 1', column_name) end
                    from information_schema.columns where table_name = 'rule' and column_name = $1
                    """,
                    [.text(column)]
                )
                let refused = await shop.outcome("update rule set \(column) = \(other) where name = 'bands'")
                #expect(refused?.sqlState?.code == "PR903", "\(column)")
            }
            let birthday = await shop.refusal("update product set created_at = created_at - interval '1 day'")
            #expect(birthday?.sqlState?.code == "PR903")
        }
    }

    @Test
    func `Every column that the price functions read is among those that this suite changes`() async throws {
        try await Shop.with { shop in
            func read(_ table: String, _ names: String) async throws -> Set<String> {
                Set(
                    try await shop.rows(
                        """
                        select distinct m[2] from pg_proc f,
                            regexp_matches(f.prosrc, '\\m(\(names))\\.([a-z_]+)', 'g') m
                        where f.pronamespace = 'pricing_code'::regnamespace
                          and proname in ('evaluate_price', 'strategy_position', 'price_limits', 'season_age', 'is_halted',
                                          'due_folds', 'with_opening_rate', 'opening_days', 'with_estimates',
                                          'renew_estimates', 'price_inputs')
                          and exists (select from information_schema.columns c
                                      where c.table_name = $1 and c.column_name = m[2])
                        """,
                        [.text(table)]
                    )
                )
            }
            let ofProduct = try await read("product", "declared|d")
            #expect(ofProduct.count > 12)
            #expect(
                ofProduct.subtracting(Self.declared.map(\.column))
                    == ["archived_at", "category_id", "created_at", "product_id"]
            )
            let ofRow = try await read("inventory", "row_now|row_was|i")
            let byHand = [
                "stock", "price", "pin_price", "pinned_until", "learning_since", "opening_rate", "next_eta",
            ]
            #expect(ofRow.count > 10)
            #expect(ofRow.subtracting(Self.kept).subtracting(byHand) == [])
        }
    }

    @Test
    func `A limit that was typed stays, and one that was not follows base, even where they are equal`() async throws {
        try await Shop.with { shop in
            try await shop.run("insert into category (name) values ('Things')")
            func create(_ limits: String) async throws -> Int {
                let made = try await shop.value(
                    """
                    select product_create('{"title": "Thing", "basePrice": "100.00", "stock": 50, "categoryId": 1\(limits)}')
                        ->> 'productId'
                    """
                )
                return try #require(Int(made))
            }
            func rebase(_ id: Int, _ base: String) async throws -> String {
                try await shop.value(
                    """
                    select concat_ws(' ', u ->> 'floor', u ->> 'ceiling', u ->> 'price', u ->> 'warnings')
                    from product_update('{"productId": \(id), "basePrice": "\(base)"}') u
                    """
                )
            }
            let typed = try await create(#", "floor": "50.00", "ceiling": "200.00""#)
            let told = try await rebase(typed, "300.00")
            #expect(told.hasPrefix("50.00 200.00 200.00 ") && told.contains("above the ceiling of 200.00"))
            let free = try await create("")
            #expect(try await rebase(free, "8000000000.00") == "4000000000.00 9999999999.99 8000000000.00 []")
            #expect(try await rebase(free, "10.00") == "5.00 20.00 10.00 []")
            try await shop.run("update product set base_price = 30 where product_id = \(free)")
            #expect(try await shop.value("select ceiling_price from product where product_id = \(free)") == "60.00")
            try await shop.run("update product set floor_price = 16 where product_id = \(free)")
            #expect(try await rebase(free, "40.00") == "16.00 80.00 40.00 []")
        }
    }

    @Test
    func `A product is born at its price: no change, no event, whichever way it comes`() async throws {
        try await Shop.with { shop in
            try await shop.run(
                """
                insert into category (name) values ('Things');
                select product_create('{"title": "Thing", "basePrice": "100.00", "stock": 500, "categoryId": 1}');
                select product_import('{"rows": [{"row": 1, "product":
                    {"title": "Thing", "basePrice": "100.00", "stock": 5, "categoryId": 1}}]}');
                select generate_begin('{"users": 5, "suppliers": 2, "products": 60, "orders": 0, "seed": 3}');
                """
            )
            #expect(
                try await shop.rows("select price from inventory order by product_id limit 2") == ["90.00", "110.00"]
            )
            #expect(try await shop.value("select count(*) from price_change") == "0")
            #expect(try await shop.value("select count(*) from recorded_event where topic = 'price'") == "0")
            #expect(try await shop.rows("select kind from audit_products(array(select product_id from product))") == [])
            // A first delivery to a product that stood empty is one: its price was seen.
            let empty = try await shop.value(
                "select product_create('{\"title\": \"Thing\", \"basePrice\": \"100.00\", \"categoryId\": 1}') ->> 'productId'"
            )
            _ = try await shop.value("select inventory_restock('{\"productId\": \(empty), \"quantity\": 5}')")
            #expect(try await shop.value("select count(*) from price_change where product_id = \(empty)") == "1")
        }
    }

    @Test
    func `No column takes NaN or an infinite time, even by direct SQL`() async throws {
        try await Shop.with { shop in
            let id = try await shop.product(rule: "learn")
            let buyer = try await shop.buyer()
            try await shop.run(
                """
                insert into supplier (company_name) values ('Things and Sons');
                select order_place('{"customerId": \(buyer), "lines": [{"productId": \(id), "quantity": 40}]}');
                select inventory_expect(jsonb_build_object('productId', \(id), 'quantity', 1, 'eta', now() + interval '9 days'));
                select pricing_halt('{"scope": "all", "reason": "a test"}');
                insert into breaker_move (product_id, was, since) values (\(id), 1, now());
                -- by its rows, or where there are none by its type
                create function pg_temp.refuses(into_table text, into_column text, type text, bad text) returns boolean
                language plpgsql as $$
                declare
                    rows bigint;
                begin
                    execute format('update %I set %I = %L', into_table, into_column, bad);
                    get diagnostics rows = row_count;
                    if rows = 0 and type is not null then execute format('select %L::%I', bad, type); end if;
                    raise sqlstate 'XX001';
                exception when sqlstate 'XX001' then return false;
                    when others then return true;
                end $$;
                """
            )
            let accepted = try await shop.rows(
                """
                select c.table_name || '.' || c.column_name || ' = ' || bad from information_schema.columns c
                join information_schema.tables t using (table_schema, table_name),
                     unnest(case when c.udt_name = 'timestamptz' then array['infinity', '-infinity']
                                 else array['NaN'] end) bad
                where table_schema = 'pricing' and table_type = 'BASE TABLE' and c.udt_name in ('numeric', 'float8', 'timestamptz')
                  and table_name not in ('schema_script') and table_name !~ '^event_p' and column_name <> 'pinned_until'
                  and not pg_temp.refuses(c.table_name, c.column_name, c.domain_name, bad)
                """
            )
            #expect(accepted == [])
        }
    }

    private func changes(_ shop: Shop, _ id: Int) async throws -> Int {
        try await count(shop, "select count(*) from price_change where product_id = \(id)")
    }

    private func count(_ shop: Shop, _ sql: String) async throws -> Int {
        try #require(Int(try await shop.value(sql)))
    }
}
