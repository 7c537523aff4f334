import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Ends the subscriptions of a login within a second of its end. It is told when a login is closed, or a password or role
/// has changed, and wakes by itself when the next one runs out.
final class LoginKeeper: Service {
    /// Where the database tells that a login was ended.
    static let channel = "pricing_login"

    private let database: Database
    private let feed: EventFeed
    private let logger: Logger
    private let waker = Waker()

    init(database: Database, feed: EventFeed, logger: Logger) {
        self.database = database
        self.feed = feed
        self.logger = logger
    }

    /// A login may have ended, or a subscription has begun under one.
    func kick() {
        waker.wake()
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.waker.wait(until: await self.look())
            }
        }
    }

    /// Returns when the next login runs out unless it is used; nil if nothing does.
    private func look() async -> ContinuousClock.Instant? {
        let logins = feed.logins
        guard !logins.isEmpty else { return nil }
        do throws(PostgresError) {
            let living = try await database.pool.run { (session) throws(PostgresError) in
                try session.all(LoginStatements.living, [.intArray(Array(logins))])
            }
            feed.endAll(of: logins.subtracting(living.map(\.loginID)))
            let next = living.map(\.seconds).min() ?? .infinity
            return next.isFinite ? .now + .seconds(max(0.1, min(next, 3600))) : nil
        } catch {
            if Task.isCancelled { return nil }
            logger.warning("logins cannot be looked at; that is tried again", metadata: ["reason": "\(error)"])
            return .now + .milliseconds(500)
        }
    }
}
