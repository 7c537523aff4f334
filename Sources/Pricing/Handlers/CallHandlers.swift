import Postgres
import PricingProtocol

/// Methods that are one SQL function each: the method's effect says how it is called.
struct CallHandlers: Sendable {
    let database: Database
    let feed: EventFeed
    let ticker: Ticker
    let keepers: [DueKeeper]
    let logins: LoginKeeper

    /// A handler for each method that no other set of handlers answers.
    func handlers(beside answered: Set<String>) -> [String: Dispatcher.Handler] {
        var handlers = AllMethods.byName.filter { !answered.contains($0.key) }.mapValues { method in
            method.effect == .write ? write : read
        }
        handlers["price.rollback"] = rollBack
        return handlers
    }

    private func read(_ context: CallContext) async throws(PricingFailure) -> Answer {
        try await database.read(context)
    }

    /// What was committed before the call has its number before the call begins, so that its caller has seen it. In a
    /// transaction of its own, also before a dry run: one that numbers holds the sequencer up until it ends.
    private func rollBack(_ context: CallContext) async throws(PricingFailure) -> Answer {
        _ = try await database.run(context.kept) { (session) throws(PostgresError) in
            try session.one(DaemonStatements.numberEvents)
        }
        return try await write(context)
    }

    private func write(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let answer = try await database.write(context)
        if !context.meta.isDryRun {
            feed.kick()
            if context.method.wakesTicker {
                ticker.kick()
                for keeper in keepers { keeper.kick() }
                logins.kick()
            }
        }
        return answer
    }
}
