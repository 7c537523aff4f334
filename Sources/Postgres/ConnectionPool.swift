package import Logging
import Synchronization

/// At most so many connections, opened when first needed, shared by many callers.
///
/// A broken connection is dropped and replaced. While the server is known to be down, calls fail at once with the reason.
package final class ConnectionPool: Sendable {
    /// How many connections there are, in which state.
    package struct Status: Sendable, Hashable {
        /// Connections that stand.
        package let open: Int
        /// Connections that nobody uses.
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
        var handlingUnreachable = false
        var lastGood: ConnectionSettings?
        var drained: [CheckedContinuation<Void, Never>] = []
    }

    private let shared: Mutex<Shared>
    private let settings: ConnectionSettings
    private let name: String
    private let connectTimeoutSeconds: Int
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let onUnreachable: (@Sendable () async -> Void)?

    /// A pool that has opened nothing yet.
    /// - Parameters:
    ///   - name: of the connections' threads.
    ///   - capacity: connections at most, at least 1.
    ///   - maxWaiting: callers that may wait when all are busy; the next one gets `.poolExhausted`.
    ///   - now: the clock of the back-off between failed connects (50 ms, doubling to 1 s).
    ///   - onUnreachable: called, never twice at a time, by the call whose connect failed, which then tries once more: the
    ///     place to restart a private cluster.
    package init(
        _ settings: ConnectionSettings,
        name: String = "postgres",
        capacity: Int,
        maxWaiting: Int = 4096,
        connectTimeoutSeconds: Int = PostgresConnection.connectTimeoutSeconds,
        logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        onUnreachable: (@Sendable () async -> Void)? = nil
    ) {
        self.settings = settings
        self.name = name
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.logger = logger
        self.now = now
        self.onUnreachable = onUnreachable
        self.shared = Mutex(Shared(state: PoolState(capacity: capacity, maxWaiting: maxWaiting)))
    }

    /// What is in use now.
    package var status: Status { shared.withLock { $0.state.status } }

    /// Runs a closure on a connection's thread; the call is cancelled in the server when the task is cancelled.
    /// - Parameter onStart: receives a closure that cancels this call and nothing after it; for callers whose
    ///   cancellation is not a task's. Called again when the first connection turned out to be gone.
    /// - Throws: what the closure threw; `.poolExhausted`, `.connectionFailed`, `.closed`, `.cancelled`.
    package func run<Value: Sendable>(
        onStart: (@Sendable (_ cancel: @escaping @Sendable () -> Void) -> Void)? = nil,
        _ body: @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        while true {
            let value = try await withLease { (lease) async throws(PostgresError) in
                onStart?({ lease.cancel() })
                return try await lease.connection.runIfStanding { (session) throws(PostgresError) in
                    try lease.check()
                    return try body(session)
                }
            }
            if let value { return value }
        }
    }

    /// Lends a connection for several runs; nobody else uses it meanwhile.
    package func withConnection<Value: Sendable>(
        _ body: (PostgresConnection) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        while true {
            let value: Value? = try await withLease { (lease) async throws(PostgresError) in
                guard await lease.connection.stillStands() else { return nil }
                return try await body(lease.connection)
            }
            if let value { return value }
        }
    }

    /// Refuses new calls, lets running ones end, closes every connection, then returns.
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
        _ body: (Lease) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let lease = try await lease()
        if Task.isCancelled {
            give(back: lease)
            throw PostgresError(.cancelled, "cancelled before it began")
        }
        let outcome = await withTaskCancellationHandler {
            do throws(PostgresError) {
                return Result<Value, PostgresError>.success(try await body(lease))
            } catch {
                return .failure(error)
            }
        } onCancel: {
            lease.cancel()
        }
        give(back: lease)
        return try outcome.get()
    }

    /// A connection, perhaps one that the server closed while it was idle: whoever takes it looks, and asks again.
    private func lease() async throws(PostgresError) -> Lease {
        var asked = false
        while true {
            switch await grant() {
            case .use(let slot):
                guard let connection = shared.withLock({ $0.connections[slot] }) else { continue }
                return Lease(slot: slot, connection: connection)
            case .open(let slot):
                do throws(PostgresError) {
                    return try await open(slot)
                } catch {
                    guard !asked, await reportUnreachable() else { throw error }
                    asked = true
                }
            case .refuse(let reason):
                throw reason
            case .wait:
                throw PostgresError(.cancelled, "the caller gave up waiting for a connection")
            }
        }
    }

    private func open(_ slot: PoolState.Slot) async throws(PostgresError) -> Lease {
        do throws(PostgresError) {
            let connection = try await PostgresConnection.open(
                settings,
                name: name,
                connectTimeoutSeconds: connectTimeoutSeconds,
                preferring: shared.withLock { $0.lastGood },
                logger: logger
            )
            let attempt = await connection.attempt
            change { shared in
                shared.lastGood = attempt
                shared.connections[slot] = connection
                return shared.state.opened(slot)
            }
            return Lease(slot: slot, connection: connection)
        } catch {
            logger.warning("cannot connect to the database", metadata: ["reason": "\(error)"])
            change { $0.state.openFailed(slot, reason: error, now: now()) }
            throw error
        }
    }

    /// Calls the hook unless someone else does; true when it was called and a connect may be tried again.
    private func reportUnreachable() async -> Bool {
        guard let onUnreachable else { return false }
        let mine = shared.withLock { shared in
            defer { shared.handlingUnreachable = true }
            return !shared.handlingUnreachable
        }
        guard mine else { return false }
        await onUnreachable()
        shared.withLock { shared in
            shared.handlingUnreachable = false
            shared.state.mayTryAgain(now: now())
        }
        return true
    }

    /// What to do, after waiting if need be; `.wait` when the task was cancelled meanwhile.
    private func grant() async -> PoolState.Grant {
        let waiter = shared.withLock { shared in
            shared.nextWaiter += 1
            return shared.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let grant = shared.withLock { shared in
                    let grant = shared.state.acquire(waiter, now: now())
                    if grant == .wait { shared.waiting[waiter] = continuation }
                    return grant
                }
                if grant != .wait { continuation.resume(returning: grant) }
                if grant == .wait, Task.isCancelled { abandon(waiter) }
            }
        } onCancel: {
            abandon(waiter)
        }
    }

    private func abandon(_ waiter: PoolState.Waiter) {
        let continuation = shared.withLock { shared in
            shared.state.abandon(waiter) ? shared.waiting.removeValue(forKey: waiter) : nil
        }
        continuation?.resume(returning: .wait)
    }

    private func give(back lease: Lease) {
        let wasCancelled = lease.finish()
        let usable = lease.connection.isUsable && !wasCancelled
        change { shared in
            if !usable { shared.connections[lease.slot] = nil }
            return shared.state.release(lease.slot, usable: usable, now: now())
        }
    }

    /// Changes the state, then resumes whoever it concerns.
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

/// A connection lent to one caller; its `cancel` does nothing once it was given back.
private final class Lease: Sendable {
    let slot: PoolState.Slot
    let connection: PostgresConnection
    private let state = Mutex((active: true, cancelled: false))

    init(slot: PoolState.Slot, connection: PostgresConnection) {
        self.slot = slot
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

    /// Ends the lease; true when it was cancelled, and the connection with it.
    func finish() -> Bool {
        state.withLock { state in
            state.active = false
            return state.cancelled
        }
    }
}
