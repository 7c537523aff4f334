import Postgres

/// What PostgreSQL's SQLSTATEs mean to the caller. It is defined here alone.
///
/// | states | to the caller |
/// |---|---|
/// | `PR…` | raised by our PL/pgSQL code: the error of the registry with these digits |
/// | 22, 23 | INVALID_PARAMS if the constraint or the quoted value belongs to a parameter of the call; else INTERNAL |
/// | 40001, 40P01, 55P03 | conflict with another transaction: run again, finally RESOURCE_EXHAUSTED (`lockMs`) |
/// | 53 | RESOURCE_EXHAUSTED: `disk`, `memory`, `connections`, `configuration`, else `database`; nothing was done |
/// | 08, 25006, 57 but 57014 | UNAVAILABLE; the server starts, stops or is no primary |
/// | 42883 | UNAVAILABLE: another version of pricingd has replaced the functions, and this one is about to end |
/// | 57014 | our own cancel: CANCELLED; a limit of time: DEADLINE_EXCEEDED; a cancel by another session: UNAVAILABLE |
/// | all others | INTERNAL with an incidentId: the fault is ours, or the server's |
enum SQLStateTable {
    enum Meaning: Equatable, Sendable {
        /// A value did not fit; `CallerValue` finds out which.
        case value
        case contention
        case shortage(_ which: String)
        case outage
        /// The statement was cancelled; `Database.failure` finds out why.
        case cancelled
        case fault
    }

    /// By full SQLSTATE or by class; the full one goes first. A state that is not listed is a fault.
    static let meanings: [String: Meaning] = [
        "08": .outage, "22": .value, "23": .value, "25006": .outage,
        "42883": .outage,
        "40001": .contention, "40P01": .contention, "55P03": .contention,
        "53": .shortage("database"), "53100": .shortage("disk"), "53200": .shortage("memory"),
        "53300": .shortage("connections"), "53400": .shortage("configuration"),
        "57": .outage, "57014": .cancelled,
    ]

    static func meaning(of state: SQLState) -> Meaning {
        meanings[state.code] ?? meanings[String(state.code.prefix(2))] ?? .fault
    }
}

extension PostgresError {
    /// Whether it is a conflict with other transactions, so that the same call may succeed when it is run again.
    var isContention: Bool { meaning == .contention }

    /// The meaning of its SQLSTATE; nil without one.
    var meaning: SQLStateTable.Meaning? { sqlState.map { SQLStateTable.meaning(of: $0) } }

    /// Whether the server lacks something or is unavailable, so that the next call would fail too.
    var isStorm: Bool {
        switch meaning {
        case .shortage, .outage: true
        case .value, .contention, .cancelled, .fault, nil: false
        }
    }
}
