import Postgres
import Testing

struct SQLStateTests {
    @Test
    func `A code matches itself and its class, and no other`() {
        #expect(SQLState.classIntegrityConstraint ~= SQLState.uniqueViolation)
        #expect(SQLState.uniqueViolation ~= SQLState("23505"))
        #expect(!(SQLState.uniqueViolation ~= SQLState.checkViolation))
        #expect(!(SQLState.classIntegrityConstraint ~= SQLState.deadlockDetected))
        #expect(SQLState.classTransactionRollback ~= SQLState.deadlockDetected)
        #expect(!(SQLState.classIntegrityConstraint ~= Optional<SQLState>.none))
        switch SQLState("23514") {
        case .classIntegrityConstraint: break
        default: Issue.record("a check violation is an integrity violation")
        }
    }

    @Test
    func `A description shows kind, code, constraint and statement, and never a server's words`() {
        var error = PostgresError(.server, "Key (email)=(a@b.c) already exists", sqlState: .uniqueViolation)
        error.constraint = "app_user_email_key"
        error.detail = "secret"
        error.statement = "add_user"
        #expect(error.description == "postgres server 23505 constraint app_user_email_key in add_user")
        let ours = PostgresError(.poolExhausted, "8 connections busy", outcomeUnknown: true)
        #expect(ours.description == "postgres poolExhausted (outcome unknown): 8 connections busy")
    }
}
