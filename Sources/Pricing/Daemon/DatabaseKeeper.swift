import Logging
import Postgres
import ServiceLifecycle
import Waking

/// Brings the database back after a connect has failed: starts a private cluster again, and connects anew until a
/// connection stands. Callers do not wait for it: they get UNAVAILABLE at once.
struct DatabaseKeeper: Service {
    let pool: ConnectionPool
    /// Our own cluster; nil for a configured server.
    let cluster: PrivateCluster?
    /// Woken when a connect has failed.
    let waker: Waker
    let logger: Logger
    /// Told when a connection stands again.
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
