import Synchronization

/// One call's place in an intake: answered exactly once, by its batch or when it is given up.
final class Ticket: Sendable {
    private struct State {
        /// Takes the outcome; nil once it was called.
        var done: (@Sendable (Outcome) -> Void)?
        var hasStarted = false
        /// After a batch was lost with its connection: the answer if the outcome stays unknown.
        var loss: PricingFailure?
    }

    private let state: Mutex<State>

    /// - Parameter done: takes the outcome.
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

    /// It was left out of its batch; a cancel has an effect again until the next batch starts.
    func pause() {
        state.withLock { $0.hasStarted = false }
    }

    /// Its batch was lost with its connection, and it is to be placed again; a cancel has an effect until then.
    func lose(_ failure: PricingFailure) {
        state.withLock { state in
            state.hasStarted = false
            state.loss = failure.after(state.loss)
        }
    }

    /// Whether a batch that it was in was lost.
    var wasLost: Bool { state.withLock { $0.loss != nil } }

    /// Answers it with a failure: at any time when its deadline has passed, else only until its batch starts.
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
