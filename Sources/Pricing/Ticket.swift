import Synchronization

/// One order's place in the intake: answered exactly once, by its batch or by whoever gave it up.
final class Ticket: Sendable {
    private struct State {
        var waiting: CheckedContinuation<OrderIntake.Outcome, Never>?
        /// The answer, when it came before anyone waited for it.
        var early: OrderIntake.Outcome?
        var hasStarted = false
        var isAnswered = false
        /// What to say when nothing more is learnt, once a batch was lost with its connection.
        var loss: PricingFailure?
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

    /// Its batch was lost with its connection, and it is to be placed again; a cancel counts until that starts.
    func lose(_ failure: PricingFailure) {
        state.withLock { state in
            state.hasStarted = false
            state.loss = failure.after(state.loss)
        }
    }

    /// Whether a batch with it was lost.
    var wasLost: Bool { state.withLock { $0.loss != nil } }

    /// Gives it up: a late one at any time, a cancelled one until its batch starts.
    func giveUp(_ failure: PricingFailure, isLate: Bool) {
        resolve({ .failure($0.loss ?? failure) }) { isLate || !$0.hasStarted }
    }

    /// Its batch's answer; nothing happens when it was given up.
    func answer(_ outcome: OrderIntake.Outcome) {
        resolve({ _ in outcome }) { _ in true }
    }

    private func resolve(_ outcome: (State) -> OrderIntake.Outcome, if allowed: (State) -> Bool) {
        let waking = state.withLock {
            state -> (CheckedContinuation<OrderIntake.Outcome, Never>, OrderIntake.Outcome)? in
            guard !state.isAnswered, allowed(state) else { return nil }
            state.isAnswered = true
            let outcome = outcome(state)
            if state.waiting == nil { state.early = outcome }
            return state.waiting.map { ($0, outcome) }
        }
        if let (continuation, outcome) = waking { continuation.resume(returning: outcome) }
    }
}
