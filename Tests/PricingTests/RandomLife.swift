import Postgres
import PricingClient
import PricingTestSupport

/// Days in the life of four products under one rule, in which people and customers do all that moves a price: every tick
/// at its time, each deed in a transaction of its own.
struct RandomLife {
    let shop: Shop
    private var random: SplitMix64
    private let buyer: Int

    static let products = 4
    private static let start = "timestamptz '2031-01-01 00:00Z'"

    /// - Parameter above: the rule's approveAbove, or null.
    init(_ shop: Shop, strategy: String, preset: String, above: String, seed: UInt64) async throws {
        self.shop = shop
        random = SplitMix64(seed: seed)
        try await Self.setHour(shop, 0)
        try await shop.run(
            """
            select rule_activate(rule_create('{"name": "tried", "strategy": "\(strategy)", "preset": "\(preset)",
                                               "parameters": {"approveAbove": \(above)}}')::jsonb);
            insert into category (name) values ('Things'), ('Others');
            select product_create(jsonb_build_object('title', 'Thing', 'basePrice', n * 40 || '.00', 'unitCost', '10.00',
                'categoryId', 1, 'stock', 30 * n, 'ruleId', (select max(rule_id) from rule),
                'seasonStart', '2031-01-01T00:00:00Z', 'seasonEnd', '2031-01-15T00:00:00Z'))
            from generate_series(1, \(Self.products)) n
            """
        )
        buyer = try await shop.buyer()
    }

    static func setHour(_ shop: Shop, _ hour: Int) async throws {
        _ = try await shop.value("select clock_set(jsonb_build_object('at', \(start) + \(hour) * interval '1 hour'))")
    }

    /// One deed; what the shop refuses is none.
    /// - Returns: another error than a refusal.
    mutating func act(hour: Int) async throws -> String? {
        let id = random.number(1...Self.products)
        guard let deed = random.oneIn(2) ? change(id, hour: hour) : decision(id) else { return nil }
        guard let error = await shop.outcome(deed), error.sqlState?.code.hasPrefix("PR") != true else { return nil }
        return "\(deed): \(error)"
    }

    /// What customers, deliveries and campaigns do.
    private mutating func change(_ id: Int, hour: Int) -> String? {
        func at(_ hours: Int) -> String { "rfc3339(pricing_now() + \(hours) * interval '1 hour')" }
        switch random.number(1...10) {
        case 1: return "select inventory_restock('{\"productId\": \(id), \"quantity\": 25}')"
        case 2: return "select inventory_adjust('{\"productId\": \(id), \"quantity\": -2}')"
        case 3: return "select order_cancel(jsonb_build_object('orderId', (select max(order_id) from customer_order)))"
        case 4:
            let members = ["'all', true", "'categoryId', 1", "'productIds', jsonb_build_array(\(id))"]
            return """
                select campaign_create(jsonb_build_object('name', 'Sale \(hour)', 'percentOff', \(random.number(5...25)),
                    \(members[random.number(0...2)]), 'startsAt', \(at(random.number(1...4))),
                    'endsAt', \(at(random.number(5...14)))))
                """
        case 5:
            return
                "select campaign_end(jsonb_build_object('campaignId', (select max(campaign_id) from campaign)))"
        default: return place(buyer, [(id, random.number(1...4))])
        }
    }

    /// What people decide of prices.
    private mutating func decision(_ id: Int) -> String? {
        let share = "0.\(random.number(75...99))"
        let one = "(select proposal_id from proposal where status = 'open' order by proposal_id limit 1)"
        switch random.number(1...12) {
        case 1:
            return """
                select product_update(jsonb_build_object('productId', \(id),
                    'basePrice', round(base_price * (\(share) + \(random.number(0...1)) * 0.3), 2)::text))
                from product where product_id = \(id)
                """
        case 2:
            return """
                select price_pin(jsonb_build_object('productId', \(id), 'price', round(regular_price * \(share), 2)::text)
                    || case when \(random.oneIn(2)) then '{}'
                            else jsonb_build_object('until', rfc3339(pricing_now() + interval '5 hours')) end)
                from inventory where product_id = \(id)
                """
        case 3: return "select price_unpin('{\"productId\": \(id)}')"
        case 4: return "select pricing_halt('{\"productId\": \(id), \"reason\": \"a test\"}')"
        case 5: return "select pricing_halt('{\"categoryId\": 1, \"reason\": \"a test\"}')"
        case 6: return "select pricing_resume('{\"productId\": \(id), \"reason\": \"a test\"}')"
        case 7: return "select pricing_resume('{\"categoryId\": 1, \"reason\": \"a test\"}')"
        case 8: return "select product_update('{\"productId\": \(id), \"categoryId\": \(random.number(1...2))}')"
        case 9: return "select proposal_approve(jsonb_build_object('proposalId', \(one)))"
        case 10:
            return """
                select proposal_approve(jsonb_build_object('proposalId', \(one), 'price', asked_now(product_id)::text))
                from proposal where proposal_id = \(one)
                """
        case 11: return "select proposal_reject(jsonb_build_object('proposalId', \(one)))"
        default:
            guard random.oneIn(3) else { return nil }
            let (archive, restore) = ("select product_archive", "select product_restore")
            return "\(archive)('{\"productId\": \(id)}'); \(restore)('{\"productId\": \(id)}')"
        }
    }
}
