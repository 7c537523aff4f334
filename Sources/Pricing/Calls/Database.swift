import Glibc
import JSON
import JSONRPC
import Logging
import Postgres
import PricingProtocol
import RPCTransport

/// The way of every call to PostgreSQL: pooled, limited in time, cancellable, retried where that is safe.
struct Database: Sendable {
    let pool: ConnectionPool
    private let logger: Logger
    private let storms: StormLog

    init(pool: ConnectionPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
        storms = StormLog(logger)
    }

    /// How long a batch of calls may take before its connection is given up.
    private static let batchTime = Duration.milliseconds(CallLimit.statementMs.value + 1000)
    /// How often a write is run again after a serialization failure, a deadlock or a lock not had: waiting for a lock each
    /// time, it must still end within the time of a call.
    private static let mostRetries = 2

    /// A reading call.
    func read(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let statement = CallStatements.read(CallStatements.function(of: context.method.name))
        let parameters = context.params.serialized()
        let text = try await run(context) { (session) throws(PostgresError) in
            try session.one(statement, [.json(parameters)])
        }
        return Answer(text: JSONText(compacting: text))
    }

    /// A writing call; a dry run is carried out and rolled back.
    func write(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let key = context.meta.isDryRun ? nil : context.meta.idempotencyKey ?? Self.freshKey()
        let bindings: [Binding] = [
            .text(CallStatements.function(of: context.method.name)), .text(context.method.name),
            .json(context.params.serialized()),
            .text(ifPresent: key), .text(ifPresent: context.actor),
        ]
        if context.meta.isDryRun {
            return try await run(context) { (session) throws(PostgresError) in
                let written = try session.one(CallStatements.write, bindings)
                let changes = try session.one(CallStatements.wouldChange)
                return Answer(
                    text: JSONText(compacting: written.reply),
                    wouldChange: JSONText(compacting: changes)
                )
            }
        }
        let written = try await run(context) { (session) throws(PostgresError) in
            try session.one(CallStatements.write, bindings)
        }
        return Answer(text: JSONText(compacting: written.reply), isReplayed: written.isReplayed)
    }

    /// Runs a closure on a pooled connection for a call, and again where that is safe: a read after a lost connection, a
    /// write too, since it carries a key. What was once sent is tried until the call's deadline, and waits for a primary if
    /// need be, so that its caller gets one result; what was not is refused at once while there is none. What is not
    /// repeatable is run again only after a conflict, which the server has rolled back.
    func run<Value: Sendable>(
        _ context: CallContext,
        isRepeatable: Bool = true,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PricingFailure) -> Value {
        var loss: PricingFailure?
        func limit(_ error: PostgresError) -> Int? {
            let isLost = error.kind == .connectionLost
            if isLost, !context.isLate { loss = failure(error, context).after(loss) }
            guard error.isContention || (isLost && isRepeatable) else { return 0 }
            logger.debug("a try failed", metadata: ["method": "\(context.method.name)", "reason": "\(error)"])
            return isLost && context.deadline != nil ? nil : Self.mostRetries
        }
        do throws(PostgresError) {
            return try await Retry.run(limit: limit) { () async throws(PostgresError) in
                try Self.checkStillWanted(context)
                return try await once(context, isPatient: loss != nil && context.deadline != nil, body)
            }
        } catch {
            let failure = failure(error, context)
            throw failure.isDefinite ? failure : loss ?? failure
        }
    }

    private static func checkStillWanted(_ context: CallContext) throws(PostgresError) {
        if context.isLate { throw PostgresError(.timeout, "the deadline passed before the call began") }
        if context.call.cancellation.isCancelled { throw PostgresError(.cancelled, "the caller cancelled it") }
    }

    /// One try. A cancel of the call, or its deadline, cancels the statement in the server, or the wait for a connection.
    private func once<Value: Sendable>(
        _ context: CallContext,
        isPatient: Bool,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let cancellation = context.call.cancellation
        return try await cancellable(
            isPatient: isPatient,
            { cancel in
                let registration = cancellation.onCancel(cancel)
                return { cancellation.remove(registration) }
            },
            { (session) throws(PostgresError) in try Self.limited(session, context, body) }
        )
    }

