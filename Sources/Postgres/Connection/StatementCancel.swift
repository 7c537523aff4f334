import Synchronization

/// The one way to give up a run from outside: it is handed to the run, and `cancel` may be called from any thread, before
/// the run, during it or after it.
///
/// A run that waits for a connection or connects stops doing so, and a statement is cancelled in the server. The run then
/// throws `.cancelled`, or `.connectionLost` when the server does not answer the cancel either. A cancel request may reach
/// the server late and hit the next statement there, so the connection of a cancelled run is closed.
package final class StatementCancel: Sendable {
    private struct State {
        var isCancelled = false
        /// Ends what the run is doing now; nil while it does nothing that can be ended.
        var stop: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    /// Cancels the run; nothing happens when it has ended or was cancelled before.
    package func cancel() {
        state.withLock { state in
            guard !state.isCancelled else { return }
            state.isCancelled = true
            // Called under the lock: after `end` the connection may serve another run, which this must not hit.
            state.stop?()
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// The run begins something that `stop` ends, such as a wait; `end` follows. `stop` must not block.
    /// - Throws: `.cancelled` when the run was cancelled before.
    func begin(_ stop: @escaping @Sendable () -> Void) throws(PostgresError) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.stop = stop }
            return state.isCancelled
        }
        if isCancelled { throw PostgresError(.cancelled, "cancelled before it began") }
    }

    func end() {
        state.withLock { $0.stop = nil }
    }
}
