import JSON
import JSONRPC
import Logging
import Postgres
import PricingProtocol
import RPCTransport

/// Every call passes here: known, allowed, well-formed, then done; and its reply gets its own metadata.
struct Dispatcher: RPCService {
    /// What answers a call in a task of its own.
    typealias Handler = @Sendable (CallContext) async throws(PricingFailure) -> RPCReply
    /// What answers a call without waiting for anything.
    typealias QuickHandler = @Sendable (CallContext) throws(PricingFailure) -> RPCReply

    /// How the calls of a method are answered.
    enum Way: Sendable {
        case atOnce(QuickHandler)
        case alone(Handler)
        /// By an intake; a dry run, which must not share a commit with anybody, by a handler.
        case together(any Intake, alone: Handler)
    }

    /// A method with all that its calls need.
    private final class Route: Sendable {
        let method: Method
        let way: Way
        let tally: CallLedger.Tally

        init(_ method: Method, _ way: Way, _ tally: CallLedger.Tally) {
            self.method = method
            self.way = way
            self.tally = tally
        }

        /// Whether its calls always have a task of their own.
        var isAlone: Bool { if case .alone = way { true } else { false } }
    }

    typealias Outcome = Result<RPCReply, RPCError>

    private let routes: [String: Route]
    private let roles: ConnectedRoles
    private let deadlines: DeadlineWatch
    private let database: Database
    private let gates: CallGates
    private let ledger: CallLedger
    private let logger: Logger
    private let closed: @Sendable (RPCConnection) -> Void

    init(
        ways: [String: Way],
        roles: PeerRoles,
        deadlines: DeadlineWatch,
        database: Database,
        gates: CallGates,
        ledger: CallLedger,
        logger: Logger,
        connectionClosed: @escaping @Sendable (RPCConnection) -> Void
    ) {
        self.roles = ConnectedRoles(roles)
        self.deadlines = deadlines
        self.database = database
        self.gates = gates
        self.ledger = ledger
        self.logger = logger
        closed = connectionClosed
        routes = ways.reduce(into: [:]) { routes, entry in
            guard let method = AllMethods.byName[entry.key], let tally = ledger.tallies[entry.key] else { return }
            routes[entry.key] = Route(method, entry.value, tally)
        }
    }

    func isUrgent(_ method: String) -> Bool {
        AllMethods.byName[method]?.isUrgent ?? false
    }

    func rank(of connection: RPCConnection) -> PeerRank {
        switch roles.role(of: connection) {
        case .admin: .high
        case .operator: .middle
        case .viewer, nil: .low
        }
    }

    func connectionOpened(_ connection: RPCConnection) async throws(RPCError) {
        guard await roles.admit(connection) != nil else {
            throw .permissionDenied(needRole: Role.viewer.rawValue, haveRole: nil)
        }
    }

    func connectionClosed(_ connection: RPCConnection) async {
        roles.forget(connection)
        closed(connection)
    }

    func take(_ call: RPCCall) -> Bool {
        guard let route = routes[call.method], !route.isAlone else { return false }
        do throws(RPCError) {
            let context = try context(of: call, route)
            switch route.way {
            case .atOnce(let handler): call.answer(ended(context, route, Self.outcome(handler, context)))
            case .together(let intake, _) where !context.isDryRun:
                gather(context, route, intake) { call.answer($0) }
            case .alone, .together: return false
            }
        } catch {
            call.answer(.failure(error))
        }
        return true
    }

    func reply(to call: RPCCall) async throws(RPCError) -> RPCReply {
        guard let route = routes[call.method] else {
            throw .methodNotFound(call.method, didYouMean: AllMethods.near(call.method))
        }
        let context = try context(of: call, route)
        switch route.way {
        case .atOnce(let handler): return try ended(context, route, Self.outcome(handler, context)).get()
        case .together(let intake, _) where !context.isDryRun:
            return try await withCheckedContinuation { done in
                gather(context, route, intake) { done.resume(returning: $0) }
            }.get()
        case .alone(let handler), .together(_, let handler):
            let running = begun(context)
            let outcome: Result<RPCReply, PricingFailure>
            do throws(PricingFailure) {
                outcome = .success(
                    try await gates.pass(route.method.gate, context) { () async throws(PricingFailure) in
                        try await handler(context)
                    }
                )
            } catch {
                outcome = .failure(error)
            }
            end(running)
            return try ended(context, route, outcome).get()
        }
    }

    /// Hands a call to its intake; `done` is told its outcome.
    private func gather(
        _ context: CallContext,
        _ route: Route,
        _ intake: any Intake,
        _ done: @escaping @Sendable (Outcome) -> Void
    ) {
        let running = begun(context)
        intake.take(context) { answer in
            end(running)
            done(ended(context, route, answer.map { context.reply($0) }))
        }
    }

    private static func outcome(_ handler: QuickHandler, _ context: CallContext) -> Result<RPCReply, PricingFailure> {
        do throws(PricingFailure) {
            return .success(try handler(context))
        } catch {
            return .failure(error)
        }
    }

    // MARK: what is known of calls that run and of those that have ended

    /// A call that runs: where it is listed, and where its deadline is watched.
    private struct Running {
        let number: Int64
        let watched: DeadlineWatch.Token?
    }

