import Postgres
import Pricing
import PricingTestSupport
import Testing

/// What the role that the daemon serves as may do, and what not.
@Suite(.serialized, .enabled(if: TestCluster.isAvailable, needsServer))
struct GrantTests {
    @Test
    func `The daemon's role does every deed of a shop, and can neither change nor remove ledger and history`()
        async throws
    {
        try await Shop.withEmptyDatabase { shop in
            try await shop.run(
                "do $$ begin create role pricingd; exception when duplicate_object then null; end $$"
            )
            _ = try await Migrator.migrate(shop.connection, wantsDemo: true, isSandbox: true)
            try await shop.run("set role pricingd")
            for call in Self.deeds { _ = try await shop.value("select \(call)") }
            let views =
                "select relname from pg_class where relkind = 'v' and relnamespace = 'pricing_code'::regnamespace"
            #expect(try await shop.rows(views).count > 3)
            #expect(try await shop.rows("\(views) and not has_table_privilege(oid, 'select')") == [])
            #expect(try await shop.value("select tick_prices() >= 0 and expire_request_keys() = 0") == "t")
            #expect(try await shop.value("select number_events() > 0") == "t")
            try await shop.run("reset role; update event_sequence set last_number = 19999999; set role pricingd")
            try await shop.run("update inventory set stock = stock + 1 where product_id = 1")
            #expect(try await shop.value("select number_events()") == "20000000")
            try await shop.run(
                "reset role; update event_range set at = '2000-01-01' where first_number < 20000000; set role pricingd"
            )
            #expect(try await shop.value("select expire_events()") == "t")
            #expect(try await shop.value("select min(sequence) from event") == "20000000")
            for sql in [
                "update price_change set reason = 'x'", "delete from price_change", "truncate price_change",
                "update stock_movement set reason = 'x'", "delete from stock_movement",
                "update order_line set quantity = 1", "update declaration_change set actor = 'x'",
                "delete from declaration_change", "truncate declaration_change",
                "delete from order_line", "delete from customer_order", "delete from inventory", "delete from product",
                "update event_range set at = now()", "delete from event_range", "drop table event_range_p1",
                "truncate event_range", "update order_change set reason = 'x'", "delete from notice",
                "insert into virtual_clock (at) values (now())",
                "update strategy set learns = true", "insert into strategy (name) values ('mine')",
                "update setting set value = 'true'", "drop table product", "create table mine (n integer)",
                "alter table price_change disable trigger all", "select generate_clear()",
                "insert into audit_repair (product_id) values (1)", "delete from audit_repair",
                "select secret from hash_secret", "update hash_secret set secret = 'x'", "delete from hash_secret",
            ] {
                let error = await shop.refusal(sql)
                #expect(
                    error?.sqlState?.code == "42501",
                    "\(sql): \(error?.sqlState?.code ?? "") \(error?.message ?? "")"
                )
            }
            try await shop.run("reset role")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    private static let deeds = [
        #"category_create('{"name": "Tea"}')"#, #"supplier_create('{"companyName": "A"}')"#,
        #"supplier_update('{"supplierId": 1, "address": "b"}')"#,
        #"product_create('{"title": "Mug", "basePrice": "9.00", "categoryId": 1, "stock": 12}')"#,
        #"product_update('{"productId": 1, "basePrice": "1300.00"}')"#, #"product_archive('{"productId": 20}')"#,
        #"product_restore('{"productId": 20}')"#, #"price_rollback('{"to": "2020-01-01T00:00:00Z", "all": true}')"#,
        #"inventory_restock('{"productId": 2, "quantity": 5}')"#,
        #"inventory_adjust('{"productId": 2, "quantity": -1}')"#,
        #"price_pin('{"productId": 3, "price": "30.00"}')"#, #"price_unpin('{"productId": 3}')"#,
        #"rule_activate(jsonb_build_object('ruleId', rule_create('{"name": "bands", "strategy": "bands"}') -> 'ruleId'))"#,
        #"rule_revise('{"ruleId": 1, "parameters": {"up": 0.2}}')"#,
        #"user_create('{"fullName": "A", "email": "a@b", "password": "correct horse"}')"#,
        #"user_authenticate('{"email": "a@b", "password": "correct horse"}')"#,
        #"user_update('{"userId": 9, "fullName": "B"}')"#,
        #"order_advance('{"orderId": 4, "status": "processing"}')"#, #"order_cancel('{"orderId": 4}')"#,
        #"clock_set('{"at": "2031-01-01T00:00:00Z"}')"#, #"user_delete('{"userId": 9}')"#,
        #"(place_orders('[{"params": {"customerId": 3, "lines": [{"productId": 1, "quantity": 1}]}, "key": "k"}]')).reply"#,
        #"(run_write('order_place', 'order.place', '{"customerId": 3, "lines": [{"productId": 1, "quantity": 1}]}', 'l', 'me')).reply"#,
        #"events_list('{}')"#, #"would_change()"#, #"snapshot_products('[1]')"#,
        #"generate_begin('{"users": 3, "suppliers": 1, "products": 2, "orders": 0}')"#, #"generate_finish('{}')"#,
        #"audit_verify('{}')"#, #"audit_repair('{"apply": true}')"#, #"repair_products('{1}', 'x')"#,
        #"rule_lint('{"ruleId": 1}')"#, #"rule_backtest('{"ruleId": 1}')"#,
    ]
}
