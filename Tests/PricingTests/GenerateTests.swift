import Postgres
import Pricing
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct GenerateTests {
    @Test
    func `A generated year keeps every invariant, in a live database too, and leaves no virtual time`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            try await generate(shop, seed: 7)
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(try await shop.value("select count(*) from virtual_clock") == "0")
            #expect(try await shop.value("select count(*) from customer_order") == "300")
            #expect(try await shop.value("select count(*) > 10 from price_change") == "t")
            #expect(try await shop.value("select max(placed_at) <= now() from customer_order") == "t")
        }
    }

    @Test
    func `Same seed, same data; another seed, other data`() async throws {
        var dumps: [[String]] = []
        for seed in [7, 7, 8] {
            try await Shop.with { shop in
                try await shop.setDay(0)
                try await generate(shop, seed: seed)
                dumps.append(try await shop.rows(Self.data))
            }
        }
        #expect(dumps[0] == dumps[1])
        #expect(dumps[0] != dumps[2])
    }

    @Test
    func `Clearing needs to be asked for, and then the same data comes again`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await generate(shop, seed: 7)
            let first = try await shop.rows(Self.data)
            try await generate(shop, seed: 7)
            #expect(try await shop.value("select count(*) from customer_order") == "600")
            try await generate(shop, seed: 7, clear: true)
            #expect(try await shop.rows(Self.data) == first)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    private static let data = """
        select (to_jsonb(i) - array['stands_from', 'stands_to'])::text from inventory i
        union all select d::text from product d
        union all select o::text from customer_order o union all select l::text from order_line l
        union all select concat_ws(' ', product_id, sequence, kind, quantity, stock_after, order_id, actor, at)
            from stock_movement
        union all select concat_ws(' ', user_id, full_name, email, phone_number, role) from app_user
        order by 1
        """

    private func generate(_ shop: Shop, seed: Int, clear: Bool = false) async throws {
        let asked = """
            {"users": 40, "suppliers": 5, "products": 30, "orders": 300, "seed": \(seed), "clear": \(clear)}
            """
        let plan = try await shop.value("select generate_begin($1) ->> 'plan'", [.text(asked)])
        for from in [0, 100, 200] {
            _ = try await shop.value(
                #"select generate_orders($1::jsonb || '{"from": \#(from), "count": 100}')"#,
                [.text(plan)]
            )
        }
        _ = try await shop.value("select generate_finish($1)", [.text(asked)])
    }
}
