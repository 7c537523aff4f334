import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Restores the connection to the database after a connect has failed: starts a private cluster again, and tries to
/// connect until that succeeds. Calls do not wait for it: they get UNAVAILABLE at once.
struct DatabaseKeeper: Service {
    let pool: ConnectionPool
    /// The private cluster; nil for a configured server.
    let cluster: PrivateCluster?
    /// Woken when a connect has failed.
    let waker: Waker
    let logger: Logger
    /// Called when a connect has succeeded again.
    let broughtBack: @Sendable () -> Void

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await waker.wait()
                await bringBack()
            }
        }
    }

    private func bringBack() async {
        while !Task.isCancelled {
            await restartCluster()
            guard let pause = await pool.tryAgain() else { return broughtBack() }
            try? await Task.sleep(for: pause)
        }
    }

    private func restartCluster() async {
        do throws(PostgresError) {
            _ = try await cluster?.start()
        } catch {
            logger.error("the private cluster does not start", metadata: ["reason": "\(error)"])
        }
    }
}

/// Keeps the log of a private cluster's server short.
struct ServerLogKeeper: Service {
    let cluster: PrivateCluster
    let logger: Logger

    private static let period = Duration.seconds(60)

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(PostgresError) {
                    try await cluster.trimLog()
                } catch {
                    logger.warning("the server's log grows", metadata: ["reason": "\(error)"])
                }
                try? await Task.sleep(for: Self.period)
            }
        }
    }
}
