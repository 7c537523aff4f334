import Glibc
import JSON
import JSONRPC
import Logging
import Postgres
import PricingProtocol
import RPCTransport

/// Runs calls in PostgreSQL: on a pooled connection, within the call's time, cancellable, and again where that is safe.
struct Database: Sendable {
    let pool: ConnectionPool
    /// Where reports are read from if it can be done; nil for the primary alone.
    let standby: Standby?
    private let logger: Logger
    private let storms: StormLog

    init(pool: ConnectionPool, standby: Standby?, logger: Logger) {
        self.pool = pool
        self.standby = standby
        self.logger = logger
        storms = StormLog(logger)
    }

    /// How long a batch of calls may take before it is cancelled.
    private static let batchTime = Duration.milliseconds(CallLimit.statementMs.value + 1000)
    /// How often a call is run again after a serialization failure, a deadlock or a lock timeout. Each run may wait for a
    /// lock, and all of them together must fit into the time of a call.
    private static let mostRetries = 2

    /// A reading call.
    func read(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let function = CallStatements.function(of: context.method.name)
        let statement = CallStatements.read(function, named: context.hasNames)
        let parameters = context.params.serialized()
        let text = try await run(context) { (session) throws(PostgresError) in
            try session.one(statement, [.json(parameters)])
        }
        return Answer(text: JSONText(compacting: text))
    }

    /// The parameters of a call with ids in the place of names.
    func resolvedParams(_ context: CallContext) async throws(PricingFailure) -> JSONObject {
        guard context.hasNames else { return context.params }
        let parameters = context.params.serialized()
        let text = try await run(context) { (session) throws(PostgresError) in
            try session.one(CallStatements.resolveNames, [.json(parameters)])
        }
        return (try? JSONParser.parse(text))?.object ?? context.params
    }

    /// A writing call; a dry run is carried out and rolled back.
    func write(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let key = context.meta.isDryRun ? nil : context.meta.idempotencyKey ?? Self.freshKey()
        let bindings: [Binding] = [
            .text(CallStatements.function(of: context.method.name)), .text(context.method.name),
            .json(context.params.serialized()),
            .text(ifPresent: key), .text(ifPresent: context.actor), .bool(context.hasNames),
        ]
        if context.meta.isDryRun {
            return try await run(context) { (session) throws(PostgresError) in
                let written = try session.one(CallStatements.write, bindings)
                let changes = try session.one(CallStatements.wouldChange)
                return Answer(
                    text: JSONText(compacting: written.reply),
                    wouldChange: changes
                )
            }
        }
        let written = try await run(context) { (session) throws(PostgresError) in
            guard let expected = context.meta.expect else { return try session.one(CallStatements.write, bindings) }
            return try session.one(CallStatements.writeExpected, bindings + [.text(expected)])
        }
        return Answer(text: JSONText(compacting: written.reply), isReplayed: written.isReplayed)
    }