    private func begun(_ context: CallContext) -> Running {
        let cancellation = context.call.cancellation
        return Running(
            number: ledger.begin(context.call),
            watched: context.deadline.map { deadlines.add($0) { cancellation.cancel() } }
        )
    }

    private func end(_ running: Running) {
        if let watched = running.watched { deadlines.remove(watched) }
        ledger.end(running.number)
    }

    /// The outcome of a call as its peer sees it; counted, and said in the log when it was slow.
    private func ended(_ context: CallContext, _ route: Route, _ outcome: Result<RPCReply, PricingFailure>) -> Outcome {
        let outcome = outcome.mapError { rpcError($0, context) }
        let refusal: String? = if case .failure(let error) = outcome { error.reason } else { nil }
        let took = (ContinuousClock.now - context.call.received).microseconds
        route.tally.add(microseconds: took, refusal: refusal)
        guard took >= Self.slowMicroseconds, !route.method.isLong else { return outcome }
        logger.notice(
            "slow call",
            metadata: [
                "method": "\(route.method.name)", "outcome": "\(refusal ?? "ok")", "milliseconds": "\(took / 1000)",
            ]
        )
        return outcome
    }

    /// A call that takes longer is logged, in microseconds.
    private static let slowMicroseconds: Int64 = 1_000_000

    /// The call as it is carried out: allowed, and its parameters checked. One that is not is counted as it ends here.
    private func context(of call: RPCCall, _ route: Route) throws(RPCError) -> CallContext {
        do throws(RPCError) {
            let role = roles.role(of: call.connection)
            guard let role, role >= route.method.role else {
                throw .permissionDenied(needRole: route.method.role.rawValue, haveRole: role?.rawValue)
            }
            let context = try Self.validated(call, route.method, role)
            let needed = route.method.role(for: context.params)
            guard role >= needed else { throw .permissionDenied(needRole: needed.rawValue, haveRole: role.rawValue) }
            return context
        } catch {
            let took = (ContinuousClock.now - call.received).microseconds
            route.tally.add(microseconds: took, refusal: error.reason)
            throw error
        }
    }

    /// The call with its parameters checked, or every violation at once.
    private static func validated(_ call: RPCCall, _ method: Method, _ role: Role) throws(RPCError) -> CallContext {
        var validator = SchemaValidator()
        var meta = CallMeta()
        if let value = call.params["_meta"] {
            validator.check(value, .object(CallMeta.shape), at: "/_meta")
            if let object = value.object, validator.violations.isEmpty { meta = CallMeta(object) }
        }
        let params = Self.withoutNulls(call.params.removing("_meta"), method)
        validator.check(params, method.parameters)
        guard validator.violations.isEmpty else {
            throw .invalidParams(
                validator.violations.first.map { "\($0.path.isEmpty ? "params" : $0.path): \($0.message)." } ?? "",
                violations: validator.violations.map(\.json)
            )
        }
        return CallContext(call: call, method: method, meta: meta, params: Self.trimmed(params, method), role: role)
    }

    /// Names come without the blanks and invisible characters around them, whatever they name.
    private static func trimmed(_ params: JSONObject, _ method: Method) -> JSONObject {
        var params = params
        for name in method.names {
            if case .string(let text)? = params[name] { params[name] = .string(text.trimmedName) }
        }
        return params
    }

    /// An optional text or time that is null is one that was not given; limits and counts say what they mean.
    private static func withoutNulls(_ params: JSONObject, _ method: Method) -> JSONObject {
        guard params.contains(where: { $0.value.isNull }) else { return params }
        var params = params
        for field in method.parameters.fields where !field.isRequired && params[field.name] == .null {
            switch field.schema {
            case .text, .name, .bytes, .time, .choice: params[field.name] = nil
            default: break
            }
        }
        return params
    }

    private func rpcError(_ failure: PricingFailure, _ context: CallContext) -> RPCError {
        var error = database.rpcError(failure, context.method.name)
        // A call with a key may always be sent again: it happens once.
        if context.method.effect == .write, context.meta.idempotencyKey != nil {
            if case .deadline = failure { error.retryable = true }
        } else if case .unavailable(_, let isUnknown) = failure, isUnknown, context.method.effect == .write {
            error.retryable = false
        }
        return error
    }
}

extension CallContext {
    /// A reply with `_meta`: whether it was replayed, what a dry run would change, and how long it took.
    func reply(_ answer: Database.Answer) -> RPCReply {
        let text = answer.text.bytes
        guard text.last == UInt8(ascii: "}") else { return RPCReply(answer.text) }
        var writer = JSONWriter(capacity: text.count + (answer.wouldChange?.bytes.count ?? 0) + 160)
        writer.raw(text.dropLast())
        if text.count > 2 { writer.raw(",") }
        writer.raw("\"_meta\":{\"replayed\":")
        writer.write(.bool(answer.isReplayed))
        if let changes = answer.wouldChange {
            writer.raw(",\"dryRun\":true,\"wouldChange\":")
            writer.write(changes)
        }
        let timing = timer.timing(since: call.received)
        writer.raw(",\"timing\":{\"queue\":")
        writer.write(thousandths: timing.queue)
        writer.raw(",\"database\":")
        writer.write(thousandths: timing.database)
        writer.raw(",\"total\":")
        writer.write(thousandths: timing.total)
        writer.raw("}}}")
        return RPCReply(JSONText(verbatim: writer.bytes))
    }
}
