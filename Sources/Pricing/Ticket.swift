import Synchronization

/// One order's place in the intake: answered exactly once, by its batch or by whoever gave it up.
final class Ticket: Sendable {
    private struct State {
        var waiting: CheckedContinuation<OrderIntake.Outcome, Never>?
        /// The answer, when it came before anyone waited for it.
        var early: OrderIntake.Outcome?
        var hasStarted = false
        var isAnswered = false
    }

    private let state = Mutex(State())

    /// Waits for the answer.
    func wait(_ continuation: CheckedContinuation<OrderIntake.Outcome, Never>) {
        let early = state.withLock { state in
            if state.early == nil { state.waiting = continuation }
            return state.early
        }
        if let early { continuation.resume(returning: early) }
    }

    /// Its batch starts; false when it was given up before.
    func start() -> Bool {
        state.withLock { state in
            guard !state.isAnswered else { return false }
            state.hasStarted = true
            return true
        }
    }

    /// Its batch had to leave it out; a cancel counts again until the next one starts.
    func pause() {
        state.withLock { $0.hasStarted = false }
    }

    /// Gives it up: a late one at any time, a cancelled one until its batch starts.
    func giveUp(_ failure: PricingFailure, isLate: Bool) {
        resolve(.failure(failure)) { isLate || !$0.hasStarted }
    }

    /// Its batch's answer; nothing happens when it was given up.
    func answer(_ outcome: OrderIntake.Outcome) {
        resolve(outcome) { _ in true }
    }

    private func resolve(_ outcome: OrderIntake.Outcome, if allowed: (State) -> Bool) {
        let continuation = state.withLock { state -> CheckedContinuation<OrderIntake.Outcome, Never>? in
            guard !state.isAnswered, allowed(state) else { return nil }
            state.isAnswered = true
            if state.waiting == nil { state.early = outcome }
            return state.waiting
        }
        continuation?.resume(returning: outcome)
    }
}
