import Postgres
import PricingProtocol

/// The SQL of logins beside the calls' own functions.
enum LoginStatements {
    /// The person of a token; none when its login has ended, or never was.
    static let find = Statement<Caller.Person>(
        "find_login",
        "select login_id, user_id, email, role from find_login($1)"
    ) { row throws(PostgresError) in
        Caller.Person(
            loginID: try row.int(0),
            userID: try row.int(1),
            email: try row.text(2),
            role: PersonRole(rawValue: try row.text(3)) ?? .customer
        )
    }

    static let refuseOthers = Statement.none("refuse_others", "select refuse_others($1, $2)")

    /// Counts an attempt to sign in: 0, or the milliseconds until one is allowed again.
    static let beginAttempt = Statement.int("begin_login_attempt", "select begin_login_attempt($1, $2, $3, $4)")

    /// A login that has not ended, and in how many seconds it will, unless it is used.
    struct Living: Sendable {
        let loginID: Int64
        let seconds: Double
    }

    static let living = Statement<Living>("living_logins", "select login_id, seconds from living_logins($1)") {
        row throws(PostgresError) in Living(loginID: try row.int(0), seconds: try row.doubleIfPresent(1) ?? .infinity)
    }

    static let expire = Statement.int("expire_logins", "select expire_logins()")
}
