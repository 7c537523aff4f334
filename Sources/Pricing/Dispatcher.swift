import JSONRPC
import Logging
import Postgres
import PricingProtocol

/// Every call passes here: known, allowed, well-formed, then done; and its reply gets its own metadata.
struct Dispatcher: RPCService {
    /// What answers a call that is not one SQL function.
    typealias Handler = @Sendable (CallContext) async throws(PricingFailure) -> RPCReply

    let handlers: [String: Handler]
    let roles: PeerRoles
    let deadlines: DeadlineWatch
    let ledger: CallLedger
    let logger: Logger
    let connectionClosed: @Sendable (RPCConnection) -> Void

    func isUrgent(_ method: String) -> Bool {
        method == "session.ping" || method == "session.hello" || method == "server.status"
    }

    func connectionOpened(_ connection: RPCConnection) async throws(RPCError) {
        guard roles.role(of: connection.peer) != nil else {
            throw .permissionDenied(needRole: Role.viewer.rawValue, haveRole: nil)
        }
    }

    func connectionClosed(_ connection: RPCConnection) async {
        connectionClosed(connection)
    }

    func reply(to call: RPCCall) async throws(RPCError) -> RPCReply {
        guard let method = AllMethods.byName[call.method], let handler = handlers[call.method] else {
            throw .methodNotFound(call.method, didYouMean: AllMethods.near(call.method))
        }
        let number = ledger.begin(call)
        do throws(RPCError) {
            let reply = try await reply(to: call, method, handler)
            note(number, method, "ok")
            return reply
        } catch {
            note(number, method, error.reason)
            throw error
        }
    }

    private func reply(to call: RPCCall, _ method: Method, _ handler: Handler) async throws(RPCError) -> RPCReply {
        guard let role = roles.role(of: call.peer), role >= method.role else {
            throw .permissionDenied(
                needRole: method.role.rawValue,
                haveRole: roles.role(of: call.peer)?.rawValue
            )
        }
        let context = try Self.validated(call, method, role)
        let watched = context.deadline.map { deadlines.add($0) { call.cancellation.cancel() } }
        defer { if let watched { deadlines.remove(watched) } }
        do throws(PricingFailure) {
            return try await handler(context)
        } catch {
            throw rpcError(error, context)
        }
    }

    /// Counts a call that has ended, and says so in the log when it was slow.
    private func note(_ number: Int64, _ method: Method, _ outcome: String) {
        let took = ledger.end(number, method: method.name, outcome: outcome)
        guard took >= Self.slowMicroseconds, !method.isLong else { return }
        logger.notice(
            "slow call",
            metadata: ["method": "\(method.name)", "outcome": "\(outcome)", "milliseconds": "\(took / 1000)"]
        )
    }

    /// A call that takes longer is logged, in microseconds.
    private static let slowMicroseconds: Int64 = 1_000_000

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
        return CallContext(call: call, method: method, meta: meta, params: params, role: role)
    }

    /// An optional text or time that is null is one that was not given; limits and counts say what they mean.
    private static func withoutNulls(_ params: JSONObject, _ method: Method) -> JSONObject {
        var params = params
        for field in method.parameters.fields where !field.isRequired && params[field.name] == .null {
            switch field.schema {
            case .text, .name, .time, .choice: params[field.name] = nil
            default: break
            }
        }
        return params
    }

    private func rpcError(_ failure: PricingFailure, _ context: CallContext) -> RPCError {
        if case .fault(let error) = failure {
            let incident = Database.freshKey()
            logger.error(
                "a call failed by our own fault",
                metadata: [
                    "incidentId": "\(incident)", "method": "\(context.method.name)", "error": "\(error)",
                ]
            )
            logger.debug("the fault's message", metadata: ["incidentId": "\(incident)", "message": "\(error.message)"])
            return failure.rpcError(incidentID: incident)
        }
        var error = failure.rpcError(incidentID: "")
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
        var text = answer.text.bytes
        guard text.last == UInt8(ascii: "}") else { return RPCReply(answer.text) }
        text.removeLast()
        if text.last != UInt8(ascii: "{") { text.append(UInt8(ascii: ",")) }
        text += Array("\"_meta\":{\"replayed\":\(answer.isReplayed)".utf8)
        if let changes = answer.wouldChange {
            text += Array(",\"dryRun\":true,\"wouldChange\":".utf8) + changes.bytes
        }
        let timing = timer.timing(since: call.received)
        text += Array(
            ",\"timing\":{\"queue\":\(timing.queue),\"database\":\(timing.database),\"total\":\(timing.total)}}}".utf8
        )
        return RPCReply(JSONText(verbatim: text))
    }
}
