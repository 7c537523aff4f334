import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Looks at the whole catalogue after prices moved, and halts automation when that cannot be meant; what it looks for
/// stands in `check_breaker`. At most one look a second, so that a storm of orders pays for few.
struct Breaker: Service {
    private static let pause = Duration.seconds(1)

    private let database: Database
    private let logger: Logger
    private let news: Waker
    private let committed: @Sendable () -> Void

    /// - Parameters:
    ///   - news: woken when events were numbered: prices may have moved.
    ///   - committed: told when it has halted automation, which is an event.
    init(database: Database, news: Waker, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.database = database
        self.news = news
        self.logger = logger
        self.committed = committed
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await news.wait()
                await check()
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func check() async {
        do throws(PostgresError) {
            let reason = try await database.pool.run { (session) throws(PostgresError) in
                try session.one(DaemonStatements.checkBreaker)
            }
            guard let reason else { return }
            logger.error("automation halted", metadata: ["reason": "\(reason)"])
            committed()
        } catch {
            if Task.isCancelled { return }
            logger.warning(
                "the breaker could not look; it looks again after the next price",
                metadata: ["reason": "\(error)"]
            )
        }
    }
}
