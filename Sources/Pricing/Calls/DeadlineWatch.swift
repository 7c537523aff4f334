import ServiceLifecycle
import Synchronization
import Waking

/// Runs handlers at their deadlines, with one sleeping task for all calls.
final class DeadlineWatch: Service {
    /// A watched deadline, for `remove`.
    struct Token: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    private struct Watched {
        let deadline: ContinuousClock.Instant
        let expire: @Sendable () -> Void
    }

    private struct State {
        var watched: [UInt64: Watched] = [:]
        var nextNumber: UInt64 = 0
        /// When the sleeping task wakes without being woken.
        var wakesAt: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let waker = Waker()

    /// Runs `expire` once the deadline has passed, unless it is removed before. It must not block.
    func add(_ deadline: ContinuousClock.Instant, _ expire: @escaping @Sendable () -> Void) -> Token {
        let (token, isEarlier) = state.withLock { state in
            state.nextNumber += 1
            state.watched[state.nextNumber] = Watched(deadline: deadline, expire: expire)
            let isEarlier = state.wakesAt.map { deadline < $0 } ?? true
            return (Token(number: state.nextNumber), isEarlier)
        }
        if isEarlier { waker.wake() }
        return token
    }

    func remove(_ token: Token) {
        state.withLock { _ = $0.watched.removeValue(forKey: token.number) }
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.waker.wait(until: self.expirePassed())
            }
        }
    }

    /// Runs the handlers that are due; returns the earliest deadline that is left.
    private func expirePassed() -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        let (due, next) = state.withLock { state in
            let due = state.watched.filter { $0.value.deadline <= now }
            for number in due.keys { state.watched[number] = nil }
            state.wakesAt = state.watched.values.map(\.deadline).min()
            return (due.values, state.wakesAt)
        }
        for watched in due { watched.expire() }
        return next
    }
}
