import JSONRPC
import PricingProtocol
import Synchronization

/// How long orders wait, estimated from how fast they were placed lately. Pure: it is told the time.
struct OrderPace: Sendable {
    /// Why an order is refused.
    struct Refusal: Sendable, Equatable {
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
    /// Milliseconds in which a batch ran, and the orders of those that have ended; the longer ago, the less both count.
    private var time = 0.0
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
        time = time * Self.memory + standing(now)
        self.orders = self.orders * Self.memory + Double(orders)
        running -= 1
        since = running > 0 ? now : nil
    }

    /// Milliseconds since a batch has ended, while another runs.
    private func standing(_ now: ContinuousClock.Instant) -> Double {
        since.map { (now - $0) / .milliseconds(1) } ?? 0
    }

    /// How many milliseconds an order would wait behind so many. A batch that takes long shows before it ends.
    func wait(behind ahead: Int, _ now: ContinuousClock.Instant) -> Double {
        let usual = orders > 0 ? time / orders : 0
        return max(usual, standing(now) / Double(spared)) * Double(ahead)
    }

    /// Why an order is refused that has so many ahead of it; nil when it is taken.
    /// - Parameter limit: the time after which its caller no longer waits.
    func refusal(behind ahead: Int, within limit: CallLimit, _ now: ContinuousClock.Instant) -> Refusal? {
        let wait = wait(behind: ahead, now)
        let exceeded: CallLimit
        if ahead >= spared, wait > Double(CallLimit.orderWaitMs.value) {
            exceeded = .orderWaitMs
        } else if wait > Double(limit.value) {
            exceeded = limit
        } else {
            return nil
        }
        let tens = (min(wait, Double(RetryAfter.full)) / 10).rounded(.up)
        return Refusal(limit: exceeded, retryAfterMs: Int(tens) * 10)
    }
}

/// Refuses orders that would wait too long, at once and before anything is done for them.
final class OrderAdmission: Sendable {
    private struct State {
        var pace: OrderPace
        /// The texts of refusals because of the daemon's own limit, by `retryAfterMs`, at most a hundred.
        var texts: [Int: ErrorText] = [:]
    }

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

    /// Why an order is refused that has so many ahead of it.
    func refusal(behind ahead: Int, within limit: CallLimit) -> ErrorText? {
        guard ahead > 0 else { return nil }
        return state.withLock { state in
            guard let refusal = state.pace.refusal(behind: ahead, within: limit, .now) else { return nil }
            guard refusal.limit == .orderWaitMs else { return Self.text(refusal) }
            if let text = state.texts[refusal.retryAfterMs] { return text }
            let text = Self.text(refusal)
            state.texts[refusal.retryAfterMs] = text
            return text
        }
    }

    private static func text(_ refusal: OrderPace.Refusal) -> ErrorText {
        let shortage = Shortage(refusal.limit, retryAfterMs: refusal.retryAfterMs)
        return ErrorText(PricingFailure.exhausted(shortage).rpcError(incidentID: ""))
    }
}
