import Postgres

/// Why the database refused a statement, or one call or row of a batch: there a function of ours has caught the error, and
/// returns it beside the others' answers.
struct Refusal: Sendable, Equatable {
    let state: SQLState
    /// May hold values.
    let message: String
    /// May hold values; what PL/pgSQL raises by itself has JSON there.
    let detail: String?
    /// The name of the constraint that a value broke.
    let constraint: String?

    /// - Parameter constraint: empty, as PL/pgSQL gives it, when there is none.
    init(state: SQLState, message: String, detail: String?, constraint: String?) {
        self.state = state
        self.message = message
        self.detail = detail
        self.constraint = constraint.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What the server said of a whole statement; nil when it said nothing.
    init?(_ error: PostgresError) {
        guard error.kind == .server, let state = error.sqlState else { return nil }
        self.init(state: state, message: error.message, detail: error.detail, constraint: error.constraint)
    }
}

/// What a call failed with by no fault of its caller.
enum Fault: Sendable, CustomStringConvertible {
    case error(PostgresError)
    case refusal(Refusal)

    /// For logs at debug level: may hold values.
    var message: String {
        switch self {
        case .error(let error): error.message
        case .refusal(let refusal): refusal.message
        }
    }

    /// Holds no values.
    var description: String {
        switch self {
        case .error(let error): error.description
        case .refusal(let refusal):
            "refused with \(refusal.state.code)" + (refusal.constraint.map { " constraint \($0)" } ?? "")
        }
    }
}
