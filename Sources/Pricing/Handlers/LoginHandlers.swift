import JSON
import JSONRPC
import Postgres
import PricingProtocol
import RPCTransport

/// Logins: opened at a pace that all daemons of a database keep together, looked at and closed.
struct LoginHandlers: Sendable {
    let database: Database
    let gates: CallGates

    var handlers: [String: Dispatcher.Handler] {
        [
            "login.open": { context async throws(PricingFailure) in try await open(context) },
            "login.get": { context async throws(PricingFailure) in try await database.read(Self.withOwn(context)) },
            "login.list": { context async throws(PricingFailure) in try await database.read(Self.withOwn(context)) },
            "login.close": { context async throws(PricingFailure) in try await close(context) },
            "user.changePassword": { context async throws(PricingFailure) in try await changePassword(context) },
        ]
    }

    /// The pace comes before the queue of password checks, so that guesses beyond it keep nobody waiting.
    private func open(_ context: CallContext) async throws(PricingFailure) -> Answer {
        var params = context.params
        if params["address"] == nil { params["address"] = .string("uid:\(context.call.peer.uid)") }
        try await keepPace(params["email"]?.string ?? "", params["address"]?.string ?? "", context)
        let opening = context.with(params)
        return try await gates.pass(.passwordChecks, context) { () async throws(PricingFailure) in
            try await database.write(opening)
        }
    }

    /// Under a login the old password is guessed at the same pace.
    private func changePassword(_ context: CallContext) async throws(PricingFailure) -> Answer {
        if let person = context.caller.person {
            try await keepPace(person.email, "login \(person.loginID)", context)
        }
        return try await database.write(context)
    }

    /// Counts an attempt, for good: in a transaction of its own, also before a dry run.
    private func keepPace(_ email: String, _ address: String, _ context: CallContext) async throws(PricingFailure) {
        let (most, mostOfAccount) = (CallLimit.loginAttempts, CallLimit.loginAttemptsByAccount)
        let wait = try await database.run(context.kept, isRepeatable: false) { (session) throws(PostgresError) in
            try session.one(
                LoginStatements.beginAttempt,
                [.text(email), .text(address), .int(most.value), .int(mostOfAccount.value)]
            )
        }
        guard wait == 0 else { throw .exhausted(Shortage(most, retryAfterMs: Int(clamping: wait))) }
    }

    /// A token proves that the login is its holder's; without one people close their own, and the staff any.
    private func close(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let caller = context.caller
        let names = context.params["loginId"] ?? context.params["userId"]
        if names != nil, caller.role == nil, caller.person == nil {
            throw .refused(
                .permissionDenied,
                message: nil,
                facts: [
                    "needRole": .string(context.method.role.rawValue), "haveRole": .string(caller.audience.rawValue),
                ]
            )
        }
        return try await database.write(Self.withOwn(context))
    }

    /// What the functions know of the call's own login, and of whom alone it may name.
    private static func withOwn(_ context: CallContext) -> CallContext {
        guard let person = context.caller.person else { return context }
        var params = context.params
        params["ownLogin"] = .integer(person.loginID)
        if context.caller.audience != .staff { params["owner"] = .integer(person.userID) }
        return context.with(params)
    }
}
