import JSON
import JSONRPC
import PricingClient
import PricingTestSupport
import Testing

extension EndToEnd {
    /// `examples/bridge/`: a shop's own database and pricingd, kept equal.
    @Suite
    struct BridgeTests {
        private func open(_ skus: [String], stock: Int = 20) async throws -> BridgedShop {
            try await BridgedShop.open(try await TestDaemon.shared(), skus: skus, stock: stock)
        }

        private func expectEqual(_ shop: BridgedShop, _ skus: [String]) async throws {
            for sku in skus { #expect(try await shop.row(sku) == shop.posted(sku), "\(sku)") }
            let calls = try await shop.psql.run("select * from bridge where call is not null")
            #expect(calls.isEmpty, "in flight still")
        }

        private func run(_ shop: BridgedShop) async throws {
            let outcome = try await shop.run()
            #expect(outcome.status == 0, "\(outcome.output) \(outcome.errors)")
            #expect(outcome.errors.isEmpty)
        }

        @Test func `what pricingd does not know is left alone until it does`() async throws {
            let shop = try await open(["mug", "wrap"])
            try await shop.declare("mug", stock: 3)
            let both = try await shop.sell(["mug", "wrap"], 2)
            let wrap = try await shop.sell(["wrap"], 1)
            try await run(shop)
            #expect(try await shop.orders() == ["order \(both) of the shop: \(shop.sku("mug")) 2"])
            #expect(try await shop.row("mug") == "100.00|18")
            #expect(try await shop.row("wrap") == "1.00|17", "neither price nor stock is touched")
            try await expectEqual(shop, ["mug"])

            try await shop.declare("wrap", stock: 0)
            try await shop.sell(["wrap"], 8)
            try await run(shop)
            let orders = try await shop.orders()
            #expect(orders.count == 2 && !orders.contains { $0.hasPrefix("order \(wrap) ") }, "\(orders)")
            #expect(try await shop.row("wrap") == "110.00|9", "the shop's stock was right, and is low")
            try await expectEqual(shop, ["mug", "wrap"])

            // Archived, it is as if unknown; restored, it is followed again.
            _ = try await shop.client.call("product.archive", ["sku": .string(shop.sku("mug"))])
            try await shop.sell(["mug", "wrap"], 1)
            try await run(shop)
            #expect(try await shop.get("mug")["stock"] == 18)
            #expect(try await shop.get("wrap")["stock"] == 8)
            _ = try await shop.client.call("product.restore", ["sku": .string(shop.sku("mug"))])
            try await run(shop)
            #expect(try await shop.get("mug")["stock"] == 17)
            try await expectEqual(shop, ["mug", "wrap"])
            try await shop.close()
        }

        @Test func `a sale of more than pricingd has is a sale all the same`() async throws {
            let shop = try await open(["mug"])
            try await shop.declare("mug", stock: 20)
            try await run(shop)
            let order = try await shop.sell(["mug"], 15)
            try await shop.adjust("mug", -12)
            try await run(shop)
            #expect(try await shop.orders() == ["order \(order) of the shop: \(shop.sku("mug")) 15"])
            #expect(try await shop.get("mug")["stock"] == 0)
            try await expectEqual(shop, ["mug"])
            let moves = try await shop.movements("mug").prefix(3)
            #expect(moves == ["sale -15", "adjust 7", "adjust -12"], "told first that there were more")
            try await shop.close()
        }

        @Test func `stock is corrected on either side and counted once`() async throws {
            let shop = try await open(["mug", "cup"])
            for sku in ["mug", "cup"] { try await shop.declare(sku, stock: 20) }
            try await run(shop)
            try await shop.correct("mug", -3)
            try await shop.adjust("mug", 10)
            try await shop.sell(["mug"], 2)
            try await shop.correct("cup", 5)
            try await run(shop)
            #expect(try await shop.row("mug").hasSuffix("|25"))
            #expect(try await shop.row("cup").hasSuffix("|25"))
            #expect(try await shop.movements("cup") == ["adjust 5", "initial 20"])
            try await expectEqual(shop, ["mug", "cup"])
            // A cancelled order whose goods are back is such a correction; one that was never told is none at all.
            let told = try await shop.sell(["cup"], 4)
            try await run(shop)
            let untold = try await shop.sell(["cup"], 1)
            for (order, units) in [(told, 4), (untold, 1)] {
                try await shop.psql.run("update orders set status = 'cancelled' where id = \(order)")
                try await shop.correct("cup", Int64(units))
            }
            try await run(shop)
            #expect(try await shop.movements("cup") == ["adjust 4", "sale -4", "adjust 5", "initial 20"])
            try await expectEqual(shop, ["cup"])
            let quiet = try await shop.run()
            #expect(quiet.output.isEmpty, "nothing is left to do")
            try await shop.close()
        }

        @Test func `a gap in the stream has everything read anew`() async throws {
            let shop = try await open(["mug", "cup"])
            for sku in ["mug", "cup"] { try await shop.declare(sku, stock: 20) }
            try await run(shop)
            try await shop.adjust("mug", -12)
            // As after a restore of pricingd: the shop has read on to numbers that are not given yet.
            try await shop.psql.run("update bridge set number = number + 1000000 where kind = 'stream'")
            try await shop.psql.run("update products set price = 7")
            try await run(shop)
            #expect(try await shop.row("mug") == "110.00|8")
            #expect(try await shop.row("cup") == "100.00|20")
            // And its ledger has gone back too: then the shop is right.
            try await shop.psql.run(
                "update bridge set number = number + 1000000, stock = stock + 3 where kind <> 'order'"
            )
            try await run(shop)
            #expect(try await shop.row("mug") == "110.00|8")
            try await expectEqual(shop, ["mug", "cup"])
            try await shop.close()
        }

        @Test func `a sale that is refused waits and is told of`() async throws {
            let shop = try await open(["mug"])
            try await shop.declare("mug", stock: 20)
            let order = try await shop.sell(["mug"], 1)
            _ = try await shop.client.call("user.delete", ["userId": .integer(shop.customerId)])
            let outcome = try await shop.run()
            #expect(outcome.status == 1)
            #expect(outcome.errors.hasPrefix("order \(order) waits: USER_NOT_FOUND: "), "\(outcome.errors)")
            #expect(try await shop.get("mug")["stock"] == 20)
            #expect(try await shop.row("mug").hasSuffix("|19"))
            try await shop.close()
        }

        /// What the merchant and others do meanwhile, at random, and what the stock of each product comes to by it.
        private struct Doings {
            let skus: [String]
            var random = SplitMix64(seed: 20_26)
            var expected: [String: Int64] = [:]
            var sales: [String] = []

            mutating func something(in shop: BridgedShop) async throws {
                let sku = skus.randomElement(using: &random) ?? ""
                let units = Int64.random(in: 1...5, using: &random)
                switch Int.random(in: 0...6, using: &random) {
                case 0...2:
                    let other = skus.randomElement(using: &random) ?? ""
                    let sold = Set([sku, other])
                    let order = try await shop.sell(sold.sorted() + ["wrap"], Int(units))
                    let lines = sold.map { "\(shop.sku($0)) \(units)" }.sorted().joined(separator: ", ")
                    sales.append("order \(order) of the shop: \(lines)")
                    for sku in sold { expected[sku, default: 0] -= units }
                case 3:
                    try await shop.correct(sku, units - 3)
                    expected[sku, default: 0] += units - 3
                case 4:
                    try await shop.adjust(sku, -units)
                    expected[sku, default: 0] -= units
                case 5:
                    _ = try await shop.client.call(
                        "inventory.restock",
                        ["sku": .string(shop.sku(sku)), "quantity": .integer(units)]
                    )
                    expected[sku, default: 0] += units
                default:
                    _ = try await shop.client.call(
                        "product.update",
                        ["sku": .string(shop.sku(sku)), "basePrice": .string("\(100 + units).00")]
                    )
                }
            }
        }

        @Test func `killed at any moment it leaves both sides equal in the end`() async throws {
            let daemon = try await TestDaemon.start()
            let skus = ["mug", "cup", "jug"]
            let shop = try await BridgedShop.open(daemon, skus: skus + ["wrap"], stock: 500)
            // Near its high stock, a price moves with much of what happens.
            for sku in skus { try await shop.declare(sku, stock: 500, highStock: 500) }
            var doings = Doings(skus: skus, expected: Dictionary(uniqueKeysWithValues: skus.map { ($0, 500) }))
            var kills = 0
            // Before a product is followed the shop's stock alone counts, so only afterwards does pricingd's move.
            for step in [10, 30, 50, 70] {
                let bridge = try shop.start(dyingAt: step)
                kills += await bridge.exit() == 137 ? 1 : 0
            }
            try await run(shop)
            for _ in 1...24 {
                try await doings.something(in: shop)
                let bridge = try shop.start(dyingAt: Int.random(in: 1...120, using: &doings.random))
                // While it runs.
                for _ in 1...4 { try await doings.something(in: shop) }
                let status = await bridge.exit()
                let errors = await bridge.errorText()
                #expect(status == 137 || status == 0, "\(errors)")
                kills += status == 137 ? 1 : 0
            }
            #expect(kills >= 20)
            try await run(shop)

            try await expectEqual(shop, skus)
            for sku in skus { #expect(try await shop.get(sku)["stock"]?.integer == doings.expected[sku], "\(sku)") }
            #expect(try await shop.orders() == doings.sales.sorted(), "each sale is one order")
            #expect(try await shop.client.call("audit.verify")["total"] == 0)
            try await shop.close()
            #expect(await daemon.stop() == 0)
        }
    }
}

extension BridgedShop {
    /// The ledger of a product, newest first: kind and units.
    func movements(_ short: String) async throws -> [String] {
        try await client.all("inventory.movements", ["sku": .string(sku(short))]).map {
            "\($0["kind"]?.string ?? "") \($0["quantity"]?.integer ?? 0)"
        }
    }
}
