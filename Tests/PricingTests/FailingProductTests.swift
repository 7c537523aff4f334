import Postgres
import PricingTestSupport
import Testing

/// One product that raises, or one event, among many.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct FailingProductTests {
    private static let all = 1000
    private static let bad = 500

    /// A thousand products of base 100.00 at normal stock, on the first of January 2031.
    private func open(_ shop: Shop) async throws {
        try await shop.run(
            """
            insert into category (name) values ('Things');
            insert into product (title, category_id, base_price, floor_price, ceiling_price, rule_id)
            select 'Thing ' || n, 1, 100, 50, 200, 1 from generate_series(1, \(Self.all)) n;
            update inventory set stock = 50, cause.kind = 'initial';
            """
        )
        try await shop.setDay(0)
    }

    /// From now on nothing can price the bad product, as if its declaration had been written by hand and made no sense.
    private func poison(_ shop: Shop, raising: String = "raise exception 'poisoned'") async throws {
        try await shop.run(
            """
            create function poison() returns trigger language plpgsql as
            $$ begin if new.product_id = \(Self.bad) then \(raising); end if; return new; end $$;
            create trigger a_poison before update on inventory for each row execute function poison();
            """
        )
    }

    private func mend(_ shop: Shop) async throws {
        try await shop.run("drop trigger a_poison on inventory; drop function poison()")
    }

    /// How many products have this price.
    private func count(_ shop: Shop, at price: String) async throws -> Int? {
        Int(try await shop.value("select count(*) from inventory where price = \(price)"))
    }

    private let failing = """
        select (f ->> 'productId') || ' ' || (f ->> 'reason')
        from jsonb_array_elements(automation_status()::jsonb -> 'failing') f
        """
    private let told = "select op || ' ' || key from recorded_event where topic = 'automation' order by change_id, part"

    @Test
    func `A tick prices all others and ends their pins; the one waits for its time and follows once it is mended`()
        async throws
    {
        try await Shop.with { shop in
            try await open(shop)
            _ = try await shop.value(
                """
                select count(price_pin(jsonb_build_object('productId', n, 'price', '120.00',
                    'until', '2031-01-02T00:00:00Z'))) from generate_series(499, 501) n
                """
            )
            try await poison(shop)
            try await shop.setDay(1)
            let day = "select count(*) from inventory where ticked_at = '2031-01-02 12:00Z'"
            #expect(try await shop.value(day) == "999")
            #expect(try await count(shop, at: "100") == Self.all - 1, "the pins of its neighbours ended")
            #expect(try await shop.rows(failing) == ["\(Self.bad) P0001: poisoned"])
            let lastTick = "select automation_status() ->> 'lastTick'"
            #expect(try await shop.value(lastTick) == "2031-01-02T12:00:00.000Z")
            let tries = "select failures from failing_product"
            let before = try await shop.value(tries)
            try await shop.run("update failing_product set real_retry_at = '9999-01-01'")
            #expect(try await shop.value("select tick_prices()") == "0", "not before its time")
            #expect(try await shop.value(tries) == before)
            for number in 2...4 { try await shop.setDay(number) }
            let pause = "select retry_at - timestamptz '2031-01-05 12:00Z' from failing_product"
            #expect(try await shop.value(pause) == "00:00:08", "the fourth time")
            #expect(try await shop.rows(told) == ["failing \(Self.bad)"], "told once")
            try await mend(shop)
            try await shop.setDay(5)
            #expect(try await shop.rows(failing) == [])
            #expect(try await shop.rows(told) == ["failing \(Self.bad)", "recovered \(Self.bad)"])
            #expect(try await count(shop, at: "100") == Self.all)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test(arguments: ["40001", "55P03", "53100", "57014", "XX000"])
    func `What is not the product's own fault is raised and sets nothing aside`(state: String) async throws {
        try await Shop.with { shop in
            try await open(shop)
            try await poison(shop, raising: "raise exception using errcode = '\(state)'")
            try await shop.run("update virtual_clock set at = at + interval '1 day'")
            #expect(await shop.refusal("select tick_prices()")?.sqlState?.code == state)
            #expect(try await shop.rows(failing) == [])
        }
    }

    @Test
    func `A resume and an activation name the one that they leave, and it follows when it is mended`() async throws {
        try await Shop.with { shop in
            try await open(shop)
            _ = try await shop.value(#"select pricing_halt('{"scope": "all", "reason": "count"}')"#)
            try await shop.run("update inventory set stock = 5")
            #expect(try await count(shop, at: "100") == Self.all, "halted")
            try await poison(shop)
            func outcome(_ done: String, _ call: String) async throws -> String {
                try await shop.value(
                    """
                    select concat_ws(' ', r ->> '\(done)', r #>> '{skipped,0,productId}', r #>> '{skipped,0,reason}',
                                     jsonb_array_length(r -> 'skipped'))
                    from (select (\(call))::jsonb r) x
                    """
                )
            }
            let left = "999 \(Self.bad) P0001: poisoned 1"
            let resume = #"pricing_resume('{"scope": "all", "reason": "counted"}')"#
            #expect(try await outcome("evaluated", resume) == left)
            #expect(try await count(shop, at: "110") == Self.all - 1)
            let activate = """
                rule_activate(jsonb_build_object('ruleId', rule_create('{"name": "bands", "strategy": "bands",
                    "parameters": {"up": 0.15}}') -> 'ruleId'))
                """
            #expect(try await outcome("productsMoved", activate) == left)
            #expect(try await count(shop, at: "115") == Self.all - 1)
            #expect(try await shop.rows(failing).count == 1)
            try await mend(shop)
            try await shop.setDay(1)
            #expect(try await count(shop, at: "115") == Self.all, "it came to the rule too")
            let ops = try await shop.rows("select op from notice where topic = 'automation' order by change_id")
            #expect(ops == ["halt", "resume", "failing", "recovered"])
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `An import, a repair, an audit and a backtest name the one, and do all the rest`() async throws {
        try await Shop.with { shop in
            try await open(shop)
            try await poison(shop)
            let rows = """
                select product_import(jsonb_build_object('mode', 'perRow', 'rows', jsonb_agg(jsonb_build_object(
                    'row', n, 'product', jsonb_build_object('productId', n, 'basePrice', '110.00')))))::jsonb r
                from generate_series(1, 1000) n
                """
            let reply = try await shop.value(
                """
                select concat_ws(' ', r -> 'updated', r #> '{failed,0,row}', r #>> '{failed,0,state}',
                                 jsonb_array_length(r -> 'failed'))
                from (\(rows)) x
                """
            )
            #expect(reply == "999 500 P0001 1")
            #expect(try await count(shop, at: "110") == Self.all - 1)
            #expect(try await shop.rows(failing) == ["\(Self.bad) P0001: poisoned"])
            try await shop.run(
                """
                alter table inventory disable trigger user;
                update inventory set movement_count = 9 where product_id in (1, \(Self.bad));
                alter table inventory enable trigger user;
                """
            )
            let repair = """
                select concat_ws(' ', r ->> 'repairable', r #> '{skipped,0,productId}')
                from audit_repair('{"apply": true}') r
                """
            let wrong = "select count(*) from inventory where movement_count = 9"
            #expect(try await shop.value(repair) == "2 \(Self.bad)")
            #expect(try await shop.value(wrong) == "1")
            try await mend(shop)
            #expect(try await shop.value(repair) == "1")
            #expect(try await shop.value(wrong) == "0")
            #expect(try await shop.rows(failing) == [], "priced again, and found well")

            // A row of its history and one of its ledger that nothing can be computed from.
            try await shop.run(
                """
                insert into price_change (product_id, sequence, old_price, new_price, stock, rule_id, cause, inputs,
                                          actor, at, transaction_id, change_id)
                values (\(Self.bad), 9, 100, 101, 50, 1, 'x', '{"stock": "many"}', 'x', now(), 1, 1);
                insert into stock_movement (product_id, sequence, kind, quantity, stock_after, actor, at,
                                            transaction_id, change_id)
                values (\(Self.bad), 9, 'adjust', 2147483647, 1, 'x', pricing_now() - interval '1 hour', 1, 2);
                """
            )
            let audit = "select kind || ' ' || product_id from audit_products(array(select generate_series(1, 1000)))"
            let found = try await shop.rows(audit)
            #expect(found.contains("price.failed \(Self.bad)"))
            #expect(found.allSatisfy { $0.hasSuffix(" \(Self.bad)") })
            var params = #"{"ruleId": 1}"#
            while params != "done" {
                try await shop.run("create temporary table if not exists step (r jsonb); truncate step")
                try await shop.run("insert into step select rule_backtest('\(params)')")
                params = try await shop.value(
                    """
                    select coalesce((r - array['done', 'total', 'message'] || '{"ruleId": 1}')::text, 'done')
                    from (select case when r ? 'state' then r end as r from step) s
                    """
                )
            }
            let replayed = "select concat_ws(' ', r -> 'products', r #> '{skipped,0,productId}')"
            #expect(try await shop.value("\(replayed) from (select r -> 'reply' r from step) s") == "999 \(Self.bad)")
        }
    }

    @Test
    func `A counter that was set back goes on after the numbers that were given`() async throws {
        try await Shop.with { shop in
            for _ in 0..<30 { try await shop.product() }
            let last = try #require(Int(try await shop.value("select number_events()")))
            try await shop.run("update event_sequence set last_number = 3")
            try await shop.run("update inventory set stock = 49 where product_id = 1")
            #expect(try await shop.value("select number_events()") == "\(last + 1)")
            #expect(try await shop.value("select max(sequence) from event") == "\(last + 1)")
            #expect(try await shop.rows(Invariants.streamSQL) == [])
        }
    }
}
