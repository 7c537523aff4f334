import Postgres
import PricingClient
import PricingTestSupport
import Testing

/// A real shop and its model side by side: whatever is done to one is done to the other, and both must say the same.
struct OracleShop {
    struct Call {
        let wanted: ModelShop.Wanted
        let key: String?
    }

    /// Above any stock that may come to be.
    static let mostStock = 400

    let shop: Shop
    var model: ModelShop

    /// Every strategy, and every guard of them. The ninth is archived, the tenth not for sale; none has the number 99.
    private static let declarations: [ModelProduct.Declaration] = {
        let season = [
            "season_start": "'2031-01-01 12:00Z'", "season_end": "'2031-02-20 12:00Z'", "unit_value": "4",
            "ref_rate": "3",
        ]
        return [
            .init("bands", 10_00, 9_50...20_00),
            .init("bands", 99_99, 50_00...120_00) {
                ($0.low, $0.high, $0.up, $0.down, $0.gapShare) = (20, 60, 25, 30, 10)
                ($0.cap, $0.step, $0.offset) = (15, 50, 1)
            },
            .init("manual", 250_00, 200_00...300_00) { $0.step = 100 },
            .init("cover", 50_00, 30_00...75_00) {
                ($0.cost, $0.margin, $0.bandTick, $0.bandStock) = (36_01, 10, 0, 0)
                $0.more = ["ref_rate": "4"]
            },
            .init("deadline", 80_00, 50_00...160_00) {
                ($0.tickHours, $0.bandTick, $0.bandStock, $0.more) = (6, 5, 5, season)
            },
            .init("learn", 50_00, 25_00...100_00) {
                ($0.tickHours, $0.bandTick, $0.bandStock, $0.cap) = (1, 2, 2, nil)
                ($0.step, $0.coverDays) = (5, 3)
            },
            .init("restock", 60_00, 30_00...120_00) {
                ($0.cost, $0.margin, $0.cooldownHours, $0.more) = (30_00, 30, 12, ["ref_rate": "9"])
            },
            .init("markdown", 40_00, 18_00...80_00) {
                ($0.bandTick, $0.bandStock, $0.neverUp) = (3, 10, true)
                $0.more = season.merging(["decay": "0.02"]) { $1 }
            },
            .init("bands", 10_00, 5_00...20_00),
            .init("manual", 10_00, 5_00...20_00),
        ]
    }()

