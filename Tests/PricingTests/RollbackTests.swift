import Postgres
import PricingTestSupport
import Testing

/// Putting back what was declared, and taking back what automation moved.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct RollbackTests {
    private static let noon = "2031-03-01T12:00:00Z"
    private static let evening = "2031-03-01T20:00:00Z"

    /// A call as the daemon makes it: what was committed before has its number. Gives the whole reply as text.
    private func rollBack(_ shop: Shop, _ params: String, actor: String = "ann") async throws -> String {
        _ = try await shop.value("select number_events()")
        return try await shop.value(
            "select reply from run_write('price_rollback', 'price.rollback', $1::jsonb, null, $2)",
            [.text(params), .text(actor)]
        )
    }

    private func write(_ shop: Shop, _ method: String, _ params: String, actor: String = "bob") async throws {
        _ = try await shop.value(
            "select run_write(replace($1, '.', '_'), $1, $2::jsonb, null, $3)",
            [.text(method), .text(params), .text(actor)]
        )
    }

    /// A part of a reply: restored `id old>new how`, or skipped `id why`.
    private func restored(_ shop: Shop, _ reply: String) async throws -> [String] {
        try await shop.rows(
            """
            select concat_ws(' ', r ->> 'productId', (r ->> 'old') || '>' || (r ->> 'new'), r ->> 'how')
            from json_array_elements($1::json -> 'restored') r
            """,
            [.text(reply)]
        )
    }

    private func skipped(_ shop: Shop, _ reply: String) async throws -> [String] {
        try await shop.rows(
            "select concat_ws(' ', r ->> 'productId', r ->> 'why') from json_array_elements($1::json -> 'skipped') r",
            [.text(reply)]
        )
    }

    @Test func `every member that can be declared is put back, typed limits and those that follow base alike`()
        async throws
    {
        try await Shop.with { shop in
            let (typed, free) = (try await shop.product(), try await shop.product())
            try await shop.setClock(Self.noon)
            try await shop.run(
                """
                insert into supplier (company_name) values ('A'), ('B');
                insert into category (name) values ('Else');
                update product set supplier_id = (select min(supplier_id) from supplier), description = 'was', season_start = '2031-01-01',
                    season_end = '2031-12-31', season_profile = '{1,1}', unit_cost = 1, ref_rate = 1
                where product_id = \(typed);
                update product set floor_typed = false, ceiling_typed = false where product_id = \(free);
                """
            )
            let declared = "select string_agg(declared_members(p)::text, ' ' order by product_id) from product p"
            let before = try await shop.value(declared)
            try await shop.setClock(Self.evening)
            try await shop.run(
                """
                update product set sku = 'K' || product_id, title = 'New', description = 'is',
                    category_id = (select max(category_id) from category),
                    supplier_id = (select max(supplier_id) from supplier), base_price = 90.5,
                    unit_cost = 2.25, floor_price = 20, ceiling_price = 300, low_stock = 1, high_stock = 9,
                    rule_id = (select rule_id from rule where name = 'learn'), active = false, elasticity = 1.1,
                    ref_rate = 0.3, unit_value = 3.1, decay = 0.01, season_start = '2031-02-01', season_end = '2031-11-01',
                    season_profile = '{0.5,1.5}', floor_typed = true, ceiling_typed = true, archived_at = now();
                """
            )
            let unchanged = try await shop.rows(
                """
                select key from jsonb_object_keys(declared_members((select p from product p where product_id = \(free)))) key
                where not exists (select from declaration_change where cause = 'sql' and before ? key)
                """
            )
            #expect(unchanged == [], "the test changes every column")
            let reply = try await rollBack(shop, #"{"to": "\#(Self.evening)", "all": true}"#)
            #expect(try await skipped(shop, reply) == [])
            #expect(try await shop.value(declared) == before)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test func `a rollback moves each price once, pins included, and a second one finds nothing to do`() async throws {
        try await Shop.with { shop in
            let (pinned, unpinned, based) = (
                try await shop.product(), try await shop.product(), try await shop.product()
            )
            try await write(shop, "price.pin", #"{"productId": \#(unpinned), "price": "140.00", "reason": "fair"}"#)
            try await shop.setClock(Self.evening)
            // A pin beyond the limits of before, an end of a pin with a new base, and a new base alone.
            try await write(
                shop,
                "product.update",
                #"{"productId": \#(pinned), "basePrice": "300.00", "ceiling": "900.00"}"#
            )
            try await write(shop, "price.pin", #"{"productId": \#(pinned), "price": "800.00"}"#)
            try await write(shop, "price.unpin", #"{"productId": \#(unpinned)}"#)
            try await write(shop, "product.update", #"{"productId": \#(unpinned), "basePrice": "60.00"}"#)
            try await write(shop, "product.update", #"{"productId": \#(based), "basePrice": "60.00"}"#)
            let count = "select count(*) from price_change where cause = 'rollback'"
            let reply = try await rollBack(shop, #"{"to": "\#(Self.evening)", "all": true, "reason": "back"}"#)
            #expect(
                try await restored(shop, reply) == [
                    "\(pinned) 800.00>100.00 declaration", "\(unpinned) 60.00>140.00 declaration",
                    "\(based) 60.00>100.00 declaration",
                ]
            )
            #expect(try await skipped(shop, reply) == [])
            // The pin beyond the limits has to go before them: its price moves in two steps.
            #expect(try await shop.value(count) == "4")
            #expect(
                try await shop.value("select min(reason) || max(actor) from price_change where cause = 'rollback'")
                    == "backann"
            )
            let again = try await rollBack(shop, #"{"to": "2031-03-01T19:00:00Z", "all": true}"#)
            #expect(try await restored(shop, again) == [])
            #expect(try await skipped(shop, again) == [])
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test func `automation's move is taken back by a pin until the day ends, but not under a person's pin`()
        async throws
    {
        try await Shop.with { shop in
            try await shop.setClock(Self.noon)
            let (moved, pinned) = (try await shop.product(stock: 12), try await shop.product(stock: 12))
            try await shop.setClock(Self.evening)
            for product in [moved, pinned] {
                try await shop.run("update inventory set stock = 9 where product_id = \(product)")
            }
            #expect(try await shop.price(moved) == "110.00")
            try await shop.setClock("2031-03-01T21:00:00Z")
            try await write(shop, "price.pin", #"{"productId": \#(pinned), "price": "130.00"}"#, actor: "carl")
            let reply = try await rollBack(shop, #"{"to": "\#(Self.evening)", "all": true, "cause": "adjust"}"#)
            #expect(try await restored(shop, reply) == ["\(moved) 110.00>100.00 pin"])
            #expect(try await skipped(shop, reply) == ["\(pinned) pinned at 130.00: unpin it first"])
            #expect(
                try await shop.value("select rfc3339(pinned_until) from inventory where product_id = \(moved)")
                    == "2031-03-02T00:00:00.000Z"
            )
            try await shop.setClock("2031-03-02T00:00:00Z")
            #expect(try await shop.price(moved) == "110.00", "automation goes on")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `single price changes are taken back, a declaration's with what was declared, and an unknown one is refused`()
        async throws
    {
        try await Shop.with { shop in
            try await shop.setClock(Self.evening)
            let (first, second) = (try await shop.product(), try await shop.product())
            try await write(
                shop,
                "product.update",
                #"{"productId": \#(first), "basePrice": "60.00", "title": "Cheap"}"#
            )
            try await shop.run("update inventory set stock = 200 where product_id = \(second)")
            let ids = try await shop.value("select json_agg(price_change_id)::text from price_change")
            let reply = try await rollBack(shop, #"{"priceChangeIds": \#(ids), "hold": "2031-03-05T00:00:00Z"}"#)
            #expect(
                try await restored(shop, reply) == [
                    "\(first) 60.00>100.00 declaration", "\(second) 90.00>100.00 pin",
                ]
            )
            #expect(try await shop.value("select title from product where product_id = \(first)") == "Thing")
            #expect(
                try await shop.value("select rfc3339(pinned_until) from inventory where product_id = \(second)")
                    == "2031-03-05T00:00:00.000Z"
            )
            for (params, code) in [
                (#"{"priceChangeIds": [1, 4711]}"#, "PR308"), (#"{"all": true}"#, "PR602"),
                (#"{"to": "\#(Self.noon)"}"#, "PR602"), (#"{"to": "\#(Self.noon)", "productId": 4711}"#, "PR101"),
                (#"{"to": "\#(Self.noon)", "all": true, "categoryId": 1}"#, "PR602"),
                (#"{"to": "\#(Self.noon)", "all": true, "hold": "\#(Self.noon)"}"#, "PR602"),
                (#"{"to": "\#(Self.noon)", "all": true, "seen": 999999}"#, "PR602"),
                (#"{"to": "\#(Self.noon)", "categoryId": 4711}"#, "PR103"),
            ] {
                #expect(await shop.refusal("select price_rollback('\(params)')")?.sqlState?.code == code, "\(params)")
            }
        }
    }

    @Test func `only what one person did is taken back, and what another declared on top of it stays and is told`()
        async throws
    {
        try await Shop.with { shop in
            try await shop.setClock(Self.evening)
            let (one, both) = (try await shop.product(), try await shop.product())
            for product in [one, both] {
                try await write(
                    shop,
                    "product.update",
                    #"{"productId": \#(product), "basePrice": "60.00", "title": "Bob's"}"#
                )
            }
            try await write(shop, "product.update", #"{"productId": \#(both), "basePrice": "70.00"}"#, actor: "carl")
            let reply = try await rollBack(shop, #"{"to": "\#(Self.evening)", "all": true, "actor": "bob"}"#)
            #expect(
                try await restored(shop, reply) == [
                    "\(one) 60.00>100.00 declaration", "\(both) 70.00>70.00 declaration",
                ]
            )
            let why = try await skipped(shop, reply)
            #expect(why.count == 1 && why[0].hasPrefix("\(both) declared again since: basePrice"))
            #expect(
                try await shop.rows("select title || base_price from product order by product_id") == [
                    "Thing100.00", "Thing70.00",
                ]
            )
        }
    }

    @Test func `a retired rule stays away and is told, the rest is put back; what was made since is left`() async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await shop.setClock(Self.evening)
            let next = try await shop.value(
                #"select rule_create('{"name": "bands", "strategy": "bands", "parameters": {"up": 0.5}}') ->> 'ruleId'"#
            )
            try await write(shop, "rule.activate", #"{"ruleId": \#(next)}"#)
            try await write(shop, "product.update", #"{"productId": \#(product), "basePrice": "60.00"}"#)
            let made = try await shop.product()
            let params = #"{"to": "\#(Self.evening)", "all": true}"#
            let reply = try await rollBack(shop, params)
            #expect(try await restored(shop, reply) == ["\(product) 60.00>100.00 declaration"])
            #expect(
                try await skipped(shop, reply) == [
                    "\(product) its rule bands, version 1, is retired: activate rule 1 first",
                    "\(made) it was made since: archive it if it is not wanted",
                ]
            )
            try await write(shop, "rule.activate", #"{"ruleId": 1}"#)
            #expect(try await restored(shop, try await rollBack(shop, params)) == [])
            #expect(try await shop.value("select rule_id from product where product_id = \(product)") == "1")
        }
    }

    /// The update commits between the caller's look and the rollback's lock: the rollback waits for it, and leaves it alone.
    @Test func `an update that a rollback waits for is STALE, and one that waits for the rollback goes on from it`()
        async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await shop.setClock(Self.evening)
            try await write(shop, "product.update", #"{"productId": \#(product), "basePrice": "60.00"}"#)
            let seen = try await shop.value("select number_events()")
            let rollback = #"select price_rollback('{"to": "\#(Self.evening)", "all": true, "seen": \#(seen)}')"#
            let update = #"select product_update('{"productId": \#(product), "basePrice": "70.00"}')"#
            let base = "select base_price from product where product_id = \(product)"
            #expect(try await shop.race(update, against: rollback) == nil)
            #expect(try await shop.value(base) == "70.00")
            let why = try await shop.value("\(rollback) -> 'skipped' -> 0 ->> 'why'")
            #expect(why.hasPrefix("STALE: changed at 2031-03-01T20:00:00.000Z"))

            let now = try await shop.value("select number_events()")
            #expect(
                try await shop.race(
                    rollback.replacing(#""seen": \#(seen)"#, with: #""seen": \#(now)"#),
                    against: update
                ) == nil
            )
            #expect(try await shop.value(base) == "70.00")
            #expect(
                try await shop.rows(
                    "select cause from declaration_change where before ? 'base_price' order by sequence"
                )
                    == ["call", "sql", "rollback", "sql"]
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    /// An order moves the price after the dry run: this product alone is left alone.
    @Test func `what an order moved after the caller saw it is STALE, its neighbour is put back`() async throws {
        try await Shop.with { shop in
            let (sold, other) = (try await shop.product(stock: 11), try await shop.product())
            let buyer = try await shop.buyer()
            try await shop.setClock(Self.evening)
            for product in [sold, other] {
                try await write(shop, "product.update", #"{"productId": \#(product), "basePrice": "60.00"}"#)
            }
            let seen = try await shop.value("select number_events()")
            _ = try await shop.value(
                #"select order_place('{"customerId": \#(buyer), "lines": [{"productId": \#(sold), "quantity": 1}]}')"#
            )
            let reply = try await rollBack(shop, #"{"to": "\#(Self.evening)", "all": true, "seen": \#(seen)}"#)
            #expect(try await restored(shop, reply) == ["\(other) 60.00>100.00 declaration"])
            #expect(try await skipped(shop, reply).first?.hasPrefix("\(sold) STALE") == true)
            #expect(try await shop.price(sold) == "66.00")
        }
    }
}
