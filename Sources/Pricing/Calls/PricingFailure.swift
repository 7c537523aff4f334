import JSON
import JSONRPC
import Postgres
import PricingProtocol

/// Why a call was not carried out.
enum PricingFailure: Error, Sendable {
    /// An error of the protocol's registry, with its message and data.
    case refused(ErrorCode, message: String?, facts: JSONObject)
    /// The caller cancelled it.
    case cancelled
    /// Its time ran out.
    case deadline(Expiry)
    /// The database could not be reached; `isUnknown` when the call may have been carried out before the connection was
    /// lost. The cause tells what the server or the system said; it may name host, port and user.
    case unavailable(sqlState: String?, isUnknown: Bool, cause: String? = nil)
    /// A resource or limit is used up; nothing was done.
    case exhausted(Shortage)
    /// Another transaction locked a row for longer than a call waits; nothing was done.
    case contended
    /// A fault of ours.
    case fault(Fault)

    /// Turns an error of the database into the failure of a call; `SQLStateTable` says what an SQLSTATE means.
    /// - Parameter params: the call's parameters, to tell whether one of them caused the error.
    init(_ error: PostgresError, params: JSONObject = [:]) {
        switch error.kind {
        case .connectionFailed, .connectionLost, .closed:
            let state = error.sqlState?.code
            if error.kind == .connectionFailed, case .shortage(let which)? = error.meaning {
                self = .exhausted(Shortage(which, sqlState: state))
            } else {
                self = .unavailable(sqlState: state, isUnknown: error.outcomeUnknown, cause: "\(error)")
            }
        case .poolExhausted: self = .exhausted(Shortage(.databaseQueue))
        case .systemResources: self = .exhausted(Shortage("system"))
        default: self = Refusal(error).flatMap { PricingFailure.refused($0, params) } ?? .fault(.error(error))
        }
    }

    /// A refusal of one call of a batch as its failure.
    /// - Parameter params: as above.
    init(_ refusal: Refusal, params: JSONObject) {
        self = PricingFailure.refused(refusal, params) ?? .fault(.refusal(refusal))
    }

    /// What a refusal means; nil for a fault of ours.
    private static func refused(_ refusal: Refusal, _ params: JSONObject) -> PricingFailure? {
        let state = refusal.state
        if let code = protocolStates[state.code] ?? domainCode(state.code) {
            let facts = refusal.detail.flatMap { try? JSONParser.parse(Array($0.utf8)).object } ?? [:]
            if code == .invalidParams, !namesMembers(facts) { return nil }
            return .refused(code, message: refusal.message, facts: facts)
        }
        switch SQLStateTable.meaning(of: state) {
        case .value: return CallerValue(params: params).failure(refusal)
        case .contention: return .contended
        case .shortage(let which): return .exhausted(Shortage(which, sqlState: state.code))
        // The server itself reported the error, so the transaction was rolled back.
        case .outage, .cancelled: return .unavailable(sqlState: state.code, isUnknown: false)
        case .fault: return nil
        }
    }

    /// Whether a refusal of parameters says which ones: each violation has a path, or the rows of an import are listed.
    private static func namesMembers(_ facts: JSONObject) -> Bool {
        if facts["failed"] != nil { return true }
        let violations = facts["violations"]?.array ?? []
        return !violations.isEmpty && violations.allSatisfy { $0["path"]?.string?.isEmpty == false }
    }

    /// Whether the database refused the call itself, so that an earlier try was not carried out either.
    var isDefinite: Bool {
        if case .refused = self { return true }
        return false
    }

    /// This failure after an earlier one of the same call: if the outcome of the earlier try is unknown, it stays unknown.
    func after(_ earlier: PricingFailure?) -> PricingFailure {
        if case .unavailable(_, isUnknown: true, _)? = earlier, case .unavailable(let state, _, let cause) = self {
            return .unavailable(sqlState: state, isUnknown: true, cause: cause)
        }
        return self
    }

    /// The same failure for a call that runs already: a deadline then leaves the outcome unknown.
    var whileRunning: PricingFailure {
        guard case .deadline(var expiry) = self else { return self }
        expiry.isUnknown = true
        return .deadline(expiry)
    }

