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

    /// Milliseconds before the database, in it, and in all, since the call arrived.
    func timing(since received: ContinuousClock.Instant) -> (queue: Double, database: Double, total: Double) {
        let now = ContinuousClock.now
        let state = state.withLock { $0 }
        let began = state.began ?? now
        return (
            Self.milliseconds(began - received), Self.milliseconds((state.ended ?? began) - began),
            Self.milliseconds(now - received)
        )
    }

    /// To a thousandth.
    private static func milliseconds(_ duration: Duration) -> Double {
        let parts = duration.components
        return Double(parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000) / 1000
    }
}
