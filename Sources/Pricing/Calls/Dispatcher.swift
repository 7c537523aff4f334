import JSON
import JSONRPC
import Logging
import Postgres
import PricingProtocol
import RPCTransport

/// Answers every call: finds its method, checks the role and the parameters, has it carried out and counts it.
final class Dispatcher: RPCService {
    /// Answers a call in a separate task.
    typealias Handler = @Sendable (CallContext) async throws(PricingFailure) -> Answer
    /// Answers a call without waiting for anything.
    typealias InlineHandler = @Sendable (CallContext) throws(PricingFailure) -> Answer

    /// How the calls of a method are answered.
    enum Handling: Sendable {
        /// On the event loop that reads the line.
        case inline(InlineHandler)
        /// In a separate task.
        case task(Handler)
        /// By an intake; what must not share a transaction with other calls by a handler.
        case batched(any Intake, alone: Handler)
    }

    /// A method with what its calls need.
    private final class Route: Sendable {
        let method: Method
        let handling: Handling
        let tally: CallTallies.Tally

        init(_ method: Method, _ handling: Handling, _ tally: CallTallies.Tally) {
            self.method = method
            self.handling = handling
            self.tally = tally
        }

        /// Whether its calls always have a separate task.
        var needsTask: Bool { if case .task = handling { true } else { false } }
    }

    private let routes: [String: Route]
    private let roles: ConnectedRoles
    private let deadlines: DeadlineWatch
    private let database: Database
    private let gates: CallGates
    private let log: CallLog
    private let closed: @Sendable (RPCConnection) -> Void
    private let logins: LoginDesk

    init(
        handlings: [String: Handling],
        roles: ConnectedRoles,
        deadlines: DeadlineWatch,
        database: Database,
        gates: CallGates,
        tallies: CallTallies,
        logger: Logger,
        connectionClosed: @escaping @Sendable (RPCConnection) -> Void
    ) {
        self.roles = roles
        self.deadlines = deadlines
        self.database = database
        self.gates = gates
        log = CallLog(logger: logger)
        closed = connectionClosed
        logins = LoginDesk(database: database)
        routes = handlings.reduce(into: [:]) { routes, entry in
            guard let method = AllMethods.byName[entry.key], let tally = tallies.byMethod[entry.key] else { return }
            routes[entry.key] = Route(method, entry.value, tally)
        }
    }

    func isUrgent(_ method: String) -> Bool {
        AllMethods.byName[method]?.isUrgent ?? false
    }

