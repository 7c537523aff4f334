import JSON
import JSONRPC
import Synchronization

/// What the clients of a trial meant and what they were told: the intent before it is sent, the answer after. Lines are only
/// ever added. The test's own process keeps it, which no fault reaches.
final class Journal: Sendable {
    /// A write, without its key.
    struct Call: Sendable {
        let method: String
        let params: JSONObject
    }

    private enum Line {
        case intent(key: String, Call)
        case answer(key: String, JSONObject)
        case refusal(key: String, RPCError)
        /// The connection ended, or the client's patience, before an answer came.
        case lost(key: String)
    }

    /// What the lines say of one key.
    struct Entry: Sendable {
        let key: String
        let call: Call
        /// What was acknowledged.
        var reply: JSONObject?
        /// Whether it may have been done without an answer: that was lost, or the outcome was told as unknown.
        var mayBeDone = false
        var refusals: [RPCError] = []
    }

    private struct State {
        var lines: [Line] = []
        var answers = 0
        var lastAnswer: ContinuousClock.Instant?
        var longestGap = Duration.zero
        var waiting: [(count: Int, CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// How many writes were acknowledged.
    var answers: Int { state.withLock { $0.answers } }

    /// The longest time between two acknowledgements.
    var longestGap: Duration { state.withLock { $0.longestGap } }

    func intend(_ key: String, _ call: Call) {
        state.withLock { $0.lines.append(.intent(key: key, call)) }
    }

    func acknowledge(_ key: String, _ reply: JSONObject) {
        let reached = state.withLock { state in
            state.lines.append(.answer(key: key, reply.removing("_meta")))
            state.answers += 1
            let now = ContinuousClock.now
            if let last = state.lastAnswer { state.longestGap = max(state.longestGap, last.duration(to: now)) }
            state.lastAnswer = now
            let reached = state.waiting.filter { $0.count <= state.answers }
            state.waiting.removeAll { $0.count <= state.answers }
            return reached
        }
        for waiting in reached { waiting.1.resume() }
    }

    func note(_ key: String, _ refusal: RPCError) {
        state.withLock { $0.lines.append(.refusal(key: key, refusal)) }
    }

    func noteLost(_ key: String) {
        state.withLock { $0.lines.append(.lost(key: key)) }
    }

    /// Waits until so many writes more are acknowledged.
    func advances(by count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard count > 0 else { return true }
                state.waiting.append((state.answers + count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Everything that was refused, whatever came later.
    var refusals: [RPCError] { entries.flatMap(\.refusals) }

    /// All keys in the order of their intents.
    var entries: [Entry] {
        var entries: [Entry] = []
        var places: [String: Int] = [:]
        for line in state.withLock({ $0.lines }) {
            switch line {
            case .intent(let key, let call):
                places[key] = entries.count
                entries.append(Entry(key: key, call: call))
            case .answer(let key, let reply): if let place = places[key] { entries[place].reply = reply }
            case .lost(let key): if let place = places[key] { entries[place].mayBeDone = true }
            case .refusal(let key, let refusal):
                guard let place = places[key] else { continue }
                entries[place].refusals.append(refusal)
                let isUnknown = refusal.data["outcome"] == "unknown" || refusal.reason == "CANCELLED"
                entries[place].mayBeDone = entries[place].mayBeDone || isUnknown
            }
        }
        return entries
    }
}
