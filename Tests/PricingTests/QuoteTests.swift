import Postgres
import PricingTestSupport
import Testing

/// Quotes hold price and stock together: nobody else has them, and they move no price.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct QuoteTests {
    private struct Buyers {
        let one: Int
        let other: Int

        init(_ shop: Shop) async throws {
            one = try await shop.buyer("one@example.com")
            other = try await shop.buyer("other@example.com")
        }
    }

    @Test func `A thousand abandoned quotes move nothing, and nothing is left of them`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let product = try await shop.product(stock: 1050)
            let steady = try await shop.rows(
                "select (price, stands_from, stands_to, change_count)::text from inventory"
            )
            try await shop.setClock("2031-01-01T12:00:00Z")
            let before = try await shop.value("select count(*) from price_change")
            try await shop.run(
                """
                select quote_create('{"customerId": \(buyers.one), "lines": [{"productId": \(product), "quantity": 1}],
                                      "ttlSeconds": 60}') from generate_series(1, 1000)
                """
            )
            #expect(try await shop.value("select held from inventory") == "1000")
            #expect(await shop.outcome(place(buyers.other, [(product, 51)]))?.sqlState?.code == "PR201")
            try await shop.setClock("2031-01-01T12:01:00Z")
            #expect(try await shop.value("select stock || ' ' || held from inventory") == "1050 0")
            #expect(
                try await shop.rows("select (price, stands_from, stands_to, change_count)::text from inventory")
                    == steady
            )
            #expect(try await shop.value("select count(*) from price_change") == before)
            #expect(
                try await shop.rows("select kind || ' ' || sum(quantity) from stock_movement group by kind order by 1")
                    == ["expire -1000", "hold 1000", "initial 1050"]
            )
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(try await shop.rows("select kind from audit_products(array[\(product)])") == [])
        }
    }

    @Test func `An order under a quote pays the lower of both prices, once`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let (falls, rises) = (try await shop.product(stock: 50), try await shop.product(stock: 50))
            let quote = try await quoted(buyers.one, [(falls, 2), (rises, 3)], shop)
            try await shop.run(
                """
                update product set base_price = 90 where product_id = \(falls);
                update product set base_price = 120 where product_id = \(rises);
                """
            )
            let order = #"{"customerId": \#(buyers.one), "quoteId": \#(quote)}"#
            #expect(
                try await shop.rows(
                    """
                    select concat_ws(' ', l ->> 'productId', l ->> 'quantity', l ->> 'unitPrice')
                    from order_place('\(order)') o, json_array_elements(o -> 'lines') l
                    """
                ) == ["\(falls) 2 90.00", "\(rises) 3 100.00"]
            )
            let again = await shop.refusal("select order_place('\(order)')")
            #expect(again?.sqlState?.code == "PR205")
            #expect(again?.detail?.contains(#""status": "ordered""#) == true)
            #expect(try await shop.rows("select stock || ' ' || held from inventory") == ["48 0", "47 0"])
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(try await shop.rows("select kind from audit_orders(1, 10)") == [])
        }
    }

    @Test func `Refused in words: another's quote, one that is over, and more than it holds`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let product = try await shop.product(stock: 50)
            let other = try await shop.product(stock: 50)
            let quote = try await quoted(buyers.one, [(product, 2)], shop)
            func order(_ members: String) async -> PostgresError? {
                await shop.refusal("select order_place('{\(members)}')")
            }
            #expect(await order(#""customerId": \#(buyers.other), "quoteId": \#(quote)"#)?.sqlState?.code == "PR206")
            #expect(await order(#""customerId": \#(buyers.one), "quoteId": 99"#)?.sqlState?.code == "PR206")
            let more = await order(
                #""customerId": \#(buyers.one), "quoteId": \#(quote), "lines": [{"productId": \#(product), "quantity": 3}]"#
            )
            #expect(more?.sqlState?.code == "PR602")
            #expect(more?.detail?.contains(#""expected": 2"#) == true)
            let strange = await order(
                #""customerId": \#(buyers.one), "quoteId": \#(quote), "lines": [{"productId": \#(other), "quantity": 1}]"#
            )
            #expect(strange?.detail?.contains(#""expected": 0"#) == true)
            #expect(await order(#""customerId": \#(buyers.one)"#)?.detail?.contains("/lines") == true)
            try await shop.run(#"select quote_release('{"quoteId": \#(quote), "reason": "no"}')"#)
            let released = await order(#""customerId": \#(buyers.one), "quoteId": \#(quote)"#)
            #expect(released?.detail?.contains(#""status": "released""#) == true)
            #expect(await shop.refusal(#"select quote_extend('{"quoteId": \#(quote)}')"#)?.sqlState?.code == "PR205")
            #expect(
                try await shop.value(#"select quote_release('{"quoteId": \#(quote)}') ->> 'reason'"#) == "no",
                "a repeat changes nothing"
            )
            #expect(try await shop.value("select count(*) from customer_order") == "0")
        }
    }

    @Test func `A quote never stands in its owner's way`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let product = try await shop.product(stock: 5)
            let first = try await quoted(buyers.one, [(product, 4)], shop)
            #expect(await shop.outcome(place(buyers.other, [(product, 2)]))?.sqlState?.code == "PR201")
            let second = try await quoted(buyers.one, [(product, 5)], shop)
            #expect(try await status(first, shop) == "released")
            #expect(await shop.outcome(place(buyers.one, [(product, 6)]))?.sqlState?.code == "PR201")
            #expect(try await status(second, shop) == "open", "what would not be enough is kept")
            #expect(await shop.outcome(place(buyers.one, [(product, 3)])) == nil)
            #expect(try await status(second, shop) == "released")
            #expect(await shop.outcome(place(buyers.other, [(product, 2)])) == nil)
            #expect(try await shop.value("select stock || ' ' || held from inventory") == "0 0")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test func `A quote is extended, but nothing is held for longer than a day`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let product = try await shop.product(stock: 5)
            try await shop.setClock("2031-01-01T12:00:00Z")
            let quote = try await quoted(buyers.one, [(product, 4)], shop)
            func extend(_ seconds: Int) async throws -> String {
                try await shop.value(
                    #"select quote_extend('{"quoteId": \#(quote), "ttlSeconds": \#(seconds)}') ->> 'expiresAt'"#
                )
            }
            #expect(try await extend(36_000) == "2031-01-01T22:00:00.000Z")
            try await shop.setClock("2031-01-01T20:00:00Z")
            #expect(try await extend(86_400) == "2031-01-02T12:00:00.000Z")
            #expect(try await extend(60) == "2031-01-01T20:01:00.000Z")
            try await shop.setClock("2031-01-03T00:00:00Z")
            #expect(try await status(quote, shop) == "expired")
            #expect(
                try await shop.value(
                    """
                    select rfc3339(closed_at) || ' ' || m.actor from quote, stock_movement m where kind = 'expire'
                    """
                ) == "2031-01-01T20:01:00.000Z quote",
                "at its own time"
            )
        }
    }

    @Test func `Direct SQL holds and lets go as calls do, and never more than there is`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let product = try await shop.product(stock: 5)
            try await shop.run(
                """
                insert into quote (customer_id, expires_at) values (\(buyers.one), now() + interval '1 hour');
                insert into quote_line values (1, \(product), 4, 100);
                """
            )
            #expect(try await shop.value("select held from inventory") == "4")
            for (sql, code) in [
                ("update inventory set held = 0", "PR903"), ("update quote_line set quantity = 1", "PR903"),
                ("delete from quote", "PR903"), ("update quote set customer_id = 9", "PR903"),
                ("insert into quote (customer_id, expires_at) values (1, now() + interval '25 hours')", "23514"),
                (
                    "insert into quote (customer_id, status, expires_at) values (1, 'expired', now() + interval '1 h')",
                    "PR903"
                ),
                ("update inventory set stock = 3", "23514"),
                ("select inventory_adjust('{\"productId\": 1, \"quantity\": -2}')", "PR201"),
            ] {
                #expect(await shop.refusal(sql)?.sqlState?.code == code, "\(sql)")
            }
            let more = """
                insert into quote (customer_id, expires_at) values (\(buyers.other), now() + interval '1 hour');
                insert into quote_line select max(quote_id), \(product), 2, 100 from quote;
                """
            #expect(await shop.refusal(more)?.sqlState?.code == "23514")
            try await shop.run("update quote set status = 'released' where quote_id = 1")
            #expect(try await shop.value("select held from inventory") == "0")
            #expect(
                await shop.refusal("update quote set status = 'open' where quote_id = 1")?.sqlState?.code == "PR903"
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test func `Two sessions and one last unit: the quote or the order has it, whoever came first`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let product = try await shop.product(stock: 1)
            let quote = quoting(buyers.one, [(product, 1)])
            #expect(try await shop.race(quote, against: place(buyers.other, [(product, 1)]))?.sqlState?.code == "PR201")
            let order = #"select order_place('{"customerId": \#(buyers.one), "quoteId": 1}')"#
            let release = #"select quote_release('{"quoteId": 1}')"#
            #expect(try await shop.race(order, against: release) == nil)
            #expect(try await status(1, shop) == "ordered")
            let another = try await shop.product(stock: 1)
            #expect(
                try await shop.race(place(buyers.other, [(another, 1)]), against: quoting(buyers.one, [(another, 1)]))?
                    .sqlState?.code == "PR201"
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test func `Of two sessions that let quotes expire each takes its own; a locked product keeps its for later`()
        async throws
    {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            let (free, locked) = (try await shop.product(stock: 5), try await shop.product(stock: 5))
            try await shop.setClock("2031-01-01T12:00:00Z")
            for product in [free, locked, free] { _ = try await quoted(buyers.one, [(product, 1)], shop) }
            try await shop.run("update virtual_clock set at = '2031-01-01 13:00Z'")
            let other = try await shop.another()
            try await shop.holding("select from inventory where product_id = \(locked) for update") {
                var seen: [String] = []
                for sql in ["quote_step(10)::text", "quote_step(10)::text", "seconds_to_quote()"] {
                    seen.append(try await other.value("select \(sql)"))
                }
                #expect(seen == ["(2,t)", "(0,t)", "0.2"], "what is locked is tried again soon")
            }
            #expect(try await other.value("select quote_step(10)::text") == "(1,t)")
            #expect(try await other.value("select coalesce(seconds_to_quote(), 'infinity')") == "Infinity")
            await other.connection.close()
            #expect(try await shop.value("select count(*) from stock_movement where kind = 'expire'") == "3")
        }
    }

    @Test func `A rule may count what carts hold, or what has not left; lint says what that costs`() async throws {
        try await Shop.with { shop in
            let buyers = try await Buyers(shop)
            func follow(_ signal: String) async throws -> Int {
                let rule = try await shop.value(
                    #"select rule_create('{"name": "\#(signal)", "strategy": "bands", "parameters": {"signal": "\#(signal)"}}') ->> 'ruleId'"#
                )
                let product = try await shop.product(stock: 50)
                try await shop.run(#"select rule_activate('{"ruleId": \#(rule), "productIds": [\#(product)]}')"#)
                return product
            }
            let carts = try await follow("available")
            let quote = try await quoted(buyers.one, [(carts, 40)], shop)
            #expect(try await shop.price(carts) == "110.00", "ten are available")
            try await shop.run(#"select order_place('{"customerId": \#(buyers.one), "quoteId": \#(quote)}')"#)
            #expect(
                try await shop.rows("select cause || ' ' || new_price from price_change where product_id = \(carts)")
                    == ["hold 110.00"],
                "what was held is sold: nothing moves in between"
            )
            let house = try await follow("on_hand")
            try await shop.run(place(buyers.other, [(house, 40)]))
            #expect(try await shop.price(house) == "100.00", "they have not left")
            let order = try await shop.value("select max(order_id) from customer_order")
            try await shop.run(
                """
                select order_advance('{"orderId": \(order), "status": "processing"}');
                select order_advance('{"orderId": \(order), "status": "completed"}');
                """
            )
            #expect(try await shop.price(house) == "110.00")
            try await shop.run(place(buyers.other, [(house, 5)]))
            let broken = try await shop.value("select max(order_id) from customer_order")
            try await shop.run(#"select order_cancel('{"orderId": \#(broken), "restock": false}')"#)
            #expect(try await shop.value("select unshipped from inventory where product_id = \(house)") == "0")
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(try await shop.rows("select kind from audit_products(array[\(carts), \(house)])") == [])
            for (signal, code) in [("available", "CARTS_MOVE_PRICE"), ("on_hand", "SALES_UNSEEN")] {
                #expect(
                    try await shop.rows(
                        """
                        select f ->> 'code' from rule_lint('{"strategy": "bands", "parameters": {"signal": "\(signal)"}}') l,
                               json_array_elements(l -> 'findings') f
                        """
                    ).contains(code)
                )
            }
        }
    }

    // MARK: Calls

    private func quoting(_ buyer: Int, _ lines: [(product: Int, quantity: Int)]) -> String {
        let wanted = lines.map { #"{"productId": \#($0.product), "quantity": \#($0.quantity)}"# }
        return
            #"select quote_create('{"customerId": \#(buyer), "lines": [\#(wanted.joined(separator: ", "))]}') ->> 'quoteId'"#
    }

    private func quoted(_ buyer: Int, _ lines: [(product: Int, quantity: Int)], _ shop: Shop) async throws -> Int {
        try #require(Int(try await shop.value(quoting(buyer, lines))))
    }

    private func status(_ quote: Int, _ shop: Shop) async throws -> String {
        try await shop.value("select status from quote where quote_id = \(quote)")
    }
}