    /// Makes both, with the same stock in both.
    init(_ shop: Shop, _ random: inout SplitMix64) async throws {
        self.shop = shop
        let noon = 534_732  // of the first of January 2031
        _ = try await shop.value(Self.clock, [.int(Int64(noon))])
        let buyers = [try await shop.buyer("1@example.com"), try await shop.buyer("2@example.com")]
        let gone = try await shop.buyer("gone@example.com")
        _ = try await shop.value("select user_delete(jsonb_build_object('userId', \(gone)))")
        try await shop.run("insert into category (name) values ('Things')")
        model = ModelShop(customers: Set(buyers), clock: noon, products: [:])
        for (index, declared) in Self.declarations.enumerated() {
            let id = index + 1
            let stock = random.number(60...200)
            try await shop.run(Self.declaring(declared, id: id, stock: stock))
            let targets = try await targets(of: id)
            model.products[id] = ModelProduct(declared, stock: stock, targets: targets[id] ?? [], at: noon)
        }
        _ = try await shop.value(#"select product_archive('{"productId": 9}')"#)
        try await shop.run("update product set active = false where product_id = 10")
        model.products[9]?.isArchived = true
        model.products[10]?.isForSale = false
    }

    /// A rule, the product that follows it and its first stock; goods are on their way to one under `restock`.
    private static func declaring(_ d: ModelProduct.Declaration, id: Int, stock: Int) -> String {
        let more = d.more.sorted { $0.key < $1.key }
        let cap = d.cap.map { "\($0) / 100.0" } ?? "null"
        let delivery = """
            insert into expectation (product_id, quantity, eta, actor, created_at)
            values (\(id), 50, '2031-02-10 12:00Z', 'tester', pricing_now());
            """
        return """
            insert into rule (name, version, strategy, status, up_share, down_share, gap_share, tick_seconds, band_tick,
                              band_stock, least_rise, least_fall, daily_cap, minimum_margin, price_step, price_offset, cooldown_seconds, never_up,
                              cover_days)
            values ('rule \(id)', 1, '\(d.strategy)', 'active', \(d.up) / 100.0, \(d.down) / 100.0, \(d.gapShare) / 100.0,
                    \(d.tickHours) * 3600, \(d.bandTick) / 100.0, \(d.bandStock) / 100.0, 0, 0, \(cap), \(d.margin) / 100.0,
                    \(money(d.step)), \(money(d.offset)), \(d.cooldownHours) * 3600, \(d.neverUp),
                    \(d.coverDays));
            insert into product (title, category_id, base_price, unit_cost, floor_price, ceiling_price, low_stock,
                                 high_stock, rule_id\(more.map { ", \($0.key)" }.joined()))
            select 'Thing', category_id, \(money(d.base)), \(money(d.cost)), \(money(d.limits.lowerBound)), \(money(d.limits.upperBound)),
                   \(d.low), \(d.high), rule_id\(more.map { ", \($0.value)" }.joined())
            from category, rule where rule.name = 'rule \(id)';
            \(d.strategy == "restock" ? delivery : "")
            update inventory set stock = \(stock), cause.kind = 'initial' where product_id = \(id);
            """
    }

    /// What the strategies that model demand ask at every stock as of the last tick, before any guard.
    private func targets(of only: Int? = nil) async throws -> [Int: [Int]] {
        let rows = try await shop.rows(
            """
            select concat_ws(' ', product_id, string_agg(round(1e12 * strategy_target(r.strategy, n, d.base_price,
                d.unit_cost, d.unit_value, v.elasticity, v.rate, v.season_left, v.days_left, v.has_end, d.decay,
                v.age)::numeric)::text, ' ' order by n))
            from product d join rule r using (rule_id) join inventory i using (product_id),
                 strategy_position(d, r, i, null) v, generate_series(1, $1::integer) n
            where models_demand(r.strategy) and product_id = coalesce($2, product_id) group by product_id
            """,
            [.int(Int64(Self.mostStock)), only.map { .int(Int64($0)) } ?? .null]
        )
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let numbers = row.split(separator: " ").compactMap { Int($0) }
                return (numbers[0], Array(numbers.dropFirst()))
            }
        )
    }

    // MARK: Deeds

    /// Places a batch in both.
    mutating func place(_ batch: [Call]) async throws {
        let foretold = batch.map { model.place($0.wanted, key: $0.key) }
        let calls = batch.map { call in
            let key = call.key.map { #", "key": "\#($0)""# } ?? ""
            return #"{"params": \#(call.wanted.json), "actor": "tester"\#(key)}"#
        }
        let answers = try await shop.rows(Self.placing, [.text("[" + calls.joined(separator: ", ") + "]")])
        #expect(answers.count == batch.count)
        for (index, (answer, foretold)) in zip(answers, foretold).enumerated() {
            let parts = answer.split(separator: " ", maxSplits: 1)
            try #require(parts[1] == foretold.text, "order \(index) of \(calls.joined(separator: "\n"))")
            let id = Int(parts[0])
            if let order = foretold.order {
                if model.orders[order].id == nil { model.orders[order].id = id }
                try #require(id != nil && model.orders[order].id == id, "order \(index)")
            }
        }
    }

    mutating func move(_ order: Int, to status: String) async throws {
        let id = try #require(model.orders[order].id)
        let method = ["cancelled": "order_cancel", "returned": "order_return"][status, default: "order_advance"]
        let foretold = model.move(order, to: status)
        try await expect(foretold, method, #"{"orderId": \#(id), "status": "\#(status)"}"#)
    }

    mutating func move(_ product: Int, by quantity: Int, _ kind: String) async throws {
        let foretold = model.move(product, by: quantity, kind)
        try await expect(foretold, "inventory_\(kind)", #"{"productId": \#(product), "quantity": \#(quantity)}"#)
    }

    mutating func quote(_ wanted: ModelShop.Wanted, hours: Int) async throws {
        let foretold = model.quote(wanted, hours: hours)
        try await expect(foretold, "quote_create", wanted.json.dropLast() + #", "ttlSeconds": \#(3600 * hours)}"#)
        if foretold.hasPrefix("open") {
            model.quotes[model.quotes.count - 1].id = Int(try await shop.value("select max(quote_id) from quote"))
        }
    }

    mutating func extend(_ quote: Int, hours: Int) async throws {
        let id = try #require(model.quotes[quote].id)
        let foretold = model.extend(quote, hours: hours)
        try await expect(foretold, "quote_extend", #"{"quoteId": \#(id), "ttlSeconds": \#(3600 * hours)}"#)
    }

    mutating func release(_ quote: Int) async throws {
        let id = try #require(model.quotes[quote].id)
        let foretold = model.release(quote)
        try await expect(foretold, "quote_release", #"{"quoteId": \#(id)}"#)
    }

    mutating func pin(_ product: Int, _ price: Int, until end: Int?) async throws {
        let foretold = model.pin(product, price, until: end)
        let until = try await shop.value(
            "select to_jsonb(to_timestamp(3600 * $1))",
            [end.map { .int(Int64($0)) } ?? .null]
        )
        try await expect(
            foretold,
            "price_pin",
            #"{"productId": \#(product), "price": "\#(money(price))", "until": \#(until)}"#
        )
    }

    /// In the shop first: what is learned until then comes with it.
    mutating func unpin(_ product: Int) async throws {
        let answer = try await call("price_unpin", #"{"productId": \#(product)}"#)
        if let targets = try await targets(of: product)[product] { model.products[product]?.targets = targets }
        try #require(answer == model.unpin(product))
    }

    mutating func tick(after hours: Int) async throws {
        _ = try await shop.value(Self.clock, [.int(Int64(model.clock + hours))])
        model.tick(at: model.clock + hours, try await targets())
    }

    private func expect(_ foretold: String, _ function: String, _ params: String) async throws {
        let answer = try await call(function, params)
        try #require(answer == foretold, "\(function) \(params)")
    }

    /// The answer of one call, in the model's words.
    private func call(_ function: String, _ params: String) async throws -> String {
        do throws(PostgresError) {
            return try await shop.rows(Self.calling, [.text(function), .text(params)]).joined()
        } catch {
            return try #require(error.sqlState?.code)
        }
    }

    private static let clock = "select clock_set(jsonb_build_object('at', to_timestamp(3600 * $1)))"

    private static let calling = """
        select concat_ws(' ', r ->> 'status', r ->> 'total', r ->> 'stock', r ->> 'pinned',
                         case when r ? 'pinned' then r ->> 'price' end, r ->> 'priceBefore', r ->> 'priceAfter')
        from run_write($1, $1, $2, null, 'tester') w, lateral (select w.reply::jsonb as r) j
        """

    private static let placing = """
        select concat_ws(' ', coalesce(r ->> 'orderId', '-'), left(replayed::text, 1), state,
            (select string_agg(key || '=' || value, ' ' order by key) from jsonb_each_text(detail::jsonb)
             where key not in ('why', 'expiresAt', 'violations', 'orderId')),
            r ->> 'customerId', r ->> 'status', r ->> 'total',
            (select string_agg(format('%s×%s@%s', l ->> 'productId', l ->> 'quantity', l ->> 'unitPrice'), ' ' order by n)
             from jsonb_array_elements(r -> 'lines') with ordinality u (l, n)),
            (select string_agg(format('%s:%s→%s', l ->> 'productId', l ->> 'old', l ->> 'new'), ' ' order by n)
             from jsonb_array_elements(r -> 'priceChanges') with ordinality u (l, n)),
            (extract(epoch from (r ->> 'placedAt')::timestamptz) / 3600)::integer)
        from place_orders($1) with ordinality u (reply, replayed, state, message, detail, broken, n),
             lateral (select reply::jsonb as r) j order by n
        """

    // MARK: What is left in the end

    /// Every product with its ledger and its price history, and every order.
    func compareAll() async throws {
        func number(_ order: Int?) -> String { order.flatMap { model.orders[$0].id }.map { " order \($0)" } ?? "" }
        var foretold: [String] = []
        for (id, p) in model.products {
            foretold.append(
                "\(id) stock \(p.stock) held \(p.held) price \(money(p.price)) anchor \(money(p.anchor)) \(p.anchorDay) band \(p.band)"
                    + (p.pin.map { " pin \(money($0))" } ?? "") + (p.pinnedUntil.map { " until \($0)" } ?? "")
            )
            for r in p.records { foretold.append("\(id) \(r.text)\(number(r.order)) at \(r.at)") }
        }
        for (place, o) in model.orders.enumerated() {
            let sum = "\(o.wanted.customer) \(o.status) \(money(o.total)) at \(o.at) \(o.changedAt)"
            foretold.append("\(sum)\(number(place))")
            for l in o.lines { foretold.append("\(l.product)×\(l.quantity)@\(money(l.price))\(number(place))") }
            if let key = o.key { foretold.append("key \(key)\(number(place))") }
        }
        for q in model.quotes {
            foretold.append("quote \(q.id ?? 0) \(q.customer) \(q.status) until \(q.expiresAt)\(number(q.order))")
            for l in q.lines { foretold.append("quote \(q.id ?? 0) \(l.product)×\(l.quantity)@\(money(l.price))") }
        }
        for m in model.moves { foretold.append("moved\(number(m.order)) \(m.old) \(m.new) at \(m.at)") }
        let found = try await shop.rows(Self.kept)
        let (wanting, unforeseen) = (Set(foretold).subtracting(found), Set(found).subtracting(foretold))
        #expect(found.count == foretold.count)
        #expect(wanting.sorted().prefix(5) == [], "foretold and not there")
        #expect(unforeseen.sorted().prefix(5) == [], "there and not foretold")
    }

    private static let kept = """
        select concat_ws(' ', product_id, 'stock', stock, 'held', held, 'price', price, 'anchor', anchor_price,
                         anchor_date - date '1970-01-01', 'band', band, 'pin ' || pin_price,
                         'until ' || case when isfinite(pinned_until) then pg_temp.hour(pinned_until) end)
        from inventory
        union all
        select concat_ws(' ', product_id, 'movement', sequence, kind, quantity, stock_after, ends_order::text,
                         'order ' || order_id, 'at', pg_temp.hour(at)) from stock_movement
        union all
        select concat_ws(' ', product_id, 'change', sequence, old_price, new_price, stock, cause, binding_guard,
                         'order ' || order_id, 'at', pg_temp.hour(at)) from price_change
        union all
        select concat_ws(' ', customer_id, status, total, 'at', pg_temp.hour(placed_at), pg_temp.hour(changed_at),
                         'order ' || order_id) from customer_order
        union all
        select format('%s×%s@%s order %s', product_id, quantity, unit_price, order_id) from order_line
        union all
        select concat_ws(' ', 'key', key, 'order ' || order_id) from request_key
        union all
        select concat_ws(' ', 'quote', quote_id, customer_id, status, 'until', pg_temp.hour(expires_at),
                         'order ' || order_id) from quote
        union all
        select format('quote %s %s×%s@%s', quote_id, product_id, quantity, unit_price) from quote_line
        union all
        select concat_ws(' ', 'moved', 'order ' || order_id, old_status, new_status, 'at', pg_temp.hour(at))
        from order_change
        """
}
