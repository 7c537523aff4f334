import Synchronization

/// When a call came to the database and when it left, for the timing in its reply.
final class CallTimer: Sendable {
    private struct State {
        var began: ContinuousClock.Instant?
        var ended: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// The database begins to work for it; of several tries the last one counts.
    func begin() {
        state.withLock { $0 = State(began: .now) }
    }

    /// The database has answered.
    func end() {
        state.withLock { $0.ended = .now }
    }

    /// The batch that it was in.
    func note(began: ContinuousClock.Instant, ended: ContinuousClock.Instant) {
        state.withLock { $0 = State(began: began, ended: ended) }
    }

    /// Microseconds before the database, in it, and in all, since the call arrived.
    func timing(since received: ContinuousClock.Instant) -> (queue: Int64, database: Int64, total: Int64) {
        let now = ContinuousClock.now
        let state = state.withLock { $0 }
        let began = state.began ?? now
        return (
            (began - received).microseconds, ((state.ended ?? began) - began).microseconds,
            (now - received).microseconds
        )
    }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
