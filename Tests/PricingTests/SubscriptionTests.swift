import JSON
import JSONRPC
import PricingProtocol
import Testing

@testable import Pricing

/// What a subscription says is to be sent, with no connection and no database.
struct SubscriptionTests {
    private let start = ContinuousClock.now

    private func subscription(
        _ overflow: Subscription.Overflow = .gap,
        topics: Set<String>? = nil,
        productIds: Set<Int64>? = nil,
        position: Int64 = 10
    ) -> Subscription {
        var limits = TransportLimits.defaults
        limits.outputSoftBytes = 1000
        limits.outputSoftSeconds = 5
        return Subscription(
            id: "s1",
            topics: topics,
            productIds: productIds,
            overflow: overflow,
            position: position,
            limits: limits
        )
    }

    private func event(_ sequence: Int64, _ topic: String = "stock", product: Int64? = 7) -> DaemonStatements.Event {
        DaemonStatements.Event(
            sequence: sequence,
            topic: topic,
            productId: product,
            orderId: nil,
            text: Array("{\"sequence\": \(sequence)}".utf8)
        )
    }

    private func gap(_ reason: String, _ range: ClosedRange<Int64>) -> Subscription.Action {
        .notice(
            "events.gap",
            JSONText([
                "subscription": "s1", "reason": .string(reason), "fromSequence": .integer(range.lowerBound),
                "toSequence": .integer(range.upperBound),
            ])
        )
    }

    private func closed(_ reason: String) -> Subscription.Action {
        .notice("events.closed", JSONText(["subscription": "s1", "reason": .string(reason)]))
    }

    /// One whose output is full since `start`, and whose reader has taken nothing of 1001 bytes for the soft limit's time.
    private func slow(_ overflow: Subscription.Overflow) -> Subscription {
        var slow = subscription(overflow)
        _ = slow.offer(event(11))
        slow.sent(event(11), pending: 1001, at: start)
        slow.look(pending: 1001, at: start + .seconds(5))
        return slow
    }

    @Test
    func `an event that is wanted is sent with the subscription's id, and the position follows once it was taken`() {
        var subscription = subscription()
        let params = JSONText(verbatim: Array(#"{"subscription":"s1","sequence":11}"#.utf8))
        #expect(subscription.offer(event(11)) == .event(params))
        #expect(subscription.position == 10 && subscription.delivered == 0)
        subscription.sent(event(11), pending: 1000, at: start)
        #expect(subscription.position == 11 && subscription.delivered == 1 && !subscription.isHeld)
    }

    @Test func `an event of another topic or product is passed over`() {
        var subscription = subscription(topics: ["price"], productIds: [7])
        #expect(subscription.offer(event(11)) == nil)
        #expect(subscription.offer(event(12, "price", product: 8)) == nil)
        #expect(subscription.offer(event(13, "price", product: nil)) == nil)
        #expect(subscription.position == 13 && subscription.delivered == 0)
        #expect(subscription.offer(event(14, "price")) != nil)
    }

    @Test func `an event that the output did not take is offered again`() {
        var subscription = subscription()
        _ = subscription.offer(event(11))
        subscription.hold(pending: 900, at: start)
        #expect(subscription.isHeld && subscription.page == Subscription.Page(position: 10, until: nil))
        #expect(subscription.resume(at: 20, hasRoom: false) == nil && subscription.isHeld)
        #expect(subscription.resume(at: 20, hasRoom: true) == nil && !subscription.isHeld)
        #expect(subscription.page == Subscription.Page(position: 10, until: nil))
    }

    @Test func `behind the last event of a page there is none up to the end of its range`() {
        var all = subscription()
        all.finish(all.page, count: 3, last: 30)
        #expect(all.position == 30)
        all.finish(all.page, count: 0, last: 25)
        #expect(all.position == 30, "an event that was numbered meanwhile is not sent again")
        all.finish(all.page, count: DaemonStatements.eventPage, last: 900)
        #expect(all.position == 30, "a full page may have more behind it")
        all.hold(pending: 1001, at: start)
        all.finish(all.page, count: 3, last: 900)
        #expect(all.position == 30, "the rest of the page was not sent")
    }

    @Test func `a reader that takes something is not slow`() {
        var subscription = subscription()
        subscription.hold(pending: 1001, at: start)
        #expect(subscription.lookAt == start + .seconds(5))
        subscription.look(pending: 1001, at: start + .seconds(4))
        #expect(subscription.full?.isSlow == false && subscription.full?.since == start, "it is too early")
        subscription.look(pending: 1000, at: start + .seconds(5))
        #expect(subscription.full?.isSlow == false && subscription.lookAt == start + .seconds(10))
        subscription.look(pending: 1000, at: start + .seconds(10))
        #expect(subscription.full?.isSlow == true)
    }

    @Test func `a slow reader is told of the gap once there is room`() {
        var slow = slow(.gap)
        #expect(slow.resume(at: 40, hasRoom: false) == nil)
        #expect(slow.resume(at: 40, hasRoom: true) == gap("SLOW_READER", 12...40))
        #expect(slow.position == 40 && !slow.isHeld)
    }

    @Test func `a slow reader that conflates gets the last events of a bounded range, then all`() {
        var slow = slow(.conflate)
        let last = 11 + Events.conflatedTogether + 5
        #expect(slow.resume(at: last, hasRoom: true) == nil)
        #expect(slow.page == Subscription.Page(position: 11, until: last - 5))
        slow.finish(slow.page, count: 2, last: last + 9)
        #expect(slow.page == Subscription.Page(position: last - 5, until: last))
        slow.finish(slow.page, count: 2, last: last + 9)
        #expect(slow.page == Subscription.Page(position: last, until: nil))
    }

    @Test func `a slow reader that disconnects is closed without waiting for room`() {
        var slow = slow(.disconnect)
        #expect(slow.resume(at: 40, hasRoom: false) == closed("SLOW_READER"))
        #expect(slow.hasEnded)
    }

    @Test func `what the shop no longer keeps is a gap, and what it keeps is not`() {
        var subscription = subscription()
        #expect(subscription.expire(before: 11) == nil)
        #expect(subscription.expire(before: 16) == gap("EXPIRED", 11...15))
        #expect(subscription.position == 15)
    }

    @Test func `a restored shop and a number that was not given yet are gaps too`() {
        var subscription = subscription()
        #expect(subscription.ahead(of: 10) == nil)
        #expect(subscription.ahead(of: 12) == gap("AHEAD", 11...12))
        #expect(subscription.restore(at: 4) == gap("RESTORED", 1...4))
        #expect(subscription.page == Subscription.Page(position: 4, until: nil))
    }
}
