import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Runs the tick, which prices products again by time: at each full hour, when a pin ends, and at the start of the daemon.
/// Several daemons may serve one database: an advisory lock in it lets one tick run at a time.
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

    /// Computes anew when the next tick is due: it may be earlier after a pin was set, the clock was moved or a product
    /// failed.
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

    /// How many keys `expire_request_keys` deletes in one call.
    private static let keysAtOnce: Int64 = 10_000

    /// How soon products are tried again whose rows an order had locked: the end of a lock is not announced.
    private static let retryHeldRows = Duration.milliseconds(200)

    /// Ticks until nothing is due. Returns when the next tick is due; nil if that depends on a `kick`.
    private func tick() async -> ContinuousClock.Instant? {
        do throws(PostgresError) {
            var after: Int64? = 0
            var skipped: Int64 = 0
            while let start = after, !Task.isCancelled {
                let page = try await database.pool.run { (session) throws(PostgresError) in
                    try session.one(DaemonStatements.tick, [.int(start)])
                }
                committed()  // a page may have told something of products that it did not price
                skipped += page.skipped
                after = page.nextAfter
            }
            if skipped > 0 { return .now + Self.retryHeldRows }
            let (isClean, seconds) = try await database.pool.run { (session) throws(PostgresError) in
                let keys = try session.one(DaemonStatements.expireKeys)
                let hasExpired = try session.one(DaemonStatements.expireEvents)
                _ = try session.one(LoginStatements.expire)
                return (keys < Self.keysAtOnce && !hasExpired, try session.one(DaemonStatements.secondsToTick))
            }
            // There is more to delete, but products that are due meanwhile are priced first.
            guard isClean else { return .now }
            return seconds.isFinite ? .now + .seconds(min(seconds, 3600)) : nil
        } catch {
            if Task.isCancelled { return nil }
            logger.warning("the tick failed; it is tried again in a second", metadata: ["reason": "\(error)"])
            return .now + .seconds(1)
        }
    }
}
