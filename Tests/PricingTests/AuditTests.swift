import JSON
import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct AuditTests {
    /// A shop with a few prices that moved: a product that was sold from low to high and back, and one that was pinned.
    private func open(_ shop: Shop) async throws {
        try await shop.setDay(0)
        let first = try await shop.product(stock: 11)
        let second = try await shop.product(base: "7.50", stock: 105)
        try await shop.run(place(try await shop.buyer(), [(first, 2), (second, 1)]))
        try await shop.run("update inventory set stock = 120 where product_id = \(first)")
        try await shop.setDay(1)
        try await shop.run(place(try await shop.buyer(), [(first, 90)]))
        try await shop.run("update inventory set price = 8.10 where product_id = \(second)")
        #expect(try await shop.differences() == [])
    }

    @Test
    func `Each thing that was tampered with is named, and nothing else`() async throws {
        try await Shop.with { shop in
            try await open(shop)
            for (sql, named) in [
                ("update inventory set stock = stock + 1 where product_id = 1", ["stock.sum inventory 1"]),
                ("update inventory set held = 1 where product_id = 1", ["stock.held inventory 1"]),
                ("update inventory set movement_count = 9 where product_id = 1", ["stock.count inventory 1"]),
                (
                    "update stock_movement set stock_after = 3 where product_id = 1 and sequence = 2",
                    ["price.stock price_change 1", "stock.chain stock_movement 1"]
                ),
                (
                    "update stock_movement set quantity = quantity + 1 where product_id = 1 and kind = 'adjust'",
                    ["stock.chain stock_movement 1", "stock.sum inventory 1"]
                ),
                ("update inventory set price = 111 where product_id = 1", ["price.posted inventory 1"]),
                ("update inventory set change_count = 9 where product_id = 1", ["price.count inventory 1"]),
                (
                    "update price_change set new_price = new_price + 1 where product_id = 1 and sequence = 1",
                    ["price.recomputed price_change 1"]
                ),
                (
                    "update price_change set new_price = new_price + 1 where product_id = 1 and sequence = 3",
                    ["price.recomputed price_change 1"]
                ),
                (
                    "update price_change set binding_guard = 'floor' where product_id = 1 and sequence = 1",
                    ["price.recomputed price_change 1"]
                ),
                (
                    "update price_change set stock = stock + 1 where product_id = 1 and sequence = 1",
                    ["price.inputs price_change 1", "price.stock price_change 1"]
                ),
                (
                    "update price_change set inputs = inputs || '{\"stock\": 8}', stock = 8 where product_id = 1 and sequence = 1",
                    ["price.stock price_change 1"]
                ),
                (
                    "delete from price_change where product_id = 1 and sequence = 1",
                    ["price.chain price_change 1", "price.count inventory 1", "price.sequence price_change 1"]
                ),
                (
                    "update product set ceiling_price = 90, floor_price = 80 where product_id = 1",
                    ["price.limits inventory 1"]
                ),
                ("update product set base_price = 99 where product_id = 1", ["price.evaluation inventory 1"]),
                (
                    "update inventory set stands_from = 1, stands_to = 1000000 where product_id = 1",
                    ["price.interval inventory 1"]
                ),
                (
                    "update price_change set new_price = 8.11 where product_id = 2 and cause = 'pin'",
                    ["price.recomputed price_change 2"]
                ),
                ("update customer_order set total = total + 1 where order_id = 1", ["order.total customer_order "]),
                (
                    "delete from app_user where user_id = (select customer_id from customer_order where order_id = 2)",
                    ["order.customer customer_order "]
                ),
                ("update customer_order set status = 'cancelled' where order_id = 2", ["order.lines order_line 1"]),
                ("delete from inventory where product_id = 2", ["stock.missing inventory 2"]),
            ] {
                #expect(Set(try await shop.differences(after: sql)) == Set(named), "\(sql)")
            }
        }
    }

    @Test
    func `A clean shop has no difference; repairing it does nothing`() async throws {
        try await Shop.with { shop in
            try await open(shop)
            let reply = try await shop.inSteps("audit_verify", [:])
            #expect(reply["total"] == 0)
            #expect(reply["differences"] == [])
            #expect(reply["checked"] == ["orders": 2, "products": 2, "movements": 6, "priceChanges": 4])
            let repair = try await shop.object("audit_repair", ["apply": true])
            #expect(repair["repairable"] == 0)
            #expect(try await shop.value("select count(*) from audit_repair") == "0")
        }
    }

    @Test
    func `A repair is a dry run first, then puts right what follows from the ledger, and leaves evidence alone`()
        async throws
    {
        try await Shop.with { shop in
            try await open(shop)
            let price = try await shop.price(1)
            try await shop.tamper("update inventory set stock = stock + 7 where product_id = 1")
            try await shop.tamper("update inventory set price = 199 where product_id = 1")
            try await shop.tamper("update price_change set new_price = 7.77 where product_id = 2 and sequence = 1")
            let everything = """
                select md5(string_agg(t, '|' order by t)) from (select i::text as t from inventory i
                union all select m::text from stock_movement m union all select c::text from price_change c
                union all select e::text from recorded_event e) all_rows
                """
            let before = try await shop.value(everything)

            let said = try await shop.object("audit_repair", [:])
            #expect(said["applied"] == false)
            #expect(
                said["repairs"]?.array?.compactMap { $0["remedy"]?.string } == ["set it to \(price)", "set it to 30"]
            )
            #expect(said["differences"]?.array?.compactMap { $0["kind"]?.string } == ["price.recomputed"])
            #expect(try await shop.value(everything) == before, "a dry run changes nothing")

            let done = try await shop.object("audit_repair", ["apply": true, "reason": "month end"])
            #expect(done.removing("applied") == said.removing("applied"))
            #expect(try await shop.price(1) == price)
            #expect(try await shop.stock(1) == 30)
            #expect(try await shop.differences() == ["price.recomputed price_change 2"], "but for what it cannot")
            let trail = "select concat_ws(' ', kind, found, corrected, reason) from audit_repair order by kind"
            #expect(
                try await shop.rows(trail) == ["price.posted 199.00 \(price) month end", "stock.sum 37 30 month end"]
            )
            let event = "select after::text from recorded_event where topic = 'automation'"
            #expect(try await shop.value(event) == #"{"price": "\#(price)", "stock": "30"}"#)
            let trigger = "select tgenabled from pg_trigger where tgname = 'inventory_move'"
            #expect(try await shop.value(trigger) == "O")
            #expect((await shop.refusal("delete from audit_repair"))?.sqlState?.code == "PR903")
        }
    }

    @Test
    func `What a broken ledger says is not believed`() async throws {
        try await Shop.with { shop in
            try await open(shop)
            try await shop.tamper("update stock_movement set quantity = 100 where product_id = 1 and kind = 'adjust'")
            let done = try await shop.object("audit_repair", ["apply": true])
            #expect(done["repairable"] == 0)
            #expect(done["notRepairable"] == 2)
            #expect(try await shop.stock(1) == 30)
        }
    }

    @Test
    func `Differences come page by page, each once`() async throws {
        try await Shop.with { shop in
            try await open(shop)
            try await shop.tamper("update stock_movement set stock_after = stock_after + 1000")
            try await shop.tamper("update customer_order set total = total + 1")
            let all = try await shop.differences().count
            #expect(all > 6)
            var seen: [String] = []
            var params: JSONObject = ["limit": 3]
            while true {
                let page = try await shop.inSteps("audit_verify", params)
                #expect(page["total"] == .integer(Int64(all)))
                seen += page["differences"]?.array?.compactMap { $0["message"]?.string } ?? []
                guard let cursor = page["nextCursor"], cursor != .null else { break }
                params["cursor"] = cursor
            }
            #expect(seen.count == all)
            #expect(Set(seen).count == all)
        }
    }
}

