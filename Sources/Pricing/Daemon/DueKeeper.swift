import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Does what is due at times that the database keeps: campaigns start and end, quotes expire. Within a second of its time,
/// and at once what was due while no daemon ran. Beside the tick, which may take long. Several daemons may serve one
/// database: locks in it let each thing happen once, and each daemon is told of what another's callers made.
struct DueKeeper: Service {
    /// A kind of work.
    struct Work: Sendable {
        let name: String
        /// Where the database tells that a time came to be, or passed.
        let channel: String
        /// One short transaction of it.
        let step: Statement<DaemonStatements.DueStep>
        /// Seconds until something is due; infinite where nothing is to come.
        let seconds: Statement<Double>

        static let campaigns = Work(
            name: "campaigns",
            channel: "pricing_campaign",
            step: DaemonStatements.campaignStep,
            seconds: DaemonStatements.secondsToCampaign
        )
        static let quotes = Work(
            name: "quotes",
            channel: "pricing_quote",
            step: DaemonStatements.quoteStep,
            seconds: DaemonStatements.secondsToQuote
        )
    }

    let work: Work
    private let database: Database
    private let logger: Logger
    private let waker = Waker()
    private let committed: @Sendable () -> Void

    init(_ work: Work, database: Database, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.work = work
        self.database = database
        self.logger = logger
        self.committed = committed
    }

    /// Computes anew when something is due.
    func kick() {
        waker.wake()
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await waker.wait(until: await doDue())
            }
        }
    }

    /// Works until nothing is due. Returns when something is; nil if that depends on a `kick`.
    private func doDue() async -> ContinuousClock.Instant? {
        do throws(PostgresError) {
            while !Task.isCancelled {
                let step = try await database.pool.run { (session) throws(PostgresError) in
                    try session.one(work.step)
                }
                if step.hasWorked { committed() }
                if step.isIdle { break }
            }
            let seconds = try await database.pool.run { (session) throws(PostgresError) in
                try session.one(work.seconds)
            }
            return seconds.isFinite ? .now + .seconds(min(seconds, 3600)) : nil
        } catch {
            if Task.isCancelled { return nil }
            logger.warning("\(work.name) could not be seen to; that is tried again", metadata: ["reason": "\(error)"])
            return .now + .milliseconds(500)
        }
    }
}
