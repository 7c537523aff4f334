import JSON
import JSONRPC
import Postgres
import PricingProtocol
import RPCTransport

/// Looks up whose login a call carries, and whose things it names. Nothing is kept here, so that a login that was ended on
/// one daemon has ended on all.
struct LoginDesk: Sendable {
    let database: Database

    /// The person of a token. Its use is written down at most once a minute.
    func person(of token: String, _ cancellation: Cancellation) async throws(PricingFailure) -> Caller.Person {
        let cancel = StatementCancel()
        let registration = cancellation.onCancel { cancel.cancel() }
        defer { cancellation.remove(registration) }
        let found: Caller.Person?
        do throws(PostgresError) {
            found = try await Retry.run(limit: { $0.isContention || $0.kind == .connectionLost ? 2 : 0 }) {
                () async throws(PostgresError) in
                try await database.pool.run(cancel: cancel) { (session) throws(PostgresError) in
                    try session.first(LoginStatements.find, [.text(token)])
                }
            }
        } catch {
            throw cancellation.isCancelled ? .cancelled : PricingFailure(error)
        }
        guard let found else { throw .refused(.loginExpired, message: nil, facts: [:]) }
        return found
    }

    /// Refuses a customer's call that names what is another's, as if it were not there.
    func refuseOthers(_ context: CallContext, _ customer: Int64) async throws(PricingFailure) {
        let params = context.params.serialized()
        _ = try await database.run(context.kept) { (session) throws(PostgresError) in
            try session.run(LoginStatements.refuseOthers, [.json(params), .int(customer)])
        }
    }
}

extension CallContext {
    /// The admission limit that it waits at. To make a password's hash costs as much as to check one, and those who are
    /// not of the staff are many.
    var gate: CallGate? {
        method.gate ?? (!caller.audience.isStaff && method.setsPassword(params) ? .passwordChecks : nil)
    }
}
