package import Logging

/// One connection on one thread. Closures run there one after the other, so each has the connection alone.
package actor PostgresConnection {
    private nonisolated let thread: ConnectionThread
    private nonisolated let control: ConnectionControl
    private let session: Session
    /// The host that answered; the next connect begins with it.
    private(set) var attempt: ConnectionSettings?

    /// The connection's own thread.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    private init(name: String, logger: Logger) throws(PostgresError) {
        let control = try ConnectionControl()
        self.control = control
        thread = try ConnectionThread(name: name)
        session = Session(control: control, logger: logger)
    }

    deinit {
        thread.finish()
    }

    /// Connects to the first host that answers and has the wanted role.
    /// - Parameters:
    ///   - name: the thread's name, of which the system shows 15 bytes.
    ///   - preferred: the host that answered last time, tried first when it is still one of them.
    ///   - cancel: gives the connect up; cancelling the task does the same.
    /// - Throws: `.connectionFailed`, `.settings` or `.systemResources`; `.cancelled` at once when the task is cancelled.
    package static func open(
        _ settings: ConnectionSettings,
        name: String = "postgres",
        preferring preferred: ConnectionSettings? = nil,
        cancel: StatementCancel = StatementCancel(),
        logger: Logger
    ) async throws(PostgresError) -> PostgresConnection {
        let connection = try PostgresConnection(name: name, logger: logger)
        try cancel.begin { connection.control.abandon() }
        defer { cancel.end() }
        try await withTaskCancellationHandler {
            await connection.connect(settings, preferred)
        } onCancel: {
            cancel.cancel()
        }.get()
        if connection.control.abandoned { throw PostgresError(.cancelled, "given up when the connection was made") }
        return connection
    }

    private func connect(
        _ settings: ConnectionSettings,
        _ preferred: ConnectionSettings?
    ) -> Result<Void, PostgresError> {
        do throws(PostgresError) {
            attempt = try session.connect(settings, preferring: preferred)
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Runs a closure on the connection's thread. A transaction left open by it is rolled back.
    ///
    /// Swift infers `any Error` for a closure that throws, so its type is written out:
    /// `{ session throws(PostgresError) in … }`.
    /// - Parameter cancel: gives the run up, and closes the connection then.
    /// - Throws: what the closure threw; `.connectionLost` from any call once the connection is gone.
    package func run<Value: Sendable>(
        cancel: StatementCancel = StatementCancel(),
        _ body: @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        // First, since it forgets an earlier cancel and must not forget one of this run.
        session.link.beginCall()
        try cancel.begin { self.cancel() }
        defer {
            cancel.end()
            if cancel.isCancelled { close() }
        }
        defer { session.rollback() }
        return try body(session)
    }

    /// As `run`, if the connection still stands; nil, and nothing was run, when it is gone.
    package func runIfStanding<Value: Sendable>(
        cancel: StatementCancel,
        _ body: @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value? {
        guard stillStands() else { return nil }
        return try await run(cancel: cancel, body)
    }

    /// Runs a wait that a continuation ends; the task then continues on the connection's thread without a detour.
    package func waiting<Value>(_ body: () async -> Value) async -> Value {
        await withTaskExecutorPreference(ThreadTasks(thread), operation: body)
    }

    /// Whether the connection is still open, judged by its socket, without a round trip.
    func stillStands() -> Bool {
        session.link.stillStands()
    }

    /// Whether the connection was open when last used.
    package nonisolated var isUsable: Bool { control.usable }

    /// Asks the server to cancel what runs now; a call that is still not answered a quarter of a second later loses its
    /// connection. It hits what runs when the request arrives: only a `StatementCancel` knows whether that is the right
    /// run.
    nonisolated func cancel() {
        control.cancel()
    }

    /// Closes the connection after the calls that wait for it; later calls fail with `.connectionLost`.
    package func close() {
        session.link.close()
    }
}
