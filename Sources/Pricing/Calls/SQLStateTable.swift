import Postgres

/// What an SQLSTATE of PostgreSQL's says to the caller of the call that met it. The one place that knows.
///
/// | states | to the caller |
/// |---|---|
/// | `PR…` | what PL/pgSQL raised by itself: the error of the registry that has these digits |
/// | 22, 23 | INVALID_PARAMS at a member of this very call where the constraint or the quoted value is that member's; else INTERNAL |
/// | 40001, 40P01, 55P03 | another transaction stood in the way: run again, at last RESOURCE_EXHAUSTED (`lockMs`) |
/// | 53 | RESOURCE_EXHAUSTED: `disk`, `memory`, `connections`, `configuration`, else `database`; nothing was done |
/// | 08, 25006, 57 but 57014 | UNAVAILABLE; the server goes, comes, or is no primary |
/// | 42883 | UNAVAILABLE: another version of pricingd has made the functions anew, and this one is about to end |
/// | 57014 | our own cancel: CANCELLED; a limit of time: DEADLINE_EXCEEDED; somebody else's cancel: UNAVAILABLE |
/// | all others | INTERNAL with an incidentId: the fault is ours, or the server's |
enum SQLStateTable {
    enum Meaning: Equatable, Sendable {
        /// A value did not fit; whose, has to be found out.
        case value
        case contention
        case shortage(_ which: String)
        case outage
        /// The statement was cancelled; by whom, has to be found out.
        case cancelled
        case fault
    }

    /// By whole state or by class; the longer one counts. What is not listed is a fault.
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
    /// Whether other transactions stood in the way, so that the same call may succeed when it is run again.
    var isContention: Bool { meaning == .contention }

    /// What its SQLSTATE says; nil without one.
    var meaning: SQLStateTable.Meaning? { sqlState.map { SQLStateTable.meaning(of: $0) } }

    /// Whether the server itself lacks something, so that the next call would meet the same.
    var isStorm: Bool {
        switch meaning {
        case .shortage, .outage: true
        case .value, .contention, .cancelled, .fault, nil: false
        }
    }
}
