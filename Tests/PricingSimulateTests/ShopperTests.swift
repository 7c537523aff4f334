import JSON
import Testing

@testable import pricing_simulate

struct ShopperTests {
    private static func shopper(seed: UInt64, restockShare: Double = 0.1) -> Shopper {
        Shopper(seed: seed, customers: Array(1...50), products: Array(101...200), restockShare: restockShare)
    }

    @Test
    func `The same seed decides the same, another seed something else`() {
        let calls = (0..<200).map(Self.shopper(seed: 7).action)
        #expect(calls == (0..<200).map(Self.shopper(seed: 7).action))
        #expect(calls != (0..<200).map(Self.shopper(seed: 8).action))
    }

    @Test(arguments: [0.0, 0.25, 1.0])
    func `The restock share is kept, and 0 and 1 are exact`(share: Double) {
        let shopper = Self.shopper(seed: 3, restockShare: share)
        let restocks = (0..<2000).count { if case .restock = shopper.action($0) { true } else { false } }
        let expected = share * 2000
        #expect(abs(Double(restocks) - expected) <= (share == 0 || share == 1 ? 0 : 80))
    }

    @Test
    func `Each order is one to three lines of different products that the shop has, by a customer that it has`() throws
    {
        let shopper = Self.shopper(seed: 5, restockShare: 0)
        for n in 0..<500 {
            guard case .order(let params) = shopper.action(n) else {
                Issue.record("call \(n) is no order")
                return
            }
            let lines = try #require(params["lines"]?.array)
            let products = lines.compactMap { $0["productId"]?.integer }
            #expect((1...3).contains(lines.count))
            #expect(Set(products).count == lines.count)
            #expect(products.allSatisfy { (101...200).contains($0) })
            #expect(lines.allSatisfy { (1...3).contains($0["quantity"]?.integer ?? 0) })
            #expect((1...50).contains(params["customerId"]?.integer ?? 0))
        }
    }

    @Test
    func `A mix has quotes, half of them taken, returns and campaigns beside its orders; without it there are none`() {
        var shopper = Self.shopper(seed: 5)
        shopper.isMixed = true
        var counts: [String: Int] = [:]
        for n in 0..<4000 {
            switch shopper.action(n) {
            case .order: counts["order", default: 0] += 1
            case .restock: counts["restock", default: 0] += 1
            case .quote(_, let isTaken): counts[isTaken ? "taken" : "abandoned", default: 0] += 1
            case .orderThatReturns: counts["return", default: 0] += 1
            case .campaign: counts["campaign", default: 0] += 1
            }
        }
        #expect((300...420).contains(counts["taken", default: 0]), "\(counts)")
        #expect((300...420).contains(counts["abandoned", default: 0]), "\(counts)")
        #expect((130...230).contains(counts["return", default: 0]), "\(counts)")
        #expect((5...40).contains(counts["campaign", default: 0]), "\(counts)")
        shopper.isMixed = false
        let kinds = (0..<500).map { shopper.action($0) }.filter { action in
            switch action {
            case .order, .restock: false
            case .quote, .orderThatReturns, .campaign: true
            }
        }
        #expect(kinds == [])
    }

    @Test
    func `The first products are wanted most`() {
        let shopper = Self.shopper(seed: 1, restockShare: 1)
        let products = (0..<2000).compactMap { n -> Int64? in
            if case .restock(let params) = shopper.action(n) { params["productId"]?.integer } else { nil }
        }
        #expect((900...1100).contains(products.count { $0 <= 125 }))
    }
}

struct ScheduleTests {
    @Test
    func `The schedule is absolute and ends where the nearer limit says`() {
        let schedule = Schedule(rate: 50, count: 1000, duration: 2)
        #expect(schedule.count == 100)
        #expect(schedule.due(0) == .zero)
        #expect(schedule.due(25) == .milliseconds(500))
        #expect(schedule.due(99) != nil)
        #expect(schedule.due(100) == nil)
        #expect(Schedule(rate: 50, count: 3, duration: 2).due(3) == nil)
        #expect(Schedule(rate: 1, count: nil, duration: nil).due(1_000_000) == .seconds(1_000_000))
        #expect(Schedule(rate: 1_000_000, count: nil, duration: 1e9).count == 1_000_000_000_000_000)
    }
}
