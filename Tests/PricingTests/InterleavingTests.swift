import Postgres
import PricingTestSupport
import Testing

/// Two sessions, step by step: one keeps its transaction open until the other is seen to wait for it.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct InterleavingTests {
    @Test
    func `Two buyers and one unit: one order, one typed refusal, stock 0`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 1)
            let buyer = try await shop.buyer()
            let order = place(buyer, [(product, 1)])
            let outcome = try await shop.race(order, against: order)
            #expect(outcome?.sqlState?.code == "PR201")
            #expect(outcome?.detail?.contains(#""available": 0"#) == true)
            #expect(try await shop.stock(product) == 0)
            #expect(try await shop.value("select count(*) from customer_order") == "1")
        }
    }

    @Test
    func `Two hundred orders over eight sessions on forty units: forty orders, stock 0, no other error`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 40)
            let buyer = try await shop.buyer()
            let order = place(buyer, [(product, 1)])
            let states = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<8 {
                    let session = try await shop.another()
                    group.addTask {
                        var states: [String] = []
                        for _ in 0..<25 { states.append(await session.outcome(order)?.sqlState?.code ?? "placed") }
                        await session.connection.close()
                        return states
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(states.filter { $0 == "placed" }.count == 40)
            #expect(states.filter { $0 == "PR201" }.count == 160)
            #expect(try await shop.stock(product) == 0)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `A pin that races with a sale stands, in either order`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 11)
            let buyer = try await shop.buyer()
            let pin = #"select price_pin('{"productId": \#(product), "price": "130.00"}')"#
            #expect(try await shop.race(pin, against: place(buyer, [(product, 1)])) == nil)
            #expect(try await shop.price(product) == "130.00")
            #expect(try await shop.value("select unit_price from order_line") == "130.00")

            let other = try await shop.product(stock: 11)
            let again = #"select price_pin('{"productId": \#(other), "price": "130.00"}')"#
            #expect(try await shop.race(place(buyer, [(other, 1)]), against: again) == nil)
            #expect(try await shop.price(other) == "130.00")
            #expect(
                try await shop.value("select unit_price from order_line where product_id = \(other)") == "100.00"
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `A price typed by hand that races with a sale stands`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 11)
            let buyer = try await shop.buyer()
            let direct = "update inventory set price = 130 where product_id = \(product)"
            #expect(try await shop.race(place(buyer, [(product, 1)]), against: direct) == nil)
            #expect(try await shop.price(product) == "130.00")
            #expect(try await shop.stock(product) == 10)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `A new base price that races with an order wins, in either order`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 50)
            let buyer = try await shop.buyer()
            let order = place(buyer, [(product, 1)])
            func declare(_ base: String) -> String {
                #"select product_update('{"productId": \#(product), "basePrice": "\#(base)"}')"#
            }
            #expect(try await shop.race(declare("80.00"), against: order) == nil)
            #expect(try await shop.price(product) == "80.00")
            #expect(try await shop.value("select unit_price from order_line") == "80.00")

            #expect(try await shop.race(order, against: declare("60.00")) == nil)
            #expect(try await shop.price(product) == "60.00")
            #expect(
                try await shop.value("select min(unit_price) || ' ' || max(unit_price) from order_line")
                    == "80.00 80.00"
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `An order that waits for a product's archiving, or for its end of sale, is refused`() async throws {
        try await Shop.with { shop in
            let buyer = try await shop.buyer()
            let archived = try await shop.product()
            let archive = #"select product_archive('{"productId": \#(archived)}')"#
            #expect(try await shop.race(archive, against: place(buyer, [(archived, 1)]))?.sqlState?.code == "PR102")
            let ended = try await shop.product()
            let end = """
                update inventory set stock = 40 where product_id = \(ended);
                update product set active = false where product_id = \(ended)
                """
            #expect(try await shop.race(end, against: place(buyer, [(ended, 1)]))?.sqlState?.code == "PR102")
            #expect(try await shop.value("select count(*) from customer_order") == "0")
        }
    }

    @Test
    func `A new rule that races with an order wins`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 11)
            let buyer = try await shop.buyer()
            let rule = try await shop.value(
                #"select rule_create('{"name": "bands", "strategy": "bands", "parameters": {"up": 0.15}}') ->> 'ruleId'"#
            )
            let activate = #"select rule_activate('{"ruleId": \#(rule)}')"#
            #expect(try await shop.race(place(buyer, [(product, 1)]), against: activate) == nil)
            #expect(try await shop.price(product) == "115.00")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test(arguments: [
        #"product_create('{"title": "New", "basePrice": "100.00", "categoryId": 1, "stock": 5}')"#,
        #"product_import('{"mode": "perRow", "rows": [{"row": 0, "product": {"title": "New", "basePrice": "100.00", "categoryId": 1, "stock": 5}}]}')"#,
    ])
    func `A product that is made while a halt ends or a rule comes into force has that price, in either order`(
        make: String
    ) async throws {
        for makerComesFirst in [true, false] {
            try await Shop.with { shop in
                let known = try await shop.product(stock: 5)
                let buyer = try await shop.buyer()
                let make = "select \(make)"
                let resume = #"select pricing_resume('{"scope": "all", "reason": "counted"}')"#
                _ = try await shop.value(#"select pricing_halt('{"scope": "all", "reason": "count"}')"#)
                let (first, second) = makerComesFirst ? (make, resume) : (resume, make)
                #expect(try await shop.race(first, against: second) == nil)
                #expect(try await shop.rows("select price from inventory order by product_id") == ["110.00", "110.00"])

                // A rule: a new version of the name that products follow, and another name for the whole catalogue.
                for activation in [#"{"name": "bands", "#, #"{"name": "bolder", "#] {
                    let rule = try await shop.value(
                        "select rule_create('\(activation) \"strategy\": \"bands\", \"parameters\": {\"up\": 0.15}}') ->> 'ruleId'"
                    )
                    let activate = #"select rule_activate('{"ruleId": \#(rule), "all": true}')"#
                    let (first, second) = makerComesFirst ? (make, activate) : (activate, make)
                    #expect(try await shop.race(first, against: second) == nil)
                    #expect(try await shop.rows("select distinct rule_id from product") == [rule])
                }
                // An order waits for none of it.
                try await shop.holding(resume) { try await shop.run(place(buyer, [(known, 1)])) }
                #expect(try await shop.value(#"select audit_verify('{}') #>> '{state,total}'"#) == "0")
            }
        }
    }

    @Test
    func `An order's rows are locked in product order, whatever the order of its lines`() async throws {
        try await Shop.with { shop in
            let first = try await shop.product()
            let second = try await shop.product()
            let third = try await shop.product()
            let buyer = try await shop.buyer()
            let order = place(buyer, [(third, 1), (first, 1), (second, 1)])
            // Waiting for the middle one it holds the one below and not the one above.
            let waiting = try await shop.another()
            var pending: Task<PostgresError?, Never>?
            try await shop.holding("select from inventory where product_id = \(second) for update") {
                pending = Task { await waiting.outcome(order) }
                try await shop.awaitLockWaiters()
                #expect(
                    try await shop.rows("select product_id from inventory order by 1 for update skip locked")
                        == ["\(third)"]
                )
            }
            #expect(await pending?.value == nil)
            #expect(try await shop.value("select count(*) from order_line") == "3")
        }
    }

    @Test
    func `A batch locks the rows of all its orders in product order`() async throws {
        try await Shop.with { shop in
            let low = try await shop.product()
            let high = try await shop.product()
            let buyer = try await shop.buyer()
            let batch = """
                select count(*) from place_orders('[
                    {"params": {"customerId": \(buyer), "lines": [{"productId": \(high), "quantity": 1}]}, "key": "a"},
                    {"params": {"customerId": \(buyer), "lines": [{"productId": \(low), "quantity": 1}]}, "key": "b"}]')
                """
            let waiting = try await shop.another()
            var pending: Task<PostgresError?, Never>?
            try await shop.holding("select from inventory where product_id = \(low) for update") {
                pending = Task { await waiting.outcome(batch) }
                try await shop.awaitLockWaiters()
                #expect(
                    try await shop.rows("select product_id from inventory order by 1 for update skip locked")
                        == ["\(high)"]
                )
            }
            #expect(await pending?.value == nil)
            #expect(try await shop.value("select count(*) from order_line") == "2")
        }
    }

    @Test
    func `The same key in two sessions at once: one order, one replay`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            let buyer = try await shop.buyer()
            let write = """
                create temporary table if not exists answer (reply text, replayed boolean);
                insert into answer select reply, replayed from run_write('order_place', 'order.place',
                    '{"customerId": \(buyer), "lines": [{"productId": \(product), "quantity": 1}]}', 'key', 'tester')
                """
            let second = try await shop.another()
            var pending: Task<PostgresError?, Never>?
            try await shop.holding(write) {
                pending = Task { await second.outcome(write) }
                try await shop.awaitLockWaiters()
            }
            #expect(await pending?.value == nil)
            #expect(try await second.rows("select replayed from answer") == ["t"])
            #expect(try await shop.value("select count(*) from customer_order") == "1")
            #expect(try await shop.stock(product) == 49)
        }
    }

    @Test
    func `Cancelling twice at once restocks once`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            let buyer = try await shop.buyer()
            try await shop.run(place(buyer, [(product, 5)]))
            let cancel =
                "select order_cancel(jsonb_build_object('orderId', (select max(order_id) from customer_order)))"
            #expect(try await shop.race(cancel, against: cancel) == nil)
            #expect(try await shop.stock(product) == 50)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }
}