    /// Runs a closure on a pooled connection for a call, and runs it again where that is safe.
    ///
    /// After a lost connection a read is repeated, and a write too, since its key makes it happen once. Such a call is
    /// tried until its deadline and waits for a primary if need be, so that its caller learns the result. A call that
    /// was not sent yet is refused at once while there is no primary. After a conflict, which the server has rolled
    /// back, any call is run again, also one that is not repeatable. What may be old is asked of the standby first.
    func run<Value: Sendable>(
        _ context: CallContext,
        isRepeatable: Bool = true,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PricingFailure) -> Value {
        if context.mayBeOld, let value = await standby?.read(context, limit: Self.statementLimit(context), body) {
            return value
        }
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

    /// One try. A cancel or the deadline of the call cancels the statement, or ends the wait for a connection.
    private func once<Value: Sendable>(
        _ context: CallContext,
        isPatient: Bool,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let cancel = StatementCancel()
        let registration = context.call.cancellation.onCancel { cancel.cancel() }
        defer { context.call.cancellation.remove(registration) }
        return try await pool.run(isPatient: isPatient, cancel: cancel) { (session) throws(PostgresError) in
            try Self.limited(session, context, body)
        }
    }

    /// Runs a closure for a batch of calls and cancels it after `batchTime`, in case the server does not keep its own
    /// limit.
    /// - Parameter kept: the connection to run it on; if it is gone, any connection of the pool.
    func runBatch<Value: Sendable>(
        on kept: PostgresConnection?,
        isPatient: Bool = false,
        _ deadlines: DeadlineWatch,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let cancel = StatementCancel()
        let watched = deadlines.add(.now + Self.batchTime) { cancel.cancel() }
        defer { deadlines.remove(watched) }
        if let value = try await kept?.runIfStanding(cancel: cancel, body) { return value }
        return try await pool.run(isPatient: isPatient, cancel: cancel, body)
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

    /// The statement limit in milliseconds; nil to keep the connection's setting. Rounded up, so that the statement does
    /// not end before the deadline.
    private static func statementLimit(_ context: CallContext) -> Int64? {
        guard context.meta.timeoutMs != nil, let deadline = context.deadline else {
            return context.method.isLong ? 0 : nil
        }
        return max(1, (deadline - ContinuousClock.now).milliseconds + 1)
    }

    /// What an error means to the call that met it.
    /// - Parameter isBatched: whether it ran in a batch, where the connection's statement limit applies.
    func failure(_ error: PostgresError, _ context: CallContext, isBatched: Bool = false) -> PricingFailure {
        var error = error
        // A read changes nothing, so its outcome is never unknown.
        error.outcomeUnknown = error.outcomeUnknown && context.method.effect == .write
        switch error.kind {
        case .cancelled, .timeout:
            if context.isLate { return error.outcomeUnknown ? context.expired.whileRunning : context.expired }
            if context.call.cancellation.isCancelled { return .cancelled }
            guard error.kind == .cancelled || Self.mayHaveTimedOut(context, isBatched) else {
                // Another session cancelled it in the server, as an administrator may.
                return .unavailable(sqlState: error.sqlState?.code, isUnknown: error.outcomeUnknown)
            }
            return .deadline(
                Expiry(limit: .statementMs, elapsedMs: context.elapsedMs, isUnknown: error.outcomeUnknown)
            )
        default:
            return PricingFailure(error, params: context.params)
        }
    }

    /// Whether the connection's statement limit may have ended the call before its deadline.
    private static func mayHaveTimedOut(_ context: CallContext, _ isBatched: Bool) -> Bool {
        let isLimited = isBatched || (context.meta.timeoutMs == nil && !context.method.isLong)
        return isLimited && context.elapsedMs >= CallLimit.statementMs.value
    }

    /// Logs a fault of ours; returns the id under which it is found in the log.
    private func incident(_ fault: Fault, _ method: String) -> String {
        let incident = Self.freshKey()
        logger.error(
            "a call failed by our own fault",
            metadata: ["incidentId": "\(incident)", "method": "\(method)", "error": "\(fault)"]
        )
        logger.debug("the fault's message", metadata: ["incidentId": "\(incident)", "message": "\(fault.message)"])
        return incident
    }

    /// The error for the peer. Faults of ours and a lack of resources are also logged.
    func rpcError(_ failure: PricingFailure, _ method: String) -> RPCError {
        switch failure {
        case .fault(let fault):
            return failure.rpcError(incidentID: incident(fault, method))
        case .exhausted(let shortage) where shortage.value == nil:
            storms.warn(
                "calls are refused: something is used up",
                ["which": "\(shortage.which)", "method": "\(method)"]
            )
        case .unavailable(let state, _, _):
            storms.warn(
                "calls fail: the database is not available",
                ["sqlState": "\(state ?? "none")", "method": "\(method)"]
            )
        default: break
        }
        return failure.rpcError(incidentID: "")
    }

    /// A key for a write that came without one, so that it can be sent again after a lost connection. Keys ascend with
    /// time, so that the index over all keys grows at its end, where its pages are in memory.
    static func freshKey() -> String {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(max(0, now.tv_sec)) * 1000 + UInt64(max(0, now.tv_nsec)) / 1_000_000
        // In base 36 this has eight digits from 1972 to 2059, so that keys sort by time.
        return "pricingd-" + String(milliseconds, radix: 36) + "-"
            + String(UInt64.random(in: .min ... .max), radix: 36)
            + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}

extension CallContext {
    /// The actor for the records: the call's `actor`, else who calls.
    var actor: String { meta.actor ?? caller.actor }
}
