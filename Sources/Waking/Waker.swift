import Synchronization

/// Wakes tasks that sleep: at a time, or when another part of the program has something for them.
///
/// A wake that finds no sleeper is kept for the next one, so that none is lost between a look at the work and the sleep; a
/// second one before that adds nothing. A thread that is blocked in `poll` cannot wait for a continuation, and a task must
/// not block a thread: the same contract for threads is `WakePipe`, where the kernel keeps the wake.
package final class Waker: Sendable {
    private struct State {
        var isAwake = false
        var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextNumber = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Wakes every task that sleeps now; without one, the next wait ends at once.
    package func wake() {
        let sleepers = state.withLock { state in
            if state.sleepers.isEmpty { state.isAwake = true }
            defer { state.sleepers = [:] }
            return state.sleepers
        }
        for sleeper in sleepers.values { sleeper.resume() }
    }

    /// Waits for a wake, until the task is cancelled, or until `instant` where one is given.
    package func wait(until instant: ContinuousClock.Instant? = nil) async {
        guard let instant else { return await untilWoken() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await ContinuousClock().sleep(until: instant) }
            group.addTask { await self.untilWoken() }
            await group.next()
            group.cancelAll()
        }
    }

    private func untilWoken() async {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.isAwake || Task.isCancelled {
                        state.isAwake = false
                        return true
                    }
                    state.sleepers[number] = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.resume()
        }
    }
}
