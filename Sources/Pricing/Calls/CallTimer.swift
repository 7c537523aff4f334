import Synchronization

/// Measures how long a call waited for the database, how long the database worked for it, and how old was what a standby
/// gave, for the reply's `_meta`.
final class CallTimer: Sendable {
    private struct State {
        var first: ContinuousClock.Instant?
        /// When the database began what it does now; nil while it does nothing.
        var began: ContinuousClock.Instant?
        var worked = Duration.zero
        var ageMs: Int64?

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

    /// The database begins to work for the call; may be called for each of several steps or tries.
    func begin() {
        state.withLock { $0.begin(at: .now) }
    }

    /// The database has answered.
    func end() {
        state.withLock { $0.end(at: .now) }
    }

    /// The call was answered from a standby, whose data was so old.
    func note(ageMs: Int64) {
        state.withLock { $0.ageMs = max($0.ageMs ?? 0, ageMs) }
    }

    /// How old the data was; nil when it came from the primary.
    var ageMs: Int64? { state.withLock { $0.ageMs } }

    /// Adds the time of a batch that the call was part of.
    func note(began: ContinuousClock.Instant, ended: ContinuousClock.Instant) {
        state.withLock { state in
            state.begin(at: began)
            state.end(at: ended)
        }
    }

    /// Microseconds that the call waited for the database, spent in it, and took in total since it arrived.
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
