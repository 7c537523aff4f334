import Logging
import Postgres
import ServiceLifecycle

/// Runs the tick: when an hour begins, when a pin ends, and once at the start. Several daemons may run it; an advisory
/// lock in the database lets one tick at a time.
struct Ticker: Service {
    private let database: Database
    private let logger: Logger
    private let signal: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let committed: @Sendable () -> Void

    init(database: Database, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.database = database
        self.logger = logger
        self.committed = committed
        (signal, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// A pin was set or the clock moved: the next tick may be due earlier.
    func kick() {
        wake.yield()
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await wait(seconds: await tick())
            }
        }
    }

    /// Ticks until nothing is due; the seconds until something is.
    private func tick() async -> Double {
        do throws(PostgresError) {
            while !Task.isCancelled {
                let moved = try await database.pool.run { (session) throws(PostgresError) in
                    try session.one(DaemonStatements.tick)
                }
                if moved == 0 { break }
                committed()
            }
            return try await database.pool.run { (session) throws(PostgresError) in
                try session.run(DaemonStatements.expireKeys)
                return try session.one(DaemonStatements.secondsToTick)
            }
        } catch {
            logger.warning("the tick failed; it is tried again in a second", metadata: ["reason": "\(error)"])
            return 1
        }
    }

    /// Waits so long, or until a kick.
    private func wait(seconds: Double) async {
        await withTaskGroup(of: Void.self) { group in
            if seconds.isFinite {
                group.addTask { try? await Task.sleep(for: .seconds(min(seconds, 3600))) }
            }
            group.addTask {
                for await _ in signal { return }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
