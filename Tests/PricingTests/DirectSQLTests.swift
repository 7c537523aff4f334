import Postgres
import PricingTestSupport
import Testing

/// Prices, stock, limits and orders in direct SQL, as an operator would type it.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct DirectSQLTests {
    @Test
    func `Twenty cycles of low and high stock end exactly at the starting price`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(base: "19.99", stock: 50)
            var seen: Set<String> = []
            for cycle in 0..<20 {
                for (part, stock) in [5, 50, 150, 50].enumerated() {
                    try await shop.setDay(4 * cycle + part)
                    try await shop.run("update inventory set stock = \(stock) where product_id = \(product)")
                    seen.insert(try await shop.price(product))
                }
                #expect(try await shop.price(product) == "19.99", "after cycle \(cycle)")
            }
            #expect(seen == ["21.99", "19.99", "17.99"])
        }
    }

    @Test
    func `Fourteen days of one sale a day below the threshold never pass the ceiling, a restock gives base again`()
        async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 10)
            try await shop.run("update product set ceiling_price = 105 where product_id = \(product)")
            let buyer = try await shop.buyer()
            for number in 1...9 {
                try await shop.setDay(number)
                try await placeOne(shop, buyer, product)
                #expect(try await shop.price(product) == "105.00", "on day \(number)")
            }
            for number in 10...14 {
                try await shop.setDay(number)
                try await shop.run("update inventory set stock = 10 where product_id = \(product)")
                try await placeOne(shop, buyer, product)
                #expect(try await shop.price(product) == "105.00", "on day \(number)")
            }
            try await shop.run("update inventory set stock = 50 where product_id = \(product)")
            #expect(try await shop.price(product) == "100.00")
        }
    }

    @Test
    func `Thirty restocks of one above the high threshold never pass the floor`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 100)
            try await shop.run("update product set floor_price = 95 where product_id = \(product)")
            for number in 1...30 {
                try await shop.setDay(number)
                try await shop.run("update inventory set stock = stock + 1 where product_id = \(product)")
                #expect(try await shop.price(product) == "95.00", "on day \(number)")
            }
            #expect(
                try await shop.value("select count(*) from price_change where new_price < 95 and sequence > 1") == "0"
            )
        }
    }

    @Test
    func `A price typed by hand is a pin without expiry, leaves a history row and stands while stock moves`()
        async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await shop.run("update inventory set price = 123.45 where product_id = \(product)")
            #expect(
                try await shop.value(
                    "select concat_ws('|', price, pin_price, pinned_until) from inventory where product_id = \(product)"
                ) == "123.45|123.45|infinity"
            )
            #expect(
                try await shop.rows(
                    """
                    select concat_ws('|', sequence, old_price, new_price, cause, actor) from price_change
                    where product_id = \(product)
                    """
                ) == ["1|100.00|123.45|pin|postgres"]
            )
            for stock in [5, 150, 0, 50] {
                try await shop.run("update inventory set stock = \(stock) where product_id = \(product)")
            }
            try await shop.setDay(400)
            #expect(try await shop.price(product) == "123.45")
            try await shop.run(
                "update inventory set pin_price = null, pinned_until = null where product_id = \(product)"
            )
            #expect(try await shop.price(product) == "100.00")
        }
    }

    @Test
    func `A price typed by hand outside the limits is refused and says which they are`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            for price in ["49.99", "200.01"] {
                let error = await shop.refusal("update inventory set price = \(price) where product_id = \(product)")
                #expect(error?.sqlState?.code == "PR303")
                #expect(error?.detail?.contains(#""floor": "50.00""#) == true)
            }
            for price in ["50.00", "200.00"] {
                try await shop.run("update inventory set price = \(price) where product_id = \(product)")
            }
        }
    }

    @Test
    func `Stock typed by hand leaves a movement, moves the price and tells both as events`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            try await shop.run("update inventory set stock = 7 where product_id = \(product)")
            #expect(
                try await shop.rows(
                    """
                    select concat_ws('|', sequence, kind, quantity, stock_after, actor) from stock_movement
                    where product_id = \(product) order by sequence
                    """
                ) == ["1|initial|50|50|postgres", "2|adjust|-43|7|postgres"]
            )
            #expect(try await shop.price(product) == "110.00")
            #expect(
                try await shop.rows(
                    """
                    select concat_ws('|', topic, before, after ->> topic) from recorded_event
                    where topic <> 'catalogue' order by change_id, part offset 1
                    """
                ) == [#"stock|{"stock":50}|7"#, #"price|{"price":"100.00"}|110.00"#]
            )
        }
    }

    @Test(
        arguments: [
            ("update inventory set held = 0, stock = -1", nil),
            ("update inventory set stock = stock - 51", nil),
            ("update inventory set stock = null", nil),
            ("update inventory set price = null", nil),
            ("update inventory set price = 0", nil),
            ("update inventory set price = -1", nil),
            ("update inventory set held = 1", nil),
            ("update product set base_price = 0", "product_base_price_positive"),
            ("update product set base_price = -1", "product_base_price_positive"),
            ("update product set base_price = null", nil),
            ("update product set floor_price = 0", "product_floor_positive"),
            ("update product set floor_price = null", nil),
            ("update product set ceiling_price = null", nil),
            ("update product set floor_price = 60, ceiling_price = 59", "product_limits_ordered"),
            ("update product set low_stock = null", nil),
            ("update product set high_stock = null", nil),
            ("update product set low_stock = -1", "product_low_stock_range"),
            ("update product set low_stock = 98", "product_levels_ordered"),
            ("delete from inventory", nil),
            ("delete from app_user", nil),
            ("delete from product", nil),
            ("update stock_movement set quantity = 1", nil),
            ("delete from stock_movement", nil),
            ("truncate stock_movement", nil),
            ("update price_change set new_price = 1", nil),
            ("delete from price_change", nil),
            ("truncate price_change", nil),
        ] as [(String, String?)]
    )
    func `What must never be is refused by the database`(sql: String, constraint: String?) async throws {
        try await Shop.with { shop in
            try await shop.product()
            let before = try await shop.rows("select i::text from inventory i union all select d::text from product d")
            let error = await shop.refusal(sql)
            if let constraint { #expect(error?.constraint == constraint) }
            #expect(
                try await shop.rows("select i::text from inventory i union all select d::text from product d") == before
            )
        }
    }

    @Test
    func `An order of which one line fails leaves nothing`() async throws {
        try await Shop.with { shop in
            let good = try await shop.product()
            let scarce = try await shop.product(stock: 1)
            let buyer = try await shop.buyer()
            let before = try await shop.rows(everything)
            let error = await shop.refusal(place(buyer, [(good, 45), (scarce, 2)]))
            #expect(error?.sqlState?.code == "PR201")
            #expect(try await shop.rows(everything) == before)
        }
    }

    @Test
    func `Archiving keeps history, ledger and orders, and freezes the price`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 12)
            let buyer = try await shop.buyer()
            try await shop.run(place(buyer, [(product, 3)]))
            let before = try await shop.rows(
                "select c::text from price_change c union all select m::text from stock_movement m"
            )
            _ = try await shop.value("select product_archive(jsonb_build_object('productId', \(product)))")
            #expect(
                try await shop.rows("select c::text from price_change c union all select m::text from stock_movement m")
                    == before
            )
            #expect(await shop.refusal(place(buyer, [(product, 1)]))?.sqlState?.code == "PR102")
            try await shop.run("update inventory set stock = 150 where product_id = \(product)")
            #expect(try await shop.price(product) == "110.00")
            #expect(try await shop.value("select count(*) from order_line") == "1")
        }
    }

    private func placeOne(_ shop: Shop, _ buyer: Int, _ product: Int) async throws {
        try await shop.run(place(buyer, [(product, 1)]))
    }
}

/// Every row that an order may write.
let everything = """
    select i::text from inventory i union all select o::text from customer_order o
    union all select l::text from order_line l union all select m::text from stock_movement m
    union all select c::text from price_change c union all select e::text from recorded_event e
    """

/// SQL that places an order of (product, quantity) lines.
func place(_ buyer: Int, _ lines: [(product: Int, quantity: Int)]) -> String {
    let lines = lines.map { #"{"productId": \#($0.product), "quantity": \#($0.quantity)}"# }.joined(separator: ", ")
    return #"select order_place('{"customerId": \#(buyer), "lines": [\#(lines)]}')"#
}