extension Shop {
    /// Changes rows as an owner who switches the triggers off.
    func tamper(_ sql: String) async throws {
        try await run("set session_replication_role = replica; \(sql); set session_replication_role = origin")
    }

    /// What the audit finds: kind, table and product of each difference.
    func differences() async throws -> [String] {
        try await rows(Self.differences)
    }

    private static let differences = """
        select concat_ws(' ', kind, "table", coalesce(product_id::text, ''))
        from (select * from audit_products(array(select product_id from product))
              union all select * from audit_orders(1, 9223372036854775807)) d
        order by 1
        """

    /// What the audit would find after such a change, which is taken back.
    func differences(after sql: String) async throws -> [String] {
        try await run(
            """
            create or replace function pg_temp.differences(deed text) returns setof text language plpgsql as $$
            declare named text[];
            begin
                begin
                    perform set_config('session_replication_role', 'replica', true);
                    execute deed;
                    named := array(\(Self.differences));
                    raise exception 'take it back';
                exception when raise_exception then null;
                end;
                return query select unnest(named);
            end $$
            """
        )
        return try await rows("select * from pg_temp.differences($1)", [.text(sql)])
    }

    /// What a function of parameters gives.
    func object(_ function: String, _ params: JSONObject) async throws -> JSONObject {
        let text = try await value(
            "select \(function)($1::text::jsonb)",
            [.text(String(decoding: JSONText(params).bytes, as: UTF8.self))]
        )
        return try #require(try JSONParser.parse(Array(text.utf8)).object)
    }

    /// The reply of a function that goes in steps.
    func inSteps(_ function: String, _ params: JSONObject) async throws -> JSONObject {
        var params = params
        while true {
            let step = try await object(function, params)
            if let reply = step["reply"]?.object { return reply }
            let state: JSONValue = try #require(step["state"])
            params["state"] = state
        }
    }
}
