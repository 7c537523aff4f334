import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Checks the whole catalogue after prices moved, and halts automation when the change looks like a mistake; the
/// conditions are in `check_breaker`. It runs at most once a second, so that many orders cost few checks.
struct Breaker: Service {
    private static let pause = Duration.seconds(1)

    private let database: Database
    private let logger: Logger
    private let news: Waker
    private let committed: @Sendable () -> Void

    /// - Parameters:
    ///   - news: woken when events were numbered, since prices may have moved then.
    ///   - committed: called when it has halted automation, which is an event.
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
                "the breaker could not check the prices; it checks again after the next change",
                metadata: ["reason": "\(error)"]
            )
        }
    }
}
