import Synchronization

/// One call's place in an intake: answered exactly once, by its batch or when it is given up.
final class Ticket: Sendable {
    private struct State {
        /// Who is told the outcome; nil once that was done.
        var done: (@Sendable (Outcome) -> Void)?
        var hasStarted = false
        /// What to say when nothing more is learnt, once a batch was lost with its connection.
        var loss: PricingFailure?
    }

    private let state: Mutex<State>

    /// - Parameter done: is told the outcome.
    init(_ done: @escaping @Sendable (Outcome) -> Void) {
        state = Mutex(State(done: done))
    }

    /// Its batch starts; false when it was given up before.
    func start() -> Bool {
        state.withLock { state in
            guard state.done != nil else { return false }
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
        let (done, reason) = state.withLock { state in
            (
                isLate || !state.hasStarted ? state.done.take() : nil,
                state.loss ?? (state.hasStarted ? failure.whileRunning : failure)
            )
        }
        done?(.failure(reason))
    }

    /// Its batch's answer; nothing happens when it was given up.
    func answer(_ outcome: Outcome) {
        state.withLock { $0.done.take() }?(outcome)
    }
}
