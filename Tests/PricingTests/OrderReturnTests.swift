import Postgres
import PricingTestSupport
import Testing

/// Orders after they were placed: parts that come back, broken goods, who moved what, and what lists find.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct OrderReturnTests {
    @Test func `Parts of an order come back several times, never more than was bought, and the last ends it`()
        async throws
    {
        try await Shop.with { shop in
            let (first, second) = (try await shop.product(stock: 50), try await shop.product(stock: 50))
            let order = try await placed([(first, 5), (second, 3)], shop)
            let early = await shop.refusal(returning(order, first, 1))
            #expect(early?.sqlState?.code == "PR203", "it is pending")
            try await complete(order, shop)
            try await shop.run(
                """
                select order_return('{"orderId": \(order), "lines": [{"productId": \(first), "quantity": 2},
                                                                    {"productId": \(first), "quantity": 1}]}')
                """
            )
            try await shop.run(returning(order, first, 1))
            #expect(try await shop.value("select \(call("order_get", order)) #>> '{lines,0,returned}'") == "4")
            let more = await shop.refusal(returning(order, first, 2))
            #expect(more?.sqlState?.code == "PR602")
            #expect(more?.detail?.contains(#""expected": 1"#) == true)
            let strange = await shop.refusal(returning(order, try await shop.product(), 1))
            #expect(strange?.sqlState?.code == "PR602", "it was not bought")
            #expect(try await shop.stock(first) == 49)
            try await shop.run(returning(order, second, 3))
            #expect(try await status(order, shop) == "completed")
            try await shop.run(returning(order, first, 1))
            #expect(try await status(order, shop) == "returned")
            #expect(try await shop.rows("select \(call("order_return", order)) ->> 'status'") == ["returned"])
            #expect(try await shop.rows("select stock from inventory") == ["50", "50", "50"])
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(try await shop.rows("select kind from audit_orders(1, 10)") == [])
        }
    }

    @Test func `Broken goods come back and leave again in the ledger, and move no price`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 12)
            let order = try await placed([(product, 2)], shop)
            #expect(try await shop.price(product) == "110.00", "ten are left")
            try await complete(order, shop)
            try await shop.run(
                #"select order_return('{"orderId": \#(order), "restock": false, "reason": "broken"}')"#
            )
            let lost = try await placed([(product, 1)], shop)
            try await shop.run(#"select order_cancel('{"orderId": \#(lost), "restock": false}')"#)
            #expect(
                try await shop.rows(
                    "select concat_ws(' ', kind, quantity, stock_after, reason) from stock_movement order by sequence"
                ) == [
                    "initial 12 12 ", "sale -2 10 ", "return 2 12 broken", "adjust -2 10 not restocked",
                    "sale -1 9 ", "cancel 1 10 ", "adjust -1 9 not restocked",
                ]
            )
            #expect(try await shop.price(product) == "110.00")
            #expect(try await shop.value("select count(*) from price_change") == "1")
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(try await shop.rows("select kind from audit_ledger(array[\(product)])") == [])
        }
    }

    @Test func `An order keeps the titles it was bought under, and who moved it`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 50)
            try await shop.run("update product set title = 'Old'")
            let order = try await placed([(product, 2)], shop)
            try await shop.run("update product set title = 'New'")
            try await shop.run("update product set title = 'Newer'")
            try await complete(order, shop)
            try await shop.run(returning(order, product, 1))
            #expect(try await shop.value("select \(call("order_get", order)) #>> '{lines,0,title}'") == "Old")
            let moves = """
                select concat_ws(' ', m ->> 'from', m ->> 'to', m ->> 'actor')
                from json_array_elements(\(call("order_history", order)) -> 'items') m
                """
            #expect(
                try await shop.rows(moves) == [
                    "pending me", "pending processing postgres", "processing completed postgres",
                    "completed completed postgres",
                ]
            )
        }
    }

    @Test func `Lists find orders by product, time and words, in either order`() async throws {
        try await Shop.with { shop in
            let (dear, cheap) = (try await shop.product(stock: 50), try await shop.product(base: "1.00", stock: 50))
            let orders = [
                try await placed([(dear, 1)], shop), try await placed([(cheap, 1)], shop),
                try await placed([(dear, 2), (cheap, 1)], shop),
            ]
            try await shop.run(
                """
                update app_user set full_name = 'Zoë Byron';
                update customer_order set placed_at = '2026-01-01' where order_id = \(orders[0])
                """
            )
            for (filter, found) in [
                (#""productId": \#(cheap)"#, [2, 1]), (#""to": "2026-01-02T00:00:00Z""#, [0]),
                (#""from": "2026-01-02T00:00:00Z""#, [2, 1]), (#""search": "ZOE""#, [2, 1, 0]),
                (#""search": "nobody""#, []), (#""search": "\#(orders[1])""#, [1]), (#""sort": "total""#, [1, 0, 2]),
                (#""sort": "placedAt""#, [0, 1, 2]), (#""sort": "-total", "productId": \#(dear)"#, [2, 0]),
            ] as [(String, [Int])] {
                #expect(try await listed("{\(filter)}", shop) == found.map { orders[$0] }, "\(filter)")
            }
        }
    }

    @Test func `Days and months are the shop's own, and what came back is no revenue`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(base: "10.00", stock: 50)
            let order = try await placed([(product, 3)], shop)
            try await complete(order, shop)
            try await shop.run(
                """
                update customer_order set placed_at = '2026-01-31T23:30:00Z';
                insert into virtual_clock (at) values ('2026-02-01T10:00:00Z')
                """
            )
            try await shop.run(returning(order, product, 1))
            let february = """
                select m ->> 'revenue' from json_array_elements(dashboard_monthly_revenue('{}') -> 'items') m
                where m ->> 'month' = '2026-02'
                """
            let today = "select dashboard_stats('{}') ->> 'revenueToday'"
            #expect(try await shop.value(february) == "0.00")
            #expect(try await shop.value(today) == "0.00")
            try await shop.run(#"insert into setting values ('time_zone', '"Europe/Berlin"')"#)
            #expect(try await shop.value(february) == "20.00")
            #expect(try await shop.value(today) == "20.00")
            let nowhere = await shop.refusal(#"update setting set value = '"Mars/Base"' where name = 'time_zone'"#)
            #expect(nowhere?.sqlState?.code == "PR602")
        }
    }

    // MARK: steps

    private func placed(_ lines: [(product: Int, quantity: Int)], _ shop: Shop) async throws -> Int {
        let wanted = lines.map { #"{"productId": \#($0.product), "quantity": \#($0.quantity)}"# }.joined(
            separator: ", "
        )
        let buyer = try await shop.buyer("buyer@example.com")
        let reply = try await shop.value(
            """
            select reply::json ->> 'orderId' from place_orders(
                '[{"actor": "me", "params": {"customerId": \(buyer), "lines": [\(wanted)]}}]')
            """
        )
        return try #require(Int(reply))
    }

    private func complete(_ order: Int, _ shop: Shop) async throws {
        for status in ["processing", "completed"] {
            try await shop.run(#"select order_advance('{"orderId": \#(order), "status": "\#(status)"}')"#)
        }
    }

    private func call(_ function: String, _ order: Int) -> String {
        #"\#(function)('{"orderId": \#(order)}')"#
    }

    private func returning(_ order: Int, _ product: Int, _ quantity: Int) -> String {
        """
        select order_return(
            '{"orderId": \(order), "lines": [{"productId": \(product), "quantity": \(quantity)}]}') ->> 'status'
        """
    }

    private func status(_ order: Int, _ shop: Shop) async throws -> String {
        try await shop.value("select status from customer_order where order_id = \(order)")
    }

    private func listed(_ params: String, _ shop: Shop) async throws -> [Int] {
        try await shop.rows(
            "select o ->> 'orderId' from json_array_elements(order_list('\(params)') -> 'items') o"
        ).compactMap { Int($0) }
    }
}
