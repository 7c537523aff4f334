import PricingProtocol
import RPCTransport
import ServiceLifecycle
import Synchronization

/// How many requests were answered, by their status.
final class RequestTally: Sendable {
    private let counts = Mutex<[Int: Int64]>([:])

    func add(_ status: Int) { counts.withLock { $0[status, default: 0] += 1 } }

    var byStatus: [(status: Int, count: Int64)] {
        counts.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}

/// The pages for programs that watch the gateway: `/metrics` for a collector, `/live` and `/ready` for a prober.
struct GatewayWatch: Service {
    private let server: WatchServer

    init(_ socket: ListeningSocket, _ site: Site) {
        server = WatchServer(
            socket: socket,
            pages: [
                "/metrics": { WatchPage(metrics: GatewayWatch.text(site)) }, "/live": { WatchPage(text: "live\n") },
                "/ready": {
                    site.daemon.awaySince == nil
                        ? WatchPage(text: "ready\n") : WatchPage(status: 503, text: "the daemon does not answer\n")
                },
            ],
            logger: site.logger
        )
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await server.run() }
    }

    private static func text(_ site: Site) -> String {
        var text = MetricsText()
        text.addProcess("pricing_web", version: Release.version)
        let isUp = site.daemon.awaySince == nil
        text.gauge("pricing_web_daemon_up", "1 while the daemon answers.", isUp ? 1 : 0)
        let name = "pricing_web_requests_total"
        text.describe(name, "counter", "Requests answered, by status; a stream counts when it is opened.")
        for (status, count) in site.requests.byStatus { text.sample(name, [("status", "\(status)")], "\(count)") }
        let figures = site.hub.figures
        text.gauge("pricing_web_streams", "Event streams open now.", Int64(figures.streams))
        text.gauge("pricing_web_people", "People with a subscription of their own.", Int64(figures.people))
        text.gauge("pricing_web_event_sequence", "The number of the last event taken.", figures.sequence)
        text.gauge("pricing_web_frames_total", "Frames made for streams.", figures.frames, type: "counter")
        text.gauge(
            "pricing_web_streams_dropped_total",
            "Streams cut off because their reader took too little.",
            figures.dropped,
            type: "counter"
        )
        return text.text
    }
}