    func rank(of connection: RPCConnection) -> PeerRank {
        let standing = roles.standing(of: connection)
        // Behind a gateway are many, and not all of them are trusted.
        return switch standing?.isGateway == true ? .operator : standing?.role {
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

    func handleInline(_ call: RPCCall) -> Bool {
        guard let route = routes[call.method], !route.needsTask else { return false }
        if let refusal = refusal(of: call, route) {
            call.refuse(refusal)
            return true
        }
        // Whose login it is stands in the database.
        guard call.login == nil else { return false }
        do throws(RPCError) {
            let context = try context(of: call, route, nil)
            switch route.handling {
            case .inline(let handler): call.answer(ended(context, route, Self.outcome(handler, context)))
            case .batched(let intake, _) where !context.isAlone:
                gather(context, route, intake) { call.answer($0) }
            case .task, .batched: return false
            }
        } catch {
            call.answer(.failure(error))
        }
        return true
    }

    func reply(to call: RPCCall) async throws(RPCError) -> RPCReply {
        guard let route = routes[call.method] else {
            let error = RPCError.methodNotFound(call.method, didYouMean: AllMethods.near(call.method))
            log.ended(call, microseconds: 0, refusal: error.reason, isSlow: false, actor: nil)
            throw error
        }
        if let refusal = refusal(of: call, route) { throw refusal.error }
        let context = try context(of: call, route, try await person(of: call, route))
        if let refused = await refusedOwner(context) { return try ended(context, route, .failure(refused)).get() }
        switch route.handling {
        case .inline(let handler): return try ended(context, route, Self.outcome(handler, context)).get()
        case .batched(let intake, _) where !context.isAlone:
            return try await withCheckedContinuation { done in
                gather(context, route, intake) { done.resume(returning: $0) }
            }.get()
        case .task(let handler), .batched(_, let handler):
            let watched = begun(context)
            let outcome: Outcome
            do throws(PricingFailure) {
                outcome = .success(
                    try await gates.pass(context.gate, context) { () async throws(PricingFailure) in
                        try await handler(context)
                    }
                )
            } catch {
                outcome = .failure(error)
            }
            end(watched)
            return try ended(context, route, outcome).get()
        }
    }

    /// Passes a call to its intake; `done` gets the reply.
    private func gather(
        _ context: CallContext,
        _ route: Route,
        _ intake: any Intake,
        _ done: @escaping @Sendable (Result<RPCReply, RPCError>) -> Void
    ) {
        let watched = begun(context)
        intake.submit(context) { [self] outcome in
            end(watched)
            done(ended(context, route, outcome))
        }
    }

    private static func outcome(_ handler: InlineHandler, _ context: CallContext) -> Outcome {
        do throws(PricingFailure) {
            return .success(try handler(context))
        } catch {
            return .failure(error)
        }
    }

    // MARK: what is watched of calls that run, and counted of those that have ended

    /// Has the deadline of a call watched, if it has one; `end` follows.
    private func begun(_ context: CallContext) -> DeadlineWatch.Token? {
        let cancellation = context.call.cancellation
        return context.deadline.map { deadlines.add($0) { cancellation.cancel() } }
    }

    private func end(_ watched: DeadlineWatch.Token?) {
        if let watched { deadlines.remove(watched) }
    }

    /// Turns the outcome of a call into its reply, counts it, and logs it when it was slow.
    private func ended(_ context: CallContext, _ route: Route, _ outcome: Outcome) -> Result<RPCReply, RPCError> {
        let reply = outcome.map { $0.shown(to: context).reply(to: context) }.mapError { rpcError($0, context) }
        let refusal: String? = if case .failure(let error) = reply { error.reason } else { nil }
        let took = (ContinuousClock.now - context.call.received).microseconds
        route.tally.add(microseconds: took, refusal: refusal)
        log.ended(
            context.call,
            microseconds: took,
            refusal: refusal,
            isSlow: took >= CallLog.slowMicroseconds && !route.method.isLong,
            actor: context.actor
        )
        return reply
    }

    func refusal(of method: String, on connection: RPCConnection) -> ErrorText? {
        routes[method].flatMap { refusal(on: connection, $0, within: .requestMs) }
    }

    /// Why its intake refuses a call. First of all checks, since it costs least; what is no `timeoutMs` is refused later.
    private func refusal(of call: RPCCall, _ route: Route) -> ErrorText? {
        guard case .batched = route.handling else { return nil }
        let meta = call.params[CallMeta.member]
        guard meta?["dryRun"] != true else { return nil }
        let own = meta?["timeoutMs"]?.integer.flatMap { $0 > 0 ? Expiry.timeoutMs($0) : nil }
        return refusal(on: call.connection, route, within: own ?? .requestMs)
    }

    /// The same; counted here.
    private func refusal(on connection: RPCConnection, _ route: Route, within limit: CallLimit) -> ErrorText? {
        guard case .batched(let intake, _) = route.handling,
            let refusal = intake.refusal(on: connection, within: limit)
        else { return nil }
        // It has taken next to no time.
        route.tally.add(microseconds: 0, refusal: refusal.error.reason)
        log.refused(route.method.name, on: connection, refusal.error.reason)
        return refusal
    }

    /// Checks the role and the parameters of a call. A call that is refused here is counted here.
    /// - Parameter person: whose login it carries.
    private func context(of call: RPCCall, _ route: Route, _ person: Caller.Person?) throws(RPCError) -> CallContext {
        do throws(RPCError) {
            guard let standing = roles.standing(of: call.connection) else {
                throw .permissionDenied(needRole: route.method.role.rawValue, haveRole: nil)
            }
            let caller = Caller(standing: standing, uid: call.peer.uid, person: person)
            try caller.check(route.method)
            let context = try CallCheck.validated(call, route.method, caller)
            try caller.check(route.method, context.params)
            return context
        } catch {
            throw counted(error, call, route)
        }
    }

    /// Counts a call that is refused before it runs.
    private func counted(_ error: RPCError, _ call: RPCCall, _ route: Route) -> RPCError {
        let took = (ContinuousClock.now - call.received).microseconds
        route.tally.add(microseconds: took, refusal: error.reason)
        log.ended(call, microseconds: took, refusal: error.reason, isSlow: false, actor: nil)
        return error
    }

    /// The person whose login a call carries; nil where it carries none, or nothing that could be one.
    private func person(of call: RPCCall, _ route: Route) async throws(RPCError) -> Caller.Person? {
        guard let token = call.login else { return nil }
        do throws(PricingFailure) {
            return try await logins.person(of: token, call.cancellation)
        } catch {
            throw counted(database.rpcError(error, call.method), call, route)
        }
    }

    /// Why a customer's call is refused that names what is somebody else's.
    private func refusedOwner(_ context: CallContext) async -> PricingFailure? {
        guard !context.caller.audience.isStaff, context.method.namesOwned(context.params) else { return nil }
        guard let customer = context.caller.customer else {
            return .refused(.orderNotFound, message: nil, facts: [:])
        }
        do throws(PricingFailure) {
            try await logins.refuseOthers(context, customer)
            return nil
        } catch {
            return error
        }
    }

    private func rpcError(_ failure: PricingFailure, _ context: CallContext) -> RPCError {
        var error = database.rpcError(failure, context.method.name)
        // A write with a key may always be sent again, since it happens once.
        if context.method.effect == .write, context.meta.idempotencyKey != nil {
            if case .deadline = failure { error.retryable = true }
        } else if case .unavailable(_, let isUnknown, _) = failure, isUnknown, context.method.effect == .write {
            error.retryable = false
        }
        if !context.caller.audience.isStaff {
            error.data = ShownFacts.of(error.data)
        } else if case .unavailable(_, _, let cause?) = failure {
            error.data["cause"] = .string(cause)
        }
        return error
    }
}
