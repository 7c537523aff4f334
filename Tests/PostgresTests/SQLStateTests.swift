import Postgres
import Testing

struct SQLStateTests {
    @Test
    func `A code matches itself and its class, and no other`() {
        #expect(SQLState.classDataException ~= SQLState("22P02"))
        #expect(SQLState.lockNotAvailable ~= SQLState("55P03"))
        #expect(!(SQLState.lockNotAvailable ~= SQLState("55006")))
        #expect(!(SQLState.classDataException ~= SQLState("23505")))
        #expect(!(SQLState.classDataException ~= Optional<SQLState>.none))
        switch SQLState("22003") {
        case .classDataException: break
        default: Issue.record("a number out of range is a data exception")
        }
    }

    @Test
    func `A description shows kind, code, constraint and statement, and never a server's words`() {
        var error = PostgresError(.server, "Key (email)=(a@b.c) already exists", sqlState: "23505")
        error.constraint = "app_user_email_key"
        error.detail = "secret"
        error.statement = "add_user"
        #expect(error.description == "postgres server 23505 constraint app_user_email_key in add_user")
        let ours = PostgresError(.poolExhausted, "8 connections busy", outcomeUnknown: true)
        #expect(ours.description == "postgres poolExhausted (outcome unknown): 8 connections busy")
    }
}
