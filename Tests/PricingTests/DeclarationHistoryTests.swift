import Postgres
import PricingTestSupport
import Testing

/// What was declared of a product, whoever declared it and by whatever way.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct DeclarationHistoryTests {
    /// Each line in short, oldest first.
    private static let lines = """
        select concat_ws(' ', sequence, declaration_kind(before, after), cause, actor,
                         (select string_agg(concat(wire_name(key), ' ', before ->> key, '>', value #>> '{}'), ', ' order by key)
                          from jsonb_each(after) where before is not null))
        from declaration_change where product_id = $1 order by sequence
        """

    @Test func `each way to declare leaves its line, direct SQL too, and what changes nothing leaves none`()
        async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await shop.run("update product set base_price = 110 where product_id = \(product)")
            try await shop.run(
                "update product set base_price = 110, version = version + 1 where product_id = \(product)"
            )
            try await shop.run("update inventory set price = 120 where product_id = \(product)")
            try await shop.run("update inventory set stock = stock - 1 where product_id = \(product)")
            for (method, params) in [
                ("product.update", #"{"productId": \#(product), "title": "Lamp"}"#),
                ("price.unpin", #"{"productId": \#(product)}"#),
                (
                    "product.import",
                    #"{"mode": "atomic", "rows": [{"product": {"productId": \#(product), "lowStock": 5}}]}"#
                ),
                ("product.archive", #"{"productId": \#(product)}"#),
                ("product.restore", #"{"productId": \#(product)}"#),
            ] {
                _ = try await shop.value(
                    "select run_write(replace($1, '.', '_'), $1, $2::jsonb, null, 'ann')",
                    [.text(method), .text(params)]
                )
            }
            let found = try await shop.rows(Self.lines, [.int(Int64(product))])
                .map { $0.replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[^,>]*/, with: "then") }
            let me = try await shop.value("select session_user")
            #expect(
                found == [
                    "1 create sql \(me)",
                    "2 declare sql \(me) basePrice 100.00>110.00",
                    "3 pin sql \(me) pin >120.00, pinnedUntil >infinity",
                    "4 declare call ann title Thing>Lamp",
                    "5 unpin call ann pin 120.00>, pinnedUntil infinity>",
                    "6 declare import ann lowStock 10>5",
                    "7 archive call ann active true>false, archived >then",
                    "8 restore call ann active false>true, archived then>",
                ]
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test func `no role can change or remove a line, and a line is an event`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            for sql in [
                "update declaration_change set actor = 'nobody'", "delete from declaration_change",
                "truncate declaration_change",
            ] {
                #expect(await shop.refusal(sql)?.sqlState?.code == "PR903")
            }
            try await shop.run("update product set base_price = 110 where product_id = \(product)")
            _ = try await shop.value("select number_events()")
            #expect(
                try await shop.rows(
                    """
                    select op || ' ' || key || ' ' || coalesce(after ->> 'basePrice', '') from event
                    where topic = 'catalogue' and product_id is not null
                    """
                ) == ["insert \(product) 100.00", "update \(product) 110.00"]
            )
            #expect(try await shop.rows(Invariants.streamSQL) == [])
        }
    }

    @Test func `a title and a pin at the same time are two lines, in either order`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            let title = #"select product_update('{"productId": \#(product), "title": "Lamp"}')"#
            let pin = #"select price_pin('{"productId": \#(product), "price": "120.00"}')"#
            let unpin = #"select price_unpin('{"productId": \#(product)}')"#
            #expect(try await shop.race(title, against: pin) == nil)
            #expect(try await shop.race(unpin, against: title.replacing("Lamp", with: "Light")) == nil)
            #expect(
                try await shop.rows(
                    "select sequence || declaration_kind(before, after) from declaration_change order by change_id"
                ) == ["1create", "2declare", "3pin", "4unpin", "5declare"]
            )
        }
    }

    @Test func `a restored product is for sale as it was, under its rule's successor, and its orders are still there`()
        async throws
    {
        try await Shop.with { shop in
            let (sold, unlisted) = (try await shop.product(), try await shop.product())
            let buyer = try await shop.buyer()
            _ = try await shop.value(
                #"select order_place('{"customerId": \#(buyer), "lines": [{"productId": \#(sold), "quantity": 1}]}')"#
            )
            try await shop.run("update product set active = false where product_id = \(unlisted)")
            for product in [sold, unlisted] {
                _ = try await shop.value(#"select product_archive('{"productId": \#(product)}')"#)
            }
            let next = try await shop.value(
                #"select rule_create('{"name": "bands", "strategy": "bands", "parameters": {"up": 0.15}}') ->> 'ruleId'"#
            )
            _ = try await shop.value(#"select rule_activate('{"ruleId": \#(next)}')"#)
            try await shop.run("update inventory set stock = 5 where product_id = \(sold)")
            #expect(try await shop.price(sold) == "100.00", "an archived product stands still")
            for (product, active) in [(sold, "true"), (unlisted, "false")] {
                let restore = #"product_restore('{"productId": \#(product)}')"#
                #expect(try await shop.value("select \(restore) ->> 'active'") == active)
                #expect(try await shop.value("select \(restore) ->> 'ruleId'") == next, "again changes nothing")
            }
            #expect(try await shop.price(sold) == "115.00")
            #expect(try await shop.value("select count(*) from order_line where product_id = \(sold)") == "1")
            #expect(
                try await shop.value("select max(sequence) from declaration_change where product_id = \(sold)") == "3"
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }
}
