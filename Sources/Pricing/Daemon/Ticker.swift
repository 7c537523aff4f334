import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Runs the tick: when an hour begins, when a pin ends, and once at the start. Several daemons may run it; an advisory
/// lock in the database lets one tick at a time.
struct Ticker: Service {
    private let database: Database
    private let logger: Logger
    private let waker = Waker()
    private let committed: @Sendable () -> Void

    init(database: Database, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.database = database
        self.logger = logger
        self.committed = committed
    }

    /// A pin was set, the clock moved or a product failed: the next tick may be due earlier.
    func kick() {
        waker.wake()
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await waker.wait(until: await tick())
            }
        }
    }

    /// What `expire_request_keys` forgets at once.
    private static let keysAtOnce: Int64 = 10_000

    /// Nobody tells when a row is let go that an order held while its page passed.
    private static let retryHeldRows = Duration.milliseconds(200)

    /// Ticks until nothing is due; when something will be, nil for not before a kick.
    private func tick() async -> ContinuousClock.Instant? {
        do throws(PostgresError) {
            var after: Int64? = 0
            var skipped: Int64 = 0
            while let start = after, !Task.isCancelled {
                let page = try await database.pool.run { (session) throws(PostgresError) in
                    try session.one(DaemonStatements.tick, [.int(start)])
                }
                if page.evaluated + page.failed > 0 { committed() }
                skipped += page.skipped
                after = page.nextAfter
            }
            if skipped > 0 { return .now + Self.retryHeldRows }
            let (isClean, seconds) = try await database.pool.run { (session) throws(PostgresError) in
                let keys = try session.one(DaemonStatements.expireKeys)
                let hasExpired = try session.one(DaemonStatements.expireEvents)
                return (keys < Self.keysAtOnce && !hasExpired, try session.one(DaemonStatements.secondsToTick))
            }
            // What is due is priced before more is cleared away.
            guard isClean else { return .now }
            return seconds.isFinite ? .now + .seconds(min(seconds, 3600)) : nil
        } catch {
            if Task.isCancelled { return nil }
            logger.warning("the tick failed; it is tried again in a second", metadata: ["reason": "\(error)"])
            return .now + .seconds(1)
        }
    }
}
