import Postgres
import PricingClient
import PricingProtocol
import PricingTestSupport
import Testing

/// A batch that nothing keeps apart is placed as one set, and that gives what one order after another gives.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct OrdersTogetherTests {
    /// What a shop lives through between two ticks.
    private enum Step {
        case orders([String])
        case restock(product: Int, quantity: Int)
        /// The order that was placed as the so-many-th.
        case cancel(Int)
        case day(Int)
    }

    @Test(arguments: 1...2)
    func `Batches between restocks, cancellations and ticks give what one by one gives`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let steps = Self.life(&random, orders: 5000)
        try await Shop.with { batched in
            try await stock(batched)
            var together: [String] = []
            for step in steps { together += try await take(step, in: batched) { try await place($0, in: batched) } }
            try await Shop.with { single in
                try await stock(single)
                var alone: [String] = []
                for step in steps {
                    alone += try await take(step, in: single) { calls in
                        var answers: [String] = []
                        for call in calls { answers += try await place([call], in: single) }
                        return answers
                    }
                }
                for (index, pair) in zip(together, alone).enumerated() where pair.0 != pair.1 {
                    Issue.record("seed \(seed), order \(index): \(pair.0) beside \(pair.1)")
                }
                #expect(together.count == alone.count)
                let rows = Set(try await batched.rows(Self.result))
                let expected = Set(try await single.rows(Self.result))
                #expect(rows.subtracting(expected).sorted() == expected.subtracting(rows).sorted(), "seed \(seed)")
                let moves = "select count(*) > 2 from price_change where cause = 'sale'"
                #expect(try await single.value(moves) == "t", "prices have to move for this to show anything")
            }
            #expect(try await batched.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `A hundred sales of one product are one update of its row, a line each in ledger and stream`() async throws {
        try await Shop.with { shop in
            try await stock(shop)
            let calls = (0..<100).map { Self.call(#"{"productId": 1, "quantity": \#($0 % 3 + 1)}"#, key: "k\($0)") }
            let answers = try await shop.rows(
                """
                with before as materialized (select pg_stat_get_xact_tuples_updated('inventory'::regclass) as updates)
                select (select count(*) filter (where o.state is null) from place_orders($1) o) || ' '
                       || pg_stat_get_xact_tuples_updated('inventory'::regclass) - updates
                from before
                """,
                [.text("[\(calls.joined(separator: ", "))]")]
            )
            #expect(answers == ["100 1"])
            #expect(try await shop.value("select count(*) from stock_movement where kind = 'sale'") == "100")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `Sales that move the price between them are refused as one update, and placed in turn`() async throws {
        try await Shop.with { shop in
            try await stock(shop)
            let low = try await shop.product(base: "10.00", stock: 25, low: 10)
            let sales = """
                update inventory
                set stock = stock - 20, sales = 2 where product_id = \(low)
                """
            #expect(await shop.refusal(sales)?.sqlState?.code == "PR903")
            let calls = (0..<20).map { Self.call(#"{"productId": \#(low), "quantity": 1}"#, key: "k\($0)") }
            let answers = try await place(calls, in: shop)
            #expect(answers.filter { $0.contains(#""unitPrice": "10.00""#) }.count == 15, "until ten are left")
            #expect(answers.filter { $0.contains(#""unitPrice": "11.00""#) }.count == 5)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    // MARK: steps

    private static func life(_ random: inout SplitMix64, orders: Int) -> [Step] {
        var steps: [Step] = []
        var placed = 0
        while placed < orders {
            switch random.number(1...20) {
            case 1, 2: steps.append(.restock(product: random.number(1...7), quantity: random.number(1...200)))
            case 3, 4: steps.append(.cancel(random.number(1...max(1, placed))))
            case 5: steps.append(.day(steps.count))
            default:
                let count = random.oneIn(3) ? random.number(1...15) : random.number(16...64)
                steps.append(.orders((0..<count).map { call(&random, number: placed + $0) }))
                placed += count
            }
        }
        return steps
    }

    /// Mostly the first product, so that a batch has many sales of it.
    private static func call(_ random: inout SplitMix64, number: Int) -> String {
        let lines = (0..<random.number(1...2)).map { _ in
            let most = random.oneIn(40) ? #", "maxUnitPrice": "20.00""# : ""
            let product = random.oneIn(2) ? 1 : random.number(1...7)
            return #"{"productId": \#(product), "quantity": \#(random.number(1...2))\#(most)}"#
        }
        return call(lines.joined(separator: ", "), key: random.oneIn(60) ? "again" : "key \(number)")
    }

    private static func call(_ lines: String, key: String) -> String {
        #"{"params": {"customerId": 1, "lines": [\#(lines)]}, "key": "\#(key)", "actor": "tester"}"#
    }

    /// A product of each strategy.
    private func stock(_ shop: Shop) async throws {
        try await shop.setDay(0)
        _ = try await shop.buyer()
        for strategy in Strategies.names {
            try await shop.product(base: "20.00", stock: strategy == "bands" ? 400 : 150, rule: strategy)
        }
        // The age of a season is part of a price's inputs.
        try await shop.run(
            """
            set session_replication_role = replica;
            update product set created_at = pricing_now();
            reset session_replication_role
            """
        )
    }

    private func take(
        _ step: Step,
        in shop: Shop,
        _ place: ([String]) async throws -> [String]
    ) async throws -> [String] {
        switch step {
        case .orders(let calls): return try await place(calls)
        case .day(let number): try await shop.setDay(number)
        case .restock(let product, let quantity):
            _ = try await shop.value(
                "select inventory_restock(jsonb_build_object('productId', \(product), 'quantity', \(quantity), 'reason', 'more'))"
            )
        case .cancel(let number):
            _ = try await shop.rows(
                """
                select order_cancel(jsonb_build_object('orderId', order_id, 'reason', 'back')) from request_key
                where order_id is not null order by key offset \(number - 1) limit 1
                """
            )
        }
        return []
    }

    /// The answers, without the numbers of orders: a batch that is tried again uses up some.
    private func place(_ calls: [String], in shop: Shop) async throws -> [String] {
        try await shop.rows(
            """
            select coalesce(state || ' ' || message || ' ' || coalesce(detail, ''), left(replayed::text, 1) || ' '
                            || regexp_replace(reply, '"orderId" : \\d+', ''))
            from place_orders($1) with ordinality u (reply, replayed, state, message, detail, broken, n) order by n
            """,
            [.text("[\(calls.joined(separator: ", "))]")]
        )
    }

    /// Every row that orders write, each order by its key; ticks take the products in any order.
    private static let result = """
        with o as (select o.*, key as place from customer_order o join request_key using (order_id))
        select concat_ws(' ', 'stock', to_jsonb(i) - array['stands_from', 'stands_to']) as line from inventory i
        union all select concat_ws(' ', 'order', place, customer_id, status, total, placed_at, changed_at, actor) from o
        union all select concat_ws(' ', 'line', place, product_id, quantity, unit_price) from order_line join o using (order_id)
        union all select concat_ws(' ', 'movement', m.product_id, sequence, kind, quantity, stock_after, place, m.actor, at)
            from stock_movement m left join o using (order_id)
        union all select concat_ws(' ', 'price', product_id, sequence, old_price, new_price, stock, cause, binding_guard,
                                   inputs, place, c.actor, at)
            from price_change c left join o using (order_id) where cause <> 'initial'
        union all select concat_ws(' ', 'event', case when product_id is not null
                                   then row_number() over (partition by product_id order by change_id, part) end,
                                   at, topic, op, product_id, before, after, cause ->> 'kind', place, e.actor)
            from recorded_event e left join o on o.order_id = (e.cause ->> 'orderId')::bigint
        union all select concat_ws(' ', 'key', key, request_hash) from request_key
        order by 1
        """
}
