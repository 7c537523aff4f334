import Synchronization

/// How long a call waited until the database first worked for it, and for how long it did, for the timing in its reply.
final class CallTimer: Sendable {
    private struct State {
        var first: ContinuousClock.Instant?
        /// When the work that goes on now began.
        var began: ContinuousClock.Instant?
        var worked = Duration.zero

        mutating func begin(at instant: ContinuousClock.Instant) {
            first = first ?? instant
            began = instant
        }

        mutating func end(at instant: ContinuousClock.Instant) {
            worked += began.map { instant - $0 } ?? .zero
            began = nil
        }
    }

    private let state = Mutex(State())

    /// The database begins to work for it: in one of its steps, or in one of several tries.
    func begin() {
        state.withLock { $0.begin(at: .now) }
    }

    /// The database has answered.
    func end() {
        state.withLock { $0.end(at: .now) }
    }

    /// A batch that it was in.
    func note(began: ContinuousClock.Instant, ended: ContinuousClock.Instant) {
        state.withLock { state in
            state.begin(at: began)
            state.end(at: ended)
        }
    }

    /// Microseconds before the database, in it, and in all, since the call arrived.
    func timing(since received: ContinuousClock.Instant) -> (queue: Int64, database: Int64, total: Int64) {
        let now = ContinuousClock.now
        let state = state.withLock { $0 }
        return (
            ((state.first ?? now) - received).microseconds, state.worked.microseconds, (now - received).microseconds
        )
    }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
