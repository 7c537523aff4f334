package import Logging
import Synchronization

/// A limited number of connections, opened when first needed and shared by many callers.
///
/// A broken connection is dropped and replaced. While the server is known to be down, calls fail at once with the reason.
package final class ConnectionPool: Sendable {
    /// How many connections there are, in which state.
    package struct Status: Sendable, Hashable {
        /// Connections that are open.
        package let open: Int
        /// Connections that are not in use.
        package let idle: Int
        /// Connections in use.
        package let busy: Int
        /// Connections being made.
        package let opening: Int
        /// Callers that wait.
        package let waiting: Int
        /// Whether the last connect failed.
        package let isServerDown: Bool
    }

    private struct Shared {
        var state: PoolState
        var connections: [PoolState.Slot: PostgresConnection] = [:]
        var waiting: [PoolState.Waiter: CheckedContinuation<PoolState.Grant, Never>] = [:]
        var nextWaiter = 0
        var lastGood: ConnectionSettings?
        var drained: [CheckedContinuation<Void, Never>] = []
    }

    private let shared: Mutex<Shared>
    private let settings: ConnectionSettings
    private let name: String
    private let logger: Logger
    private let onUnreachable: @Sendable () -> Void

    /// A pool that has opened nothing yet.
    /// - Parameters:
    ///   - name: of the connections' threads.
    ///   - capacity: connections at most, at least 1.
    ///   - maxWaiting: callers that may wait when all are busy; the next one gets `.poolExhausted`.
    ///   - onUnreachable: called when a connect has failed, perhaps many times; must not block. It has to cause
    ///     calls of ``tryAgain()`` until one succeeds, since the pool does not connect by itself meanwhile.
    package init(
        _ settings: ConnectionSettings,
        name: String = "postgres",
        capacity: Int,
        maxWaiting: Int = 4096,
        logger: Logger,
        onUnreachable: @escaping @Sendable () -> Void = {}
    ) {
        self.settings = settings
        self.name = name
        self.logger = logger
        self.onUnreachable = onUnreachable
        self.shared = Mutex(Shared(state: PoolState(capacity: capacity, maxWaiting: maxWaiting)))
    }

    /// What is in use now.
    package var status: Status { shared.withLock { $0.state.status } }

    /// Runs a closure on a connection's thread; the call is cancelled in the server when the task is cancelled.
    /// - Parameters:
    ///   - isPatient: whether to wait for a server that is down, as long as the task is not cancelled.
    ///   - cancel: gives the run up, be it waiting, connecting or running.
    /// - Throws: what the closure threw; `.poolExhausted`, `.connectionFailed`, `.closed`, `.cancelled`.
    package func run<Value: Sendable>(
        isPatient: Bool = false,
        cancel: StatementCancel = StatementCancel(),
        _ body: @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        while true {
            let value = try await withLease(isPatient, cancel) { (connection) async throws(PostgresError) in
                try await connection.runIfStanding(cancel: cancel, body)
            }
            if let value { return value }
        }
    }

    /// Lends a connection to `body` alone, which runs on the connection's thread: waiting for work there and running it
    /// then costs no change of threads.
    package func withConnection<Value: Sendable>(
        _ body: (isolated PostgresConnection) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let cancel = StatementCancel()
        while true {
            let value: Value? = try await withLease(false, cancel) { (connection) async throws(PostgresError) in
                guard await connection.stillStands() else { return nil }
                try cancel.begin { connection.cancel() }
                defer { cancel.end() }
                return try await body(connection)
            }
            if let value { return value }
        }
    }

    /// Connects once more after a connect has failed. For one caller at a time, which pauses before it calls again.
    /// - Returns: how long to pause: 50 ms, doubling to 1 s, shortened at random by up to half; nil when the server
    ///   answers.
    package func tryAgain() async -> Duration? {
        let (slot, pause) = shared.withLock { shared in
            let pause = shared.state.pause
            return (shared.state.tryAgain(), pause)
        }
        guard let slot else { return nil }
        do throws(PostgresError) {
            give(back: try await open(slot, StatementCancel()))
            logger.notice("the database is reached again")
            return nil
        } catch {
            return pause * Double.random(in: 0.5...1)
        }
    }

    /// Refuses new calls, waits for running ones and closes every connection.
    package func close() async {
        var closing: [PostgresConnection] = []
        change { shared in
            let (resumptions, idle) = shared.state.close()
            closing = idle.compactMap { shared.connections.removeValue(forKey: $0) }
            return resumptions
        }
        for connection in closing { await connection.close() }
        await withCheckedContinuation { continuation in
            let done = shared.withLock { shared in
                if !shared.state.isDrained { shared.drained.append(continuation) }
                return shared.state.isDrained
            }
            if done { continuation.resume() }
        }
    }

    private func withLease<Value: Sendable>(
        _ isPatient: Bool,
        _ cancel: StatementCancel,
        _ body: (PostgresConnection) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await withTaskCancellationHandler {
            do throws(PostgresError) {
                let lease = try await lease(isPatient, cancel)
                defer { give(back: lease, wasCancelled: cancel.isCancelled) }
                return Result<Value, PostgresError>.success(try await body(lease.connection))
            } catch {
                return .failure(error)
            }
        } onCancel: {
            cancel.cancel()
        }.get()
    }

    /// A connection, after waiting for one if need be. The server may have closed it while it was idle, which the caller
    /// checks.
    private func lease(_ isPatient: Bool, _ cancel: StatementCancel) async throws(PostgresError) -> Lease {
        while true {
            switch try await grant(isPatient, cancel) {
            case .use(let slot):
                guard let connection = shared.withLock({ $0.connections[slot] }) else { continue }
                return Lease(slot: slot, connection: connection)
            case .open(let slot):
                do throws(PostgresError) {
                    return try await open(slot, cancel)
                } catch {
                    guard isPatient, error.kind != .cancelled else { throw error }
                }
            case .refuse(let reason):
                throw reason
            case .wait:
                throw PostgresError(.cancelled, "the caller gave up waiting for a connection")
            }
        }
    }

    private func open(_ slot: PoolState.Slot, _ cancel: StatementCancel) async throws(PostgresError) -> Lease {
        do throws(PostgresError) {
            let connection = try await connect(cancel)
            let attempt = await connection.attempt
            change { shared in
                shared.lastGood = attempt
                shared.connections[slot] = connection
                return shared.state.opened(slot)
            }
            return Lease(slot: slot, connection: connection)
        } catch {
            // A cancelled connect says nothing about the server.
            if error.kind == .cancelled {
                change { $0.state.release(slot, usable: false) }
            } else {
                let level: Logger.Level = status.isServerDown ? .debug : .warning
                logger.log(level: level, "cannot connect to the database", metadata: ["reason": "\(error)"])
                change { $0.state.openFailed(slot, reason: error) }
                onUnreachable()
            }
            throw error
        }
    }

    /// Connects, and once more after a refusal: the server process may have been ended while it was starting.
    private func connect(_ cancel: StatementCancel) async throws(PostgresError) -> PostgresConnection {
        let preferred = shared.withLock { $0.lastGood }
        let end = ContinuousClock.now + settings.connectTimeout
        do throws(PostgresError) {
            return try await connect(preferred, cancel)
        } catch {
            guard error.kind == .connectionFailed, .now < end else { throw error }
            return try await connect(preferred, cancel)
        }
    }

    private func connect(
        _ preferred: ConnectionSettings?,
        _ cancel: StatementCancel
    ) async throws(PostgresError) -> PostgresConnection {
        try await PostgresConnection.open(
            settings,
            name: name,
            preferring: preferred,
            cancel: cancel,
            logger: logger
        )
    }

    /// What to do, after waiting if need be; `.wait` when it was cancelled meanwhile.
    private func grant(
        _ isPatient: Bool,
        _ cancel: StatementCancel
    ) async throws(PostgresError) -> PoolState.Grant {
        let waiter = shared.withLock { shared in
            shared.nextWaiter += 1
            return shared.nextWaiter
        }
        try cancel.begin { self.abandon(waiter) }
        defer { cancel.end() }
        return await withCheckedContinuation { continuation in
            let grant = shared.withLock { shared in
                let grant = shared.state.acquire(waiter, isPatient: isPatient)
                if grant == .wait { shared.waiting[waiter] = continuation }
                return grant
            }
            if grant != .wait { continuation.resume(returning: grant) }
            // A cancel from before it was queued found nothing to abandon.
            if grant == .wait, cancel.isCancelled { abandon(waiter) }
        }
    }

    private func abandon(_ waiter: PoolState.Waiter) {
        let continuation = shared.withLock { shared in
            shared.state.abandon(waiter) ? shared.waiting.removeValue(forKey: waiter) : nil
        }
        continuation?.resume(returning: .wait)
    }

    private func give(back lease: Lease, wasCancelled: Bool = false) {
        let usable = lease.connection.isUsable && !wasCancelled
        change { shared in
            if !usable { shared.connections[lease.slot] = nil }
            return shared.state.release(lease.slot, usable: usable)
        }
    }

    /// Changes the state, then resumes the waiters that got an answer by it.
    private func change(_ body: (inout Shared) -> [PoolState.Resumption]) {
        let (woken, drained) = shared.withLock { shared in
            let woken = body(&shared).map { (shared.waiting.removeValue(forKey: $0.waiter), $0.grant) }
            guard shared.state.isDrained else { return (woken, [CheckedContinuation<Void, Never>]()) }
            defer { shared.drained = [] }
            shared.connections.removeAll()
            return (woken, shared.drained)
        }
        for (continuation, grant) in woken { continuation?.resume(returning: grant) }
        for continuation in drained { continuation.resume() }
    }
}

/// A connection lent to one caller.
private struct Lease {
    let slot: PoolState.Slot
    let connection: PostgresConnection
}
