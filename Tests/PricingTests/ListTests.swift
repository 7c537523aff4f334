import Foundation
import JSON
import Postgres
import PricingTestSupport
import Testing

/// Lists: every order is stable and complete, and a page reads the rows of a page, however large the shop.
@Suite(.serialized, .enabled(if: TestCluster.isAvailable, needsServer))
struct ListTests {
    private static let products = 2000
    private static let manyProducts = 40_000
    private static let orders = ["productId", "price", "stock", "title"].flatMap { [$0, "-\($0)"] }

    /// A shop of products of which many share price, stock and title, some are low and a few archived.
    private static func fill(_ shop: Shop) async throws {
        try await shop.run(
            """
            insert into category (name) values ('Things');
            insert into product (title, description, category_id, base_price, floor_price, ceiling_price, rule_id)
            select 'Title ' || n % 50, 'Number ' || md5(n::text), 1, 10 + n % 20, 1, 100, default_rule_id(1)
            from generate_series(1, \(products)) n;
            update inventory set stock = 11 + product_id % 30, cause.kind = 'initial';
            update inventory set stock = 5 where product_id % 400 = 3;
            update product set active = false, archived_at = now() where product_id % 100 = 7;
            """
        )
    }

    /// A shop so large that reading a table whole is dearer than looking up a page; past the triggers, since only rows count.
    private static func fillLarge(_ shop: Shop) async throws {
        try await shop.run(
            """
            set session_replication_role = replica;
            insert into category (name) values ('Things');
            insert into product (title, description, category_id, base_price, floor_price, ceiling_price, rule_id, active)
            select 'Title ' || n % 500, 'Number ' || md5(n::text), 1, 1, 1, 1, 1, n % 1000 <> 7
            from generate_series(1, \(manyProducts)) n;
            insert into inventory (product_id, stock, price, regular_price, anchor_price, opening_price)
            select product_id, case when product_id % 1000 = 7 then 7 else 50 end, 10 + product_id % 2000,
                   10 + product_id % 2000, 10, 10
            from product;
            insert into shelf select product_id, price, stock_level(stock, 10, 100) from inventory;
            insert into app_user (full_name, email)
            select 'User ' || md5(n::text), md5(n::text) || '@example.com' from generate_series(1, \(manyProducts)) n;
            insert into customer_order (customer_id, status, total, placed_at, changed_at, actor)
            select n, case when n % 9000 = 1 then 'returned' else 'completed' end, 1, now(), now(), 'test'
            from generate_series(1, \(manyProducts)) n;
            select gin_clean_pending_list('product_text_index'), gin_clean_pending_list('app_user_text_index');
            analyze;
            """
        )
    }

    /// All rows of a list, a page at a time; `between` runs after each page.
    private func walk(
        _ shop: Shop,
        _ function: String,
        _ params: JSONObject,
        between: () async throws -> Void = {}
    ) async throws -> [JSONValue] {
        var rows: [JSONValue] = []
        var params = params
        while true {
            let text = try await shop.value(
                "select \(function)($1)::text",
                [.json(params.serialized())]
            )
            let page = try JSONParser.parse(Array(text.utf8))
            rows += page["items"]?.array ?? []
            guard let cursor = page["nextCursor"]?.string else { return rows }
            params["cursor"] = .string(cursor)
            try await between()
        }
    }

    @Test
    func `Every order gives each product once, ties by id, though others are added and moved meanwhile`() async throws {
        try await Shop.with { shop in
            try await Self.fill(shop)
            for order in Self.orders {
                let key = order.trimmingPrefix("-")
                let column =
                    ["productId": "d.product_id", "price": "i.price", "title": #"d.title collate "und-x-icu""#][
                        String(key)
                    ] ?? "i.stock"
                let direction = order.hasPrefix("-") ? "desc" : "asc"
                let expected = try await shop.rows(
                    """
                    select d.product_id::text from product d join inventory i using (product_id)
                    order by \(column) \(direction), d.product_id \(direction)
                    """
                )
                let rows = try await walk(shop, "product_list", ["sort": .string(order), "limit": 300]) {
                    // It stands at one end of the list, before the cursor or behind the last.
                    try await shop.product(base: "10.00", stock: 200)
                }
                let seen = rows.compactMap { $0["productId"]?.integer }.map(String.init)
                #expect(Set(seen).count == seen.count, "\(order): none twice")
                let known = Set(expected)
                #expect(seen.filter { known.contains($0) } == expected, "\(order)")
            }
        }
    }

    @Test
    func `A page reads about as many rows as it has`() async throws {
        try await Shop.with { shop in
            try await Self.fillLarge(shop)
            let sorts = Self.orders.filter { !$0.hasSuffix("stock") }.map { JSONObject([("sort", .string($0))]) }
            let lists: [(function: String, params: [JSONObject])] = [
                (
                    "product_list",
                    sorts + [
                        ["search": "no such text"], ["search": "no such text", "sort": "title"], ["active": false],
                        ["minPrice": "1000.00", "sort": "price"], ["maxPrice": "1.00"],
                    ]
                ),
                ("inventory_list", [[:], ["level": "HIGH"]]), ("inventory_low_stock", [[:]]),
                (
                    "order_list",
                    [[:], ["status": "returned"], ["customerId": 77], ["customerId": 77, "status": "pending"]]
                ),
                ("user_list", [[:], ["search": "no such text"], ["role": "admin"]]),
                ("dashboard_low_stock", [[:]]),
            ]
            for (function, all) in lists {
                for params in all {
                    let read = try await rowsRead(shop, "\(function)('\(JSONValue.object(params))')")
                    #expect(read < 1000, "\(function) \(params) read \(read) rows")
                }
            }
            let far = """
                product_list(jsonb_build_object('sort', '-price', 'cursor',
                    seal_cursor('product.list', '{"sort": "-price"}', '["12.00", 1000]')))
                """
            #expect(try await rowsRead(shop, far) < 1000, "a page in the middle")
            #expect(
                try await rowsRead(shop, #"product_list('{"sort": "stock"}')"#) >= Self.products,
                "this test can see"
            )
        }
    }

    /// The rows of all tables that a call fetches.
    private func rowsRead(_ shop: Shop, _ call: String) async throws -> Int {
        let other = try await shop.another()
        let read = try await other.value(
            """
            select (select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) from pg_stat_xact_user_tables
                    where reply is not null)
            from (select \(call)::text as reply offset 0) called
            """
        )
        await other.connection.close()
        return try #require(Int(read))
    }

    @Test
    func `Counts agree with the rows, and the shelf with the hot rows, through everything that moves them`()
        async throws
    {
        try await Shop.with { shop in
            try await Self.fill(shop)
            try await shop.run(
                """
                update product set low_stock = 20, high_stock = 30 where product_id % 7 = 0 and archived_at is null;
                update inventory set price = 15 where product_id = 1;
                update inventory set pin_price = null, pinned_until = null where product_id = 1;
                update inventory set stock = 0 where product_id % 11 = 0;
                """
            )
            #expect(try await shop.rows(Invariants.sql).filter { $0.contains("shelf") } == [])
            let differing = try await shop.rows(
                """
                select key from json_each_text(dashboard_stats('{}')) join (values
                    ('products', (select count(*) from product where archived_at is null)),
                    ('activeProducts', (select count(*) from product where archived_at is null and active)),
                    ('lowStock', (select count(*) from product d join inventory i using (product_id)
                                  where d.archived_at is null and i.stock <= d.low_stock))
                ) counted (key, n) using (key) where value::bigint <> n
                """
            )
            #expect(differing == [])
        }
    }
}