    /// The error for the peer. A fault of ours shows only the incident's id, under which the log has the details.
    func rpcError(incidentID: @autoclosure () -> String) -> RPCError {
        switch self {
        case .refused(let code, let message, let facts): return code.error(message, facts)
        case .cancelled: return ErrorCode.cancelled.error()
        case .deadline(let expiry): return expiry.rpcError
        case .unavailable(let state, let isUnknown, _):
            var error = ErrorCode.unavailable.error(
                nil,
                [
                    "dependency": "postgresql", "sqlState": state.map { .string($0) } ?? .null,
                    "outcome": isUnknown ? "unknown" : "not_done",
                ]
            )
            error.retryAfterMs = RetryAfter.busy
            return error
        case .exhausted(let shortage): return shortage.rpcError
        case .contended: return Shortage(.lockMs).rpcError
        case .fault: return .internalError(incidentID: incidentID())
        }
    }

    private static func domainCode(_ state: String) -> ErrorCode? {
        guard state.hasPrefix("PR"), let code = Int(state.dropFirst(2)) else { return nil }
        return ErrorCode.domain(code)
    }

    /// SQLSTATEs of our PL/pgSQL code for errors of the protocol. `PR903`, a change of an append-only table, is not among
    /// them, since no call changes one.
    static let protocolStates: [String: ErrorCode] = ["PR009": .idempotencyConflict, "PR602": .invalidParams]
}

/// A resource or limit that is used up for now.
struct Shortage: Sendable {
    let which: String
    /// The value of the limit; nil when it is not one of ours.
    let value: Int64?
    let sqlState: String?
    let retryAfterMs: Int

    /// A limit of the daemon that is reached.
    init(_ limit: CallLimit, retryAfterMs: Int = RetryAfter.busy) {
        which = limit.name
        value = limit.value
        sqlState = nil
        self.retryAfterMs = retryAfterMs
    }

    /// A resource that the machine or the database server has no more of.
    init(_ which: String, sqlState: String? = nil) {
        self.which = which
        self.sqlState = sqlState
        value = nil
        retryAfterMs = RetryAfter.full
    }

    fileprivate var rpcError: RPCError {
        var facts: JSONObject = ["which": .string(which), "outcome": "not_done"]
        if let value { facts["value"] = .integer(value) }
        if let sqlState { facts["sqlState"] = .string(sqlState) }
        let message = value.map { "The limit \(which) of \($0) is reached." } ?? "There is no more \(which) for now."
        var error = ErrorCode.resourceExhausted.error(message, facts)
        error.retryAfterMs = retryAfterMs
        return error
    }
}

/// How the time of a call ran out.
struct Expiry: Sendable {
    /// The limit that was reached: the call's `timeoutMs`, or a limit of the daemon that `session.hello` lists.
    let limit: CallLimit
    /// Milliseconds since its line was read.
    let elapsedMs: Int64
    /// Whether it may have been carried out.
    var isUnknown = false
    /// Whether the process stood still before the line was read, so that the call may have waited longer than is known.
    var followsStandstill = false

    /// The limit that a call sets with `timeoutMs`.
    static func timeoutMs(_ value: Int64) -> CallLimit { CallLimit("timeoutMs", value) }

    fileprivate var rpcError: RPCError {
        let isOwn = limit.name == "timeoutMs"
        let whose = isOwn ? "the call's own timeoutMs" : "the daemon's limit \(limit.name)"
        var message = "The call was not done in time: \(whose) of \(limit.value) ms is over."
        if isUnknown {
            message = "The time of the call is over, \(whose) of \(limit.value) ms; whether it is done is not known."
        } else if followsStandstill {
            message = "The daemon stood still, and the call may have waited longer than \(whose) of \(limit.value) ms."
        }
        var error = ErrorCode.deadlineExceeded.error(
            message,
            [
                "limit": .string(limit.name), "value": .integer(limit.value), "elapsedMs": .integer(elapsedMs),
                "outcome": isUnknown ? "unknown" : "not_done",
            ]
        )
        guard followsStandstill, !isUnknown else { return error }
        // Nothing was done, and the time of a new call is not affected by the standstill.
        error.retryable = true
        error.retryAfterMs = 500
        return error
    }
}
