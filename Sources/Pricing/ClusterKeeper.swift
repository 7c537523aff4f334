import Logging
import Postgres
import ServiceLifecycle

/// Starts the private cluster again when a connect has failed. Callers do not wait for it: they get UNAVAILABLE at once.
final class ClusterKeeper: Service {
    private let cluster: PrivateCluster
    private let logger: Logger
    private let waker = Waker()

    init(cluster: PrivateCluster, logger: Logger) {
        self.cluster = cluster
        self.logger = logger
    }

    /// The server cannot be reached.
    func kick() {
        waker.wake()
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            while true {
                await self.waker.sleep(until: nil)
                if Task.isCancelled { return }
                await self.restart()
            }
        }
    }

    private func restart() async {
        do throws(PostgresError) {
            _ = try await cluster.start()
        } catch {
            logger.error("the private cluster does not start", metadata: ["reason": "\(error)"])
        }
    }
}
