import Postgres
import PricingClient
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct InvariantTests {
    private static let products = 6

    @Test(arguments: 1...2)
    func `One session after another`(seed: UInt64) async throws {
        try await Shop.with { shop in
            try await stock(shop)
            var random = SplitMix64(seed: seed)
            for number in 0..<300 * Int(effort) {
                let sql = Self.randomDeed(&random, mayMoveClock: true)
                check(await shop.outcome(sql), "seed \(seed), deed \(number): \(sql)")
                if number.isMultiple(of: 100) {
                    #expect(try await shop.rows(Invariants.sql) == [], "seed \(seed), deed \(number)")
                }
            }
            #expect(try await shop.rows(Invariants.sql) == [], "seed \(seed)")
            #expect(try await shop.differences() == [], "seed \(seed)")
            #expect(Int(try await shop.value("select count(*) from price_change")) ?? 0 > 20)
            #expect(Int(try await shop.value("select count(*) from customer_order")) ?? 0 > 20)
        }
    }

    @Test
    func `Four sessions at once, without a deadlock`() async throws {
        try await Shop.with { shop in
            try await stock(shop)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in 1...4 as ClosedRange<UInt64> {
                    let session = try await shop.another()
                    group.addTask {
                        var random = SplitMix64(seed: 100 + seed)
                        for number in 0..<100 * Int(effort) {
                            let sql = Self.randomDeed(&random, mayMoveClock: seed == 1)
                            check(await session.outcome(sql), "seed \(100 + seed), deed \(number): \(sql)")
                        }
                        await session.connection.close()
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await shop.rows(Invariants.sql) == [])
            #expect(try await shop.differences() == [])
        }
    }

    @Test
    func `The invariants see what was tampered with`() async throws {
        for (rule, sql) in [
            ("I1", "update inventory set stock = stock + 1"),
            ("I3", "update customer_order set total = total + 1"),
            ("I3", "update order_line set quantity = quantity + 1"),
            ("I3", "update customer_order set status = 'cancelled'"),
            ("I5", "update price_change set new_price = new_price + 0.01 where sequence = 2"),
            ("I5", "update inventory set price = price + 0.01"),
            ("I6", "update price_change set old_price = old_price - 0.01"),
            ("I6", "delete from price_change where sequence = 1"),
            ("I6", "update stock_movement set stock_after = stock_after + 1"),
            ("I6", "update inventory set movement_count = movement_count + 1"),
            ("I7", "update product set ceiling_price = 90"),
            ("I8", "update order_line set unit_price = unit_price + 1"),
        ] {
            try await Shop.with { shop in
                let product = try await shop.product(stock: 11)
                try await shop.run(place(try await shop.buyer(), [(product, 1)]))
                try await shop.run("update inventory set stock = 50")
                #expect(try await shop.rows(Invariants.sql) == [])
                try await shop.run("set session_replication_role = replica; \(sql)")
                let found = try await shop.rows(Invariants.sql)
                #expect(found.contains { $0.hasPrefix(rule) }, "\(sql): \(found)")
            }
        }
    }

    private func stock(_ shop: Shop) async throws {
        try await shop.setDay(0)
        for number in 1...Self.products {
            try await shop.product(
                base: "\(number * number * 7).50",
                stock: 15 * number,
                rule: number == 4 ? "manual" : "bands"
            )
        }
        _ = try await shop.buyer()
    }

    /// One deed of an operator, a customer or the clock, as SQL.
    private static func randomDeed(_ random: inout SplitMix64, mayMoveClock: Bool) -> String {
        let product = random.number(1...products)
        let quantity = random.number(1...12)
        let order = "(select order_id from customer_order order by md5(order_id || '\(random.next())') limit 1)"
        let share = "\(Double(random.number(60...150)) / 100)"
        let aboutBase = "(select round(base_price * \(share), 2) from product where product_id = \(product))"
        func call(_ function: String, _ arguments: String) -> String {
            "select \(function)(jsonb_build_object('productId', \(product)\(arguments)))"
        }
        switch random.number(1...(mayMoveClock ? 20 : 18)) {
        case 1...7: return place(1, [(product, quantity), (random.number(1...products), 1)])
        case 8: return call("inventory_restock", ", 'quantity', \(quantity * 5)")
        case 9: return call("inventory_adjust", ", 'quantity', \(random.number(-15...15))")
        case 10: return "update inventory set stock = \(random.number(-1...140)) where product_id = \(product)"
        case 11: return "update inventory set price = \(aboutBase) where product_id = \(product)"
        case 12: return call("price_pin", ", 'price', \(aboutBase), 'until', pricing_now() + interval '30 hours'")
        case 13: return call("price_unpin", "")
        case 14: return call("product_update", ", 'basePrice', \(aboutBase)")
        case 15: return call("product_update", ", 'lowStock', \(quantity), 'highStock', \(quantity + 40)")
        case 16: return "select order_cancel(jsonb_build_object('orderId', \(order)))"
        case 17: return "select order_return(jsonb_build_object('orderId', \(order)))"
        case 18:
            let status = random.oneIn(2) ? "processing" : "completed"
            return "select order_advance(jsonb_build_object('orderId', \(order), 'status', '\(status)'))"
        default: return "select clock_set(jsonb_build_object('at', pricing_now() + \(quantity) * interval '3 hours'))"
        }
    }
}

/// A deed may be refused in the words of the domain, never otherwise.
private func check(_ outcome: PostgresError?, _ deed: String) {
    guard let error = outcome else { return }
    let isRefusal = error.sqlState?.code.hasPrefix("PR") == true
    let isNegativeStock = error.sqlState?.code == "23514" && error.constraint?.hasPrefix("inventory_") == true
    #expect(isRefusal || isNegativeStock, "\(deed)\n\(error) \(error.message)")
}
