import Postgres
import PricingTestSupport
import Testing

/// What must hold after every fault, asked of the database from outside the daemon: each query names what breaks it.
enum Invariants {
    private static let queries: [(name: String, sql: String)] = [
        (
            "conservation: the sum of movements is the stock",
            """
            select i.product_id from inventory i left join stock_movement m using (product_id)
            group by i.product_id, i.stock having coalesce(sum(m.quantity), 0) <> i.stock
            """
        ),
        ("no negative stock", "select product_id from inventory where stock < 0 or held < 0 or held > stock"),
        (
            "each order sums its lines, and each line left the shelf once",
            """
            select o.order_id from customer_order o join order_line l using (order_id)
            left join stock_movement m
                on m.order_id = l.order_id and m.product_id = l.product_id and m.kind = 'sale'
                and m.quantity = -l.quantity
            group by o.order_id, o.total
            having sum(l.quantity * l.unit_price) <> o.total or count(m.sequence) <> count(*)
            """
        ),
        (
            "each sale belongs to an order",
            """
            select m.sequence from stock_movement m left join order_line l
                on l.order_id = m.order_id and l.product_id = m.product_id
            where m.kind = 'sale' and l.order_id is null
            """
        ),
        (
            "stock is a chain",
            """
            select product_id from (
                select product_id, sequence, stock_after - quantity as before, row_number() over w as number,
                       coalesce(lag(stock_after) over w, 0) as after
                from stock_movement window w as (partition by product_id order by sequence)) c
            where sequence <> number or before <> after
            """
        ),
        (
            "prices are a chain from the opening price to the posted one",
            """
            select product_id from (
                select i.product_id, c.sequence, c.old_price, c.new_price, i.price, i.opening_price,
                       row_number() over w as number, lag(c.new_price) over w as former,
                       lead(c.sequence) over w is null as is_last
                from inventory i left join price_change c using (product_id)
                window w as (partition by i.product_id order by c.sequence)) c
            where (sequence is null and price <> opening_price)
               or (sequence is not null and (sequence <> number or old_price <> coalesce(former, opening_price)))
               or (is_last and sequence is not null and new_price <> price)
            """
        ),
        (
            "floor and ceiling hold",
            """
            select product_id from inventory join product using (product_id)
            where price < floor_price or price > ceiling_price
            """
        ),
        (
            "a charged price is the one that stood",
            """
            select l.order_id from order_line l join stock_movement m
                on m.order_id = l.order_id and m.product_id = l.product_id and m.kind = 'sale'
            join inventory i on i.product_id = l.product_id
            left join price_change own on own.product_id = l.product_id and own.order_id = l.order_id
                and own.cause = 'sale'
            where own.old_price <> l.unit_price
            """
        ),
        (
            "events are numbered without a hole",
            """
            select sequence from (
                select sequence, row_number() over (order by sequence) as number from event) e
            where sequence <> number
            """
        ),
        (
            "each movement, price change and order has its event",
            """
            select topic from (
                select topic, op from event union all select topic, op from event_outbox) e
            group by topic, op
            having (topic = 'stock' and count(*) <> (select count(*) from stock_movement))
                or (topic = 'price' and count(*) <> (select count(*) from price_change))
                or (topic = 'order' and op = 'insert' and count(*) <> (select count(*) from customer_order))
            """
        ),
    ]

    static func expect(_ daemon: TestDaemon) async throws {
        let database = try await daemon.database()
        for (number, query) in queries.enumerated() {
            let breaking = Statement.text(
                "invariant_\(number)",
                "select count(*)::text from (\(query.sql)) broken"
            )
            let count = try await database.run { (session) throws(PostgresError) in try session.one(breaking) }
            #expect(count == "0", "\(query.name)")
        }
        await database.close()
    }
}
