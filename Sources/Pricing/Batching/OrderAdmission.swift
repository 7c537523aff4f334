import JSON
import JSONRPC
import PricingProtocol
import RPCTransport
import Synchronization

/// How long orders wait, estimated from how fast they were placed lately. Pure: it is told the time.
struct OrderPace: Sendable {
    /// Why an order is refused.
    struct Refusal: Sendable, Hashable {
        /// The limit that it would exceed.
        let limit: CallLimit
        /// How long it would wait, in milliseconds, to tens and at most a second.
        let retryAfterMs: Int
    }

    /// How much an earlier batch counts beside the one after it.
    private static let memory = 0.8

    /// What the batches in the database and the next ones hold together. So many are not refused because of the limit,
    /// so that the database never lacks work; a batch of them takes little longer than a single order.
    private let spared: Int
    private var running = 0
    /// When a batch has ended last, or the first of those that run has begun; nil when none runs.
    private var since: ContinuousClock.Instant?
    /// Time in which a batch ran, and the orders of those that have ended; the longer ago, the less both count.
    private var time = Duration.zero
    private var orders = 0.0

    init(spared: Int) {
        self.spared = spared
    }

    mutating func began(_ now: ContinuousClock.Instant) {
        running += 1
        if since == nil { since = now }
    }

    /// - Parameter orders: that the batch had; as many as it might have had when none was left behind.
    mutating func ended(_ orders: Int, _ now: ContinuousClock.Instant) {
        time = time * Self.memory + (since.map { now - $0 } ?? .zero)
        self.orders = self.orders * Self.memory + Double(orders)
        running -= 1
        since = running > 0 ? now : nil
    }

    /// How long an order would wait behind so many. A batch that takes long shows before it ends.
    func wait(behind ahead: Int, _ now: ContinuousClock.Instant) -> Duration {
        let usual = orders > 0 ? time / orders : .zero
        let standing = since.map { (now - $0) / spared } ?? .zero
        return max(usual, standing) * ahead
    }

    /// Why an order is refused that has so many ahead of it; nil when it is taken.
    /// - Parameter limit: the time after which its caller no longer waits.
    func refusal(behind ahead: Int, within limit: CallLimit, _ now: ContinuousClock.Instant) -> Refusal? {
        let wait = wait(behind: ahead, now)
        let limits = ahead < spared ? [limit] : [.orderWaitMs, limit]
        guard let limit = limits.first(where: { wait > .milliseconds($0.value) }) else { return nil }
        let tens = Int(min(wait, .milliseconds(RetryAfter.full)).milliseconds + 9) / 10
        return Refusal(limit: limit, retryAfterMs: tens * 10)
    }
}

/// Refuses orders that would wait too long, at once and before anything is done for them.
final class OrderAdmission: Sendable {
    private struct State {
        var pace: OrderPace
        /// Of refusals so far, since the next ones are likely to be the same.
        var texts: [OrderPace.Refusal: ErrorText] = [:]
    }

    private static let textsKept = 256

    private let state: Mutex<State>

    /// - Parameters:
    ///   - batch: orders in one batch at most.
    ///   - batches: that are in the database at once.
    init(batch: Int, batches: Int) {
        state = Mutex(State(pace: OrderPace(spared: batch * batches)))
    }

    /// Batches begin and end.
    func began() {
        state.withLock { $0.pace.began(.now) }
    }

    func ended(_ orders: Int) {
        state.withLock { $0.pace.ended(orders, .now) }
    }

    /// Why an order is refused that would have so many ahead of it.
    func refusal(of call: RPCCall, ahead: Int) -> ErrorText? {
        // As yet unchecked: what is no time is refused later.
        let own = call.params[CallMeta.member]?["timeoutMs"]?.integer.flatMap { $0 > 0 ? Expiry.timeoutMs($0) : nil }
        return state.withLock { state in
            guard let refusal = state.pace.refusal(behind: ahead, within: own ?? .requestMs, .now) else { return nil }
            if let text = state.texts[refusal] { return text }
            let shortage = Shortage(refusal.limit, retryAfterMs: refusal.retryAfterMs)
            let text = ErrorText(PricingFailure.exhausted(shortage).rpcError(incidentID: ""))
            if state.texts.count >= Self.textsKept { state.texts = [:] }
            state.texts[refusal] = text
            return text
        }
    }
}
