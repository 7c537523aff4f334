import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Starts and ends campaigns within a second of their times, and at once those that were due while no daemon ran. Beside
/// the tick, which may take long. Several daemons may serve one database: an advisory lock in it lets one of them work at
/// a time, and each is told of campaigns that another made.
struct CampaignKeeper: Service {
    /// Where the database tells of a campaign that was made, began or ended.
    static let channel = "pricing_campaign"

    private let database: Database
    private let logger: Logger
    private let waker = Waker()
    private let committed: @Sendable () -> Void

    init(database: Database, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.database = database
        self.logger = logger
        self.committed = committed
    }

    /// Computes anew when campaigns have something to do.
    func kick() {
        waker.wake()
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await waker.wait(until: await work())
            }
        }
    }

    /// Works until nothing is due. Returns when something is; nil if that depends on a `kick`.
    private func work() async -> ContinuousClock.Instant? {
        do throws(PostgresError) {
            while !Task.isCancelled {
                let step = try await database.pool.run { (session) throws(PostgresError) in
                    try session.one(DaemonStatements.campaignStep)
                }
                if step.hasWorked { committed() }
                if step.isIdle { break }
            }
            let seconds = try await database.pool.run { (session) throws(PostgresError) in
                try session.one(DaemonStatements.secondsToCampaign)
            }
            return seconds.isFinite ? .now + .seconds(min(seconds, 3600)) : nil
        } catch {
            if Task.isCancelled { return nil }
            logger.warning("campaigns could not be seen to; that is tried again", metadata: ["reason": "\(error)"])
            return .now + .milliseconds(500)
        }
    }
}
