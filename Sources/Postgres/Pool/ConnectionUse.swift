import Synchronization

/// One use of a connection; its `cancel` does nothing once that is over.
final class ConnectionUse: Sendable {
    private let connection: PostgresConnection
    private let state = Mutex((active: true, cancelled: false))

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    func cancel() {
        state.withLock { state in
            guard state.active else { return }
            state.cancelled = true
            connection.cancel()
        }
    }

    /// A cancel that came before the call began would be forgotten by it.
    func check() throws(PostgresError) {
        if state.withLock({ $0.cancelled }) { throw PostgresError(.cancelled, "cancelled before it began") }
    }

    /// Ends the use; true when it was cancelled, and the connection with it.
    func finish() -> Bool {
        state.withLock { state in
            state.active = false
            return state.cancelled
        }
    }
}