    /// Runs a closure on a pooled connection so that somebody else may give it up: the statement is cancelled in the
    /// server, or the wait for a connection ends. Cancelling the task does the same.
    /// - Parameters:
    ///   - isPatient: whether to wait for a database that is not there now.
    ///   - arm: is given the cancel, and gives what takes it back.
    func cancellable<Value: Sendable>(
        isPatient: Bool = false,
        _ arm: (@escaping @Sendable () -> Void) -> () -> Void,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let task = Task { () async -> Result<Value, PostgresError> in
            do throws(PostgresError) {
                return .success(
                    try await pool.run(isPatient: isPatient) { (session) throws(PostgresError) in try body(session) }
                )
            } catch {
                return .failure(error)
            }
        }
        let disarm = arm { task.cancel() }
        defer { disarm() }
        return try await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }.get()
    }

    /// Runs a closure for a whole batch of calls, and gives it up after a time: its statement limit cannot be trusted then.
    /// - Parameter kept: the connection to run it on while that stands; else it is any of the pool.
    func runBatch<Value: Sendable>(
        on kept: PostgresConnection?,
        isPatient: Bool = false,
        _ deadlines: DeadlineWatch,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        func arm(_ cancel: @escaping @Sendable () -> Void) -> () -> Void {
            let watched = deadlines.add(.now + Self.batchTime, cancel)
            return { deadlines.remove(watched) }
        }
        if let value = try await kept?.runIfStanding(arming: arm, body) { return value }
        return try await cancellable(isPatient: isPatient, arm, body)
    }

    /// Runs the body within the call's own limits, where it has any; a dry run is rolled back.
    private static func limited<Value>(
        _ session: Session,
        _ context: CallContext,
        _ body: (Session) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        if context.isLate { throw PostgresError(.timeout, "the deadline passed before the call began") }
        context.timer.begin()
        defer { context.timer.end() }
        let limit = statementLimit(context)
        let within: (Session) throws(PostgresError) -> Value = { (session) throws(PostgresError) in
            if let limit { try session.run(CallStatements.limitStatement, [.text(String(limit))]) }
            return try body(session)
        }
        if context.meta.isDryRun { return try session.rollingBack(within) }
        return limit == nil ? try body(session) : try session.transaction(.readWrite, within)
    }

    /// The statement limit in milliseconds where it is not the connection's own; rounded up, lest it end before the
    /// deadline does.
    private static func statementLimit(_ context: CallContext) -> Int64? {
        guard context.meta.timeoutMs != nil, let deadline = context.deadline else {
            return context.method.isLong ? 0 : nil
        }
        return max(1, (deadline - ContinuousClock.now).milliseconds + 1)
    }

    /// What an error means to the call that met it.
    /// - Parameter isBatched: whether its statement was that of several calls, whose limit is the connection's.
    func failure(_ error: PostgresError, _ context: CallContext, isBatched: Bool = false) -> PricingFailure {
        var error = error
        // Nothing is unknown of what was only read.
        error.outcomeUnknown = error.outcomeUnknown && context.method.effect == .write
        switch error.kind {
        case .cancelled, .timeout:
            if context.isLate { return error.outcomeUnknown ? context.expired.whileRunning : context.expired }
            if context.call.cancellation.isCancelled { return .cancelled }
            guard error.kind == .cancelled || Self.mayHaveTimedOut(context, isBatched) else {
                // Somebody told the server to cancel it.
                return .unavailable(sqlState: error.sqlState?.code, isUnknown: error.outcomeUnknown)
            }
            return .deadline(
                Expiry(limit: .statementMs, elapsedMs: context.elapsedMs, isUnknown: error.outcomeUnknown)
            )
        default:
            return PricingFailure(error, params: context.params)
        }
    }

    /// Whether a call may have met the limit of its statements, its own deadline still to come.
    private static func mayHaveTimedOut(_ context: CallContext, _ isBatched: Bool) -> Bool {
        let isLimited = isBatched || (context.meta.timeoutMs == nil && !context.method.isLong)
        return isLimited && context.elapsedMs >= CallLimit.statementMs.value
    }

    /// Notes a fault of ours in the log; the id under which it stands there.
    private func incident(_ fault: Fault, _ method: String) -> String {
        let incident = Self.freshKey()
        logger.error(
            "a call failed by our own fault",
            metadata: ["incidentId": "\(incident)", "method": "\(method)", "error": "\(fault)"]
        )
        logger.debug("the fault's message", metadata: ["incidentId": "\(incident)", "message": "\(fault.message)"])
        return incident
    }

    /// The error as its peer sees it. A fault of ours is noted, and so is what the server lacks.
    func rpcError(_ failure: PricingFailure, _ method: String) -> RPCError {
        switch failure {
        case .fault(let fault):
            return failure.rpcError(incidentID: incident(fault, method))
        case .exhausted(let shortage) where shortage.value == nil:
            storms.warn(
                "calls are refused: something is used up",
                ["which": "\(shortage.which)", "method": "\(method)"]
            )
        case .unavailable(let state, _):
            storms.warn(
                "calls fail: the database is not available",
                ["sqlState": "\(state ?? "none")", "method": "\(method)"]
            )
        default: break
        }
        return failure.rpcError(incidentID: "")
    }

    /// A key for a write that came without one, so that it may be sent again after a lost connection. Later ones are
    /// greater, so that the index over all keys grows at its end, in pages that are at hand.
    static func freshKey() -> String {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(max(0, now.tv_sec)) * 1000 + UInt64(max(0, now.tv_nsec)) / 1_000_000
        // From 1972 to 2059 a number of eight digits.
        return "pricingd-" + String(milliseconds, radix: 36) + "-"
            + String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}

extension CallContext {
    /// Who did it: what the call says, else the peer's uid.
    var actor: String { meta.actor ?? "uid:\(call.peer.uid)" }
}
