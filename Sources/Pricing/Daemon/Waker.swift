import Synchronization

/// Lets one task sleep until a time, or until it is woken. A wake without a sleeper is kept.
final class Waker: Sendable {
    private struct State {
        var isAwake = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func wake() {
        state.withLock { state in
            if state.sleeper == nil { state.isAwake = true }
            return state.sleeper.take()
        }?.resume()
    }

    /// Sleeps until then, until a wake, or until the task is cancelled; nil sleeps without an end of its own.
    func sleep(until instant: ContinuousClock.Instant?) async {
        await withTaskGroup(of: Void.self) { group in
            if let instant { group.addTask { try? await ContinuousClock().sleep(until: instant) } }
            group.addTask { await self.untilWoken() }
            await group.next()
            group.cancelAll()
        }
    }

    private func untilWoken() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.isAwake || Task.isCancelled {
                        state.isAwake = false
                        return true
                    }
                    state.sleeper = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleeper.take() }?.resume()
        }
    }
}
