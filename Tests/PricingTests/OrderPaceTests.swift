import PricingProtocol
import Testing

@testable import Pricing

struct OrderPaceTests {
    private static let start = ContinuousClock.now
    private let own = Expiry.timeoutMs(100)

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { Self.start + .milliseconds(milliseconds) }

    /// Two batches of 128 at a time, each of which takes 32 ms, to the given end.
    private func pace(until end: Int) -> OrderPace {
        var pace = OrderPace(spared: 256)
        pace.began(at(0))
        pace.began(at(16))
        for moment in stride(from: 32, through: end, by: 16) {
            pace.ended(128, at(moment))
            pace.began(at(moment))
        }
        return pace
    }

    @Test
    func `Before any batch every order is taken`() {
        #expect(OrderPace(spared: 256).refusal(behind: 4000, within: .requestMs, at(0)) == nil)
    }

    @Test
    func `An order is refused whose wait at the present pace exceeds the limit, and told how long it would be`() {
        let pace = pace(until: 960)
        // 8 orders a millisecond.
        #expect(pace.refusal(behind: 1900, within: .requestMs, at(961)) == nil)
        #expect(
            pace.refusal(behind: 2100, within: .requestMs, at(961)) == .init(limit: .orderWaitMs, retryAfterMs: 270)
        )
        #expect(pace.refusal(behind: 1_000_000, within: .requestMs, at(961))?.retryAfterMs == 1000)
    }

    @Test
    func `A deadline that the wait exceeds refuses, however short the queue is`() {
        let pace = pace(until: 960)
        #expect(pace.refusal(behind: 700, within: own, at(961)) == nil)
        #expect(pace.refusal(behind: 1000, within: own, at(961)) == .init(limit: own, retryAfterMs: 130))
        let short = Expiry.timeoutMs(10)
        #expect(pace.refusal(behind: 100, within: short, at(961)) == .init(limit: short, retryAfterMs: 20))
    }

    @Test
    func `While the database stands still, the wait grows, and the next batches' orders are still taken`() {
        let pace = pace(until: 960)
        #expect(pace.refusal(behind: 300, within: .requestMs, at(960 + 200)) == nil)
        #expect(pace.refusal(behind: 300, within: .requestMs, at(960 + 300))?.limit == .orderWaitMs)
        #expect(pace.refusal(behind: 255, within: .requestMs, at(960 + 3000)) == nil)
        #expect(pace.refusal(behind: 255, within: .requestMs, at(960 + 5000))?.limit == .requestMs)
    }

    @Test
    func `Time in which no batch runs does not count, and another pace is soon learnt`() {
        var pace = pace(until: 960)
        pace.ended(128, at(976))
        pace.ended(128, at(992))
        #expect(pace.wait(behind: 800, at(50_000)) <= 110)
        for round in 0..<10 {
            pace.began(at(60_000 + round * 500))
            pace.ended(128, at(60_000 + round * 500 + 320))
        }
        let wait = pace.wait(behind: 800, at(70_000))
        #expect(wait > 1700 && wait <= 2000)
    }
}
