import Postgres
import PricingClient
import PricingTestSupport
import Testing

/// `place_orders` is `order_place` many times: same answers, same prices, same rows.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct OrderBatchTests {
    private struct Call {
        let params: String
        let key: String

        var json: String { #"{"params": \#(params), "key": "\#(key)", "actor": "tester"}"# }
    }

    @Test(arguments: 1...3)
    func `A batch gives what its orders give one by one`(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let calls = (0..<120 * Int(effort)).map { _ in Self.randomCall(&random) }
        try await Shop.with { batched in
            try await stock(batched)
            var together: [String] = []
            var rest = calls[...]
            while !rest.isEmpty {
                let batch = rest.prefix(random.number(1...25))
                rest = rest.dropFirst(batch.count)
                together += try await place(batch, in: batched)
            }
            try await Shop.with { single in
                try await stock(single)
                for (index, call) in calls.enumerated() {
                    let alone = await one(call, in: single)
                    #expect(together[index] == alone, "seed \(seed), order \(index): \(call.json)")
                }
                #expect(try await batched.rows(Self.result) == (try await single.rows(Self.result)), "seed \(seed)")
                #expect(try await single.rows(Invariants.sql) == [])
            }
            #expect(try await batched.rows(Invariants.sql) == [])
            #expect(Set(together.map { $0.prefix(5) }).count >= 6, "too few kinds of answers: seed \(seed)")
        }
    }

    /// One order of every kind of refusal, with the state that refuses it.
    private static let poison: [(state: String, params: String)] = [
        ("PR401", #"{"customerId": 99, "lines": [{"productId": 1, "quantity": 1}]}"#),
        ("PR401", #"{"customerId": 2, "lines": [{"productId": 1, "quantity": 1}]}"#),
        ("PR101", #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1}, {"productId": 99, "quantity": 1}]}"#),
        ("PR102", #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1}, {"productId": 5, "quantity": 1}]}"#),
        ("PR102", #"{"customerId": 1, "lines": [{"productId": 6, "quantity": 1}]}"#),
        (
            "PR201",
            #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1}, {"productId": 2, "quantity": 9999}]}"#
        ),
        ("PR204", #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1, "maxUnitPrice": "1.00"}]}"#),
        ("22003", #"{"customerId": 1, "lines": [{"productId": 99999999999999999999, "quantity": 1}]}"#),
        ("22P02", #"{"customerId": 1, "lines": [{"productId": "x", "quantity": 1}]}"#),
        ("22023", #"{"customerId": 1, "lines": {"productId": 1}}"#),
        ("PR602", #"{"customerId": 1, "lines": []}"#),
    ]

    @Test(arguments: poison.indices)
    func `A poisonous order fails alone, for every refusal`(index: Int) async throws {
        let poison = Self.poison[index]
        let good = #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 2}, {"productId": 3, "quantity": 1}]}"#
        try await Shop.with { shop in
            try await stock(shop)
            let answers = try await place(
                [Call(params: good, key: "a"), Call(params: poison.params, key: "b"), Call(params: good, key: "c")],
                in: shop
            )
            #expect(answers[1].hasPrefix(poison.state), "\(answers[1])")
            #expect(answers[0].hasPrefix("f {") && answers[2].hasPrefix("f {"))
            #expect(try await shop.value("select count(*) from customer_order") == "2")
            #expect(
                try await shop.value(
                    "select string_agg(stock::text, ' ' order by product_id) from inventory where product_id < 4"
                ) == "16 8 38"
            )
            #expect(try await shop.rows("select key from request_key order by 1") == ["a", "c"])
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `A key of another request is refused alone, the same request is replayed`() async throws {
        try await Shop.with { shop in
            try await stock(shop)
            let order = #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1}]}"#
            let other = #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 2}]}"#
            let answers = try await place(
                [order, order, other].map { Call(params: $0, key: "same") } + [Call(params: other, key: "new")],
                in: shop
            )
            #expect(answers[0].hasPrefix("f {") && answers[1] == "t" + answers[0].dropFirst())
            #expect(answers[2].hasPrefix("PR009"))
            #expect(answers[3].hasPrefix("f {"))
            #expect(try await shop.stock(1) == 17)
        }
    }

    /// Seven products and two users; the second user is gone, the fifth product archived, the sixth not for sale.
    private func stock(_ shop: Shop) async throws {
        try await shop.setDay(0)
        for (base, stock) in [("10.00", 20), ("99.99", 8), ("0.05", 40), ("250.00", 160), ("5.00", 9), ("5.00", 9)] {
            try await shop.product(base: base, stock: stock)
        }
        try await shop.product(base: "4000000000.00", stock: 2_000_000)
        _ = try await shop.buyer()
        let gone = try await shop.buyer("gone@example.com")
        _ = try await shop.value("select user_delete(jsonb_build_object('userId', \(gone)))")
        _ = try await shop.value(#"select product_archive('{"productId": 5}')"#)
        try await shop.run("update product set active = false where product_id = 6")
    }

    private func place(_ calls: some Collection<Call>, in shop: Shop) async throws -> [String] {
        try await shop.rows(
            """
            select coalesce(state || ' ' || message || ' ' || coalesce(detail, ''),
                            left(replayed::text, 1) || ' ' || regexp_replace(reply, '"orderId" : \\d+', ''))
            from place_orders($1) with ordinality u (reply, replayed, state, message, detail, broken, n) order by n
            """,
            [.text("[" + calls.map(\.json).joined(separator: ", ") + "]")]
        )
    }

    private func one(_ call: Call, in shop: Shop) async -> String {
        do throws(PostgresError) {
            return try await shop.rows(
                """
                select left(replayed::text, 1) || ' ' || regexp_replace(reply, '"orderId" : \\d+', '')
                from run_write('order_place', 'order.place', $1, $2, 'tester')
                """,
                [.text(call.params), .text(call.key)]
            ).joined()
        } catch {
            return "\(error.sqlState?.code ?? "") \(error.message) \(error.detail ?? "")"
        }
    }

    /// Every row that orders write, each order by its key; the events of a product in their order.
    private static let result = """
        with kept as (select key, request_hash, coalesce(order_id, (reply::jsonb ->> 'orderId')::bigint) as order_id
                      from request_key),
             o as (select o.*, key as place from customer_order o join kept using (order_id))
        select (to_jsonb(i) - array['stands_from', 'stands_to'])::text from inventory i
        union all select concat_ws(' ', place, customer_id, status, total, placed_at, changed_at, actor) from o
        union all select concat_ws(' ', place, product_id, quantity, unit_price) from order_line join o using (order_id)
        union all select concat_ws(' ', product_id, sequence, kind, quantity, stock_after, place, ends_order, m.actor, at)
            from stock_movement m left join o using (order_id)
        union all select concat_ws(' ', product_id, sequence, old_price, new_price, stock, cause, binding_guard, inputs,
                                   place, c.actor, at) from price_change c left join o using (order_id)
        union all select concat_ws(' ', case when product_id is not null
                                   then row_number() over (partition by product_id order by change_id, part) end,
                                   at, topic, op, product_id, before, after, cause ->> 'kind', place, e.actor)
            from recorded_event e left join o on o.order_id = (e.cause ->> 'orderId')::bigint
        union all select concat_ws(' ', key, request_hash) from kept
        order by 1
        """

    private static func randomCall(_ random: inout SplitMix64) -> Call {
        let lines = (0..<random.number(1...4)).map { _ in
            let most = random.oneIn(6) ? #", "maxUnitPrice": "\#(random.number(5...300)).00""# : ""
            let quantity = random.oneIn(8) ? random.number(5...60) : random.number(1...3)
            let product = random.oneIn(12) ? random.number(5...8) : random.number(1...4)
            return #"{"productId": \#(product), "quantity": \#(quantity)\#(most)}"#
        }
        let customer = random.oneIn(15) ? random.number(2...3) : 1
        return Call(
            params: #"{"customerId": \#(customer), "lines": [\#(lines.joined(separator: ", "))]}"#,
            key: random.oneIn(8) ? "key \(random.number(1...4))" : "key \(random.next())"
        )
    }
}
