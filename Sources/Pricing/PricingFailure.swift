import JSONRPC
import Postgres
import PricingProtocol

/// Why a deed was not done, in the words of the domain.
enum PricingFailure: Error, Sendable {
    /// An error of the registry, with its sentence and facts.
    case refused(ErrorCode, message: String?, facts: JSONObject)
    /// The caller cancelled it.
    case cancelled
    /// Its time ran out after so many milliseconds.
    case deadline(elapsedMs: Int64)
    /// The database could not be reached; when it had been sent, whether it was done is unknown.
    case unavailable(sqlState: String?, isUnknown: Bool)
    /// Every connection is busy and the queue is full.
    case exhausted
    /// Somebody else held a row for as long as a call waits for it; nothing was done.
    case contended
    /// A fault of ours.
    case fault(PostgresError)

    /// A refusal by the database as a domain error: by its own SQLSTATE (`PR` and the wire code's digits), or by the
    /// name of the constraint that it broke.
    init(_ error: PostgresError) {
        switch error.kind {
        case .connectionFailed, .connectionLost, .closed:
            self = .unavailable(sqlState: error.sqlState?.code, isUnknown: error.outcomeUnknown)
        case .poolExhausted: self = .exhausted
        case .server where error.isContention: self = .contended
        case .server: self = PricingFailure.refusal(error) ?? .fault(error)
        default: self = .fault(error)
        }
    }

    /// Whether it answers the deed itself, so that an earlier try was not carried out either.
    var isDefinite: Bool {
        if case .refused = self { return true }
        return false
    }

    /// This loss of a connection after an earlier one of the same call: what was unknown stays unknown.
    func after(_ earlier: PricingFailure?) -> PricingFailure {
        if case .unavailable(_, isUnknown: true)? = earlier, case .unavailable(let state, _) = self {
            return .unavailable(sqlState: state, isUnknown: true)
        }
        return self
    }

    /// The error as a peer sees it. A fault keeps its facts to itself and gives the incident's id.
    func rpcError(incidentID: @autoclosure () -> String) -> RPCError {
        switch self {
        case .refused(let code, let message, let facts): return code.error(message, facts)
        case .cancelled: return ErrorCode.cancelled.error()
        case .deadline(let elapsed):
            return ErrorCode.deadlineExceeded.error(nil, ["elapsedMs": .integer(elapsed)])
        case .unavailable(let state, let isUnknown):
            var error = ErrorCode.unavailable.error(
                nil,
                [
                    "dependency": "postgresql", "sqlState": state.map { .string($0) } ?? .null,
                    "outcome": isUnknown ? "unknown" : "not_done",
                ]
            )
            error.retryAfterMs = 100
            return error
        case .exhausted:
            return .resourceExhausted(which: "databaseQueue", value: 4096, retryAfterMs: 100)
        case .contended:
            return .resourceExhausted(
                which: "lockTimeoutMs",
                value: Int(Database.lockTimeoutMs),
                retryAfterMs: 100
            )
        case .fault: return .internalError(incidentID: incidentID())
        }
    }

    private static func refusal(_ error: PostgresError) -> PricingFailure? {
        guard let state = error.sqlState else { return nil }
        if let code = protocolStates[state.code] ?? domainCode(state.code) {
            let facts = error.detail.flatMap { try? JSONParser.parse(Array($0.utf8)).object } ?? [:]
            return .refused(code, message: error.message, facts: facts)
        }
        if let constraint = error.constraint, let answer = constraints[constraint] {
            return answer.failure
        }
        if SQLState.classIntegrityConstraint ~= state || SQLState.classDataException ~= state {
            return Answer.violation("", "refused", "the database refuses a value").failure
        }
        return nil
    }

    private static func domainCode(_ state: String) -> ErrorCode? {
        guard state.hasPrefix("PR"), let code = Int(state.dropFirst(2)) else { return nil }
        return ErrorCode.domain(code)
    }

    /// The database's own states for errors of the protocol.
    static let protocolStates: [String: ErrorCode] = [
        "PR009": .idempotencyConflict, "PR602": .invalidParams, "PR903": .internalError,
    ]

    /// What a broken constraint means to the caller.
    private enum Answer {
        case code(ErrorCode)
        case violation(_ path: String, _ rule: String, _ message: String)

        var failure: PricingFailure {
            switch self {
            case .code(let code): return .refused(code, message: nil, facts: [:])
            case .violation(let path, let rule, let message):
                let violation = Violation(path: path, rule: rule, message: message)
                return .refused(.invalidParams, message: nil, facts: ["violations": [violation.json]])
            }
        }
    }

    /// Constraints that a call can break. Every other one is a value that the validator should have refused.
    private static let constraints: [String: Answer] = [
        "app_user_email_key": .code(.emailTaken),
        "app_user_phone_number_key": .code(.phoneTaken),
        "product_category_fkey": .code(.categoryNotFound),
        "product_supplier_fkey": .code(.supplierNotFound),
        "product_rule_fkey": .code(.ruleNotFound),
        "customer_order_customer_fkey": .code(.userNotFound),
        "category_name_key": .violation("/name", "unique", "there is a category of this name"),
        "category_name_fold_key": .violation("/name", "unique", "there is a category of this name"),
        "supplier_tax_number_fold_key": .violation("/taxNumber", "unique", "there is a supplier with this number"),
        "supplier_tax_number_key": .violation("/taxNumber", "unique", "there is a supplier with this number"),
        "app_user_email_shape": .violation("/email", "format", "must look like name@host"),
        "app_user_phone_shape": .violation("/phoneNumber", "format", "must be a telephone number"),
        "product_limits_ordered": .violation("/ceiling", "order", "floor must not exceed ceiling"),
        "product_levels_ordered": .violation("/highStock", "order", "must exceed lowStock by 3 or more"),
        "product_season_ordered": .violation("/seasonEnd", "order", "must come with, and after, seasonStart"),
        "product_season_profile_shape": .violation(
            "/seasonProfile",
            "season",
            "needs a seasonEnd and at least one weight above zero"
        ),
        "rule_never_up_markdown": .violation("/parameters/neverUp", "strategy", "is for the strategy markdown"),
        "rule_tick_seconds_range": .violation("/parameters/tickSeconds", "choice", "must be 3600, 21600 or 86400"),
        "rule_band_stock_range": .violation("/parameters/bandStock", "order", "must be at least bandTick, at most 1"),
        "rule_price_offset_range": .violation("/parameters/priceOffset", "order", "must be below priceStep"),
        "stock_movement_quantity_not_zero": .violation("/quantity", "not zero", "must not be zero"),
    ]
}

extension PostgresError {
    /// Whether other transactions stood in the way, so that the same call may succeed when it is run again.
    var isContention: Bool {
        sqlState == .serializationFailure || sqlState == .deadlockDetected || sqlState == .lockNotAvailable
    }
}
