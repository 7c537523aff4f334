import Logging
import Postgres
import RPCTransport
import ServiceLifecycle

/// The pages for programs that watch the daemon: `/metrics` for a collector, `/live` and `/ready` for a prober.
struct WatchPages: Sendable {
    let metrics: MetricsHandlers
    let deadlines: DeadlineWatch

    var byPath: [String: WatchServer.Answer] {
        ["/metrics": metricsPage, "/live": { WatchPage(text: "live\n") }, "/ready": ready]
    }

    /// How long the database has to answer before the daemon counts as not ready.
    private static let readyTime = Duration.seconds(2)

    @Sendable private func metricsPage() async -> WatchPage {
        WatchPage(metrics: await metrics.text())
    }

    /// Whether a call would be answered now.
    @Sendable private func ready() async -> WatchPage {
        guard metrics.server.server?.isDraining == false else { return WatchPage(status: 503, text: "draining\n") }
        let cancel = StatementCancel()
        let watched = deadlines.add(.now + Self.readyTime) { cancel.cancel() }
        defer { deadlines.remove(watched) }
        do throws(PostgresError) {
            _ = try await metrics.database.pool.run(cancel: cancel) { (session) throws(PostgresError) in
                try session.one(DaemonStatements.schemaVersion)
            }
            return WatchPage(text: "ready\n")
        } catch {
            return WatchPage(status: 503, text: "the database does not answer\n")
        }
    }
}

/// Serves the pages as long as the daemon runs; ends after all else, so that a drain can be watched.
struct WatchService: Service {
    private let server: WatchServer

    init(_ socket: ListeningSocket, _ pages: [String: WatchServer.Answer], _ logger: Logger) {
        server = WatchServer(socket: socket, pages: pages, logger: logger)
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            server.shutdown()
        }
    }
}
