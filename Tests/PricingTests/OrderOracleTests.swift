import PricingClient
import PricingTestSupport
import Testing

/// The order path against a model that shares no code with it.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct OrderOracleTests {
    @Test
    func `Orders, quotes, movements, pins and ticks give what a model beside the database foretells`() async throws {
        try await Shop.with { shop in
            try await shop.run(
                """
                set track_functions = 'pl';
                create function pg_temp.hour(moment timestamptz) returns integer
                language sql as $$ select extract(epoch from moment) / 3600 $$;
                """
            )
            var random = SplitMix64(seed: 20_310_101)
            var oracle = try await OracleShop(shop, &random)
            var done = 0
            while done < 1000 * effort {
                switch random.number(0...9) {
                case 0...3:
                    let batch = Self.batch(oracle.model, &random)
                    try await oracle.place(batch)
                    done += batch.count
                case 4:
                    try await oracle.tick(after: random.number(1...30))
                    done += 1
                default:
                    let calls = random.number(1...8)
                    for _ in 0..<calls { try await Self.call(&oracle, &random) }
                    done += calls
                }
            }
            try await oracle.compareAll()
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(
                try await shop.rows(
                    """
                    select a::text from audit_products(array(select product_id from product)) a
                    union all select a::text from audit_orders(1, (select max(order_id) from customer_order)) a
                    """
                ) == []
            )
            _ = try await shop.value("select pg_stat_force_next_flush()")
            let together = try await shop.value(
                "select sum(calls) from pg_stat_user_functions where funcname = 'place_together'"
            )
            #expect(Int64(together) ?? 0 >= 5 * effort, "so many batches were placed as one set: \(together)")
        }
    }

    /// Orders of one batch. Of half of the batches there is plenty: of few products, small quantities. Half are fair: they
    /// ask for nothing that is not sold, or at too low a price, or by a stranger. Half repeat keys, of older orders and of
    /// the batch's own, with the same order and with another.
    private static func batch(_ shop: ModelShop, _ random: inout SplitMix64) -> [OracleShop.Call] {
        let (isPlenty, isFair, repeats) = (random.oneIn(2), random.oneIn(2), random.oneIn(2))
        var products = (1...8).filter { !isPlenty || shop.products[$0]?.stock ?? 0 > 40 }.shuffled(using: &random)
        products = Array(products.prefix(random.number(1...(isPlenty ? 3 : 8))))
        if !isFair && random.oneIn(3) { products += [9, 10, 99] }
        var batch: [OracleShop.Call] = []
        for _ in 0..<random.number(1...([4, 16, 64].randomElement(using: &random) ?? 1)) {
            let fresh = OracleShop.Call(
                wanted: wanted(shop, products, isPlenty, isFair, &random),
                key: "\(random.next())"
            )
            let moved = shop.moves.suffix(20).randomElement(using: &random).map { shop.orders[$0.order] }
            let old = random.oneIn(2) ? moved : shop.orders.randomElement(using: &random)
            switch repeats ? random.number(0...60) : 0 {
            case 1...4: batch.append(OracleShop.Call(wanted: old?.wanted ?? fresh.wanted, key: old?.key))
            case 5: batch.append(OracleShop.Call(wanted: fresh.wanted, key: old?.key))
            case 6...7: batch.append(batch.randomElement(using: &random) ?? fresh)
            default: batch.append(fresh)
            }
        }
        return batch
    }

    private static func wanted(
        _ shop: ModelShop,
        _ products: some Collection<Int>,
        _ isPlenty: Bool,
        _ isFair: Bool,
        _ random: inout SplitMix64
    ) -> ModelShop.Wanted {
        let lines = (0..<random.number(1...4)).map { _ in
            let product = products.randomElement(using: &random) ?? 1
            let quantity = !isPlenty && random.oneIn(15) ? random.number(5...90) : random.number(1...2)
            let most = (shop.products[product]?.price ?? 1) + random.number((isFair ? 0 : -300)...300)
            return ModelShop.Wanted.Line(
                product: product,
                quantity: quantity,
                most: random.oneIn(4) ? max(1, most) : nil
            )
        }
        let isKnown = isFair || !random.oneIn(25)
        var wanted = ModelShop.Wanted(customer: random.number(isKnown ? 1...2 : 3...4), lines: lines)
        guard random.oneIn(8), let quote = shop.quotes.indices.suffix(10).randomElement(using: &random) else {
            return wanted
        }
        let held = shop.quotes[quote]
        (wanted.quote, wanted.quoteID) = (quote, held.id)
        if isFair || !random.oneIn(10) { wanted.customer = held.customer }
        if random.oneIn(2) {
            wanted.lines = []
        } else if isFair || !random.oneIn(10) {
            wanted.lines = held.lines.shuffled(using: &random).prefix(random.number(1...4)).map { line in
                ModelShop.Wanted.Line(product: line.product, quantity: random.number(1...line.quantity))
            }
        }
        return wanted
    }

    /// A quote is made, held for longer, or let go of.
    private static func quote(_ oracle: inout OracleShop, _ random: inout SplitMix64) async throws {
        let quotes = oracle.model.quotes
        if random.oneIn(3), let quote = quotes.indices.suffix(8).randomElement(using: &random) {
            if random.oneIn(2) { return try await oracle.release(quote) }
            return try await oracle.extend(quote, hours: random.number(1...24))
        }
        let products = Array((1...8).shuffled(using: &random).prefix(random.number(1...4)))
        var wanted = wanted(oracle.model, products, random.oneIn(2), random.oneIn(2), &random)
        (wanted.quote, wanted.quoteID) = (nil, nil)
        if wanted.lines.isEmpty { return }
        try await oracle.quote(wanted, hours: random.number(1...24))
    }

    /// One call that is no order.
    private static func call(_ oracle: inout OracleShop, _ random: inout SplitMix64) async throws {
        let shop = oracle.model
        let id = random.number(1...8)
        guard let product = shop.products[id] else { return }
        switch random.number(0...11) {
        case 10...11: try await quote(&oracle, &random)
        case 0...2:
            if product.stock < 150 { try await oracle.move(id, by: random.number(1...150), "restock") }
        case 3...4:
            let sign = product.stock < 250 && random.oneIn(2) ? 1 : -1
            try await oracle.move(id, by: sign * random.number(1...(random.oneIn(3) ? 60 : 4)), "adjust")
        case 5 where random.oneIn(2):
            let end = product.declared.renews || random.oneIn(3) ? nil : shop.clock + random.number(0...48)
            try await oracle.pin(id, product.price * random.number(70...130) / 100, until: end)
        case 5: try await oracle.unpin(id)
        default:
            let recent = random.oneIn(2) ? shop.moves.suffix(10).map(\.order) : Array(shop.orders.indices.suffix(60))
            guard let order = recent.randomElement(using: &random) else { return }
            let statuses = ["processing", "completed", "cancelled", "returned"]
            let next = ["pending": "processing", "processing": "completed", "completed": "returned"]
            let status = random.oneIn(2) ? statuses.randomElement(using: &random) : next[shop.orders[order].status]
            let fits = shop.orders[order].lines.allSatisfy { line in
                line.quantity + (shop.products[line.product]?.stock ?? 0) <= OracleShop.mostStock
            }
            if fits, let status { try await oracle.move(order, to: status) }
        }
    }
}
