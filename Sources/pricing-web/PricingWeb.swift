import ArgumentParser
import Glibc
import Hummingbird
import HummingbirdCore
import JSON
import Logging
import NIOCore
import PricingProtocol
import RPCTransport
import ServiceLifecycle
import Synchronization
import UnixSignals

/// `pricing-web`: the store, the dashboard and the HTTP interface, one more client of the daemon's socket.
@main
struct PricingWeb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pricing-web",
        abstract: "Serves the store, the admin dashboard and an HTTP interface of the pricing daemon.",
        version: Release.version
    )

    @Option(help: "The daemon's socket; else $PRICINGD_SOCKET and the usual places.")
    var socket: String?

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes any that is free.")
    var port = 8080

    @Option(help: "What people's browsers call this site, such as https://shop.example, behind a proxy.")
    var origin: String?

    @Option(help: "A further host, with its port, that requests may name; may be given again.")
    var allowHost: [String] = []

    @Option(help: "A proxy's address or CIDR range, whose X-Forwarded-For is believed; may be given again.")
    var trustedProxy: [String] = []

    @Option(help: "Read styles and scripts from this folder at each request, while working on them.")
    var assets: String?

    @Option(help: "How many event streams at a time.")
    var streams = 2000

    @Option(help: "How many event streams at a time from one address.")
    var streamsPerAddress = 8

    @Option(help: "Seconds after which a reader is cut off that takes nothing of its stream.")
    var silence = 30

    @Option(help: "Answer GET /metrics, /live and /ready over HTTP on this Unix socket.")
    var metricsSocket: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is from 0 to 65535") }
        guard (1...3600).contains(silence) else { throw ValidationError("--silence is from 1 to 3600") }
        guard TrustedProxies(trustedProxy) != nil else {
            throw ValidationError("--trusted-proxy takes an address or a range such as 10.0.0.0/8")
        }
        if let origin, origin.hasSuffix("/") || !(origin.hasPrefix("http://") || origin.hasPrefix("https://")) {
            throw ValidationError("--origin is a scheme and a host, such as https://shop.example")
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "pricing-web")
        logger.logLevel = .warning
        let hub = EventHub(most: streams, mostPerAddress: streamsPerAddress, silence: .seconds(silence))
        let link = DaemonLink(
            socket: SocketPath.ofServer(explicit: socket),
            begin: { client in try await Feed.subscribe(client, hub) },
            received: { hub.take($0.method, $0.params) },
            changed: { hub.daemonChanged(awaySince: $0) }
        )
        let origins = Origins(host: host, port: port, origin: origin, allowed: allowHost)
        let site = Site(
            daemon: link,
            reads: SharedRead(link, hub),
            hub: hub,
            assets: Assets(folder: assets),
            isSecure: origins.isSecure,
            proxies: TrustedProxies(trustedProxy) ?? .none,
            logger: logger
        )
        let watch = try metricsSocket.map { GatewayWatch(try ListeningSocket(path: $0), site) }
        let host = host
        let app = Application(
            responder: Gate(origins: origins, routes: .all(site), site: site),
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: .init(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections)
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                origins.port.store(port, ordering: .relaxed)
                PricingWeb.announce("http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
            },
            logger: logger
        )
        // Ended from the last to the first: streams, then the server, then the link that its calls need, and who watches.
        let watching: [any Service] = watch.map { [$0] } ?? []
        let group = ServiceGroup(
            configuration: .init(
                services: watching + [link, app, Feed(hub: hub, daemon: link)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }

    /// Whoever comes beyond them waits at the socket until another goes. Some descriptors stay free for all else: Swift's
    /// thread pool ends a process that has none left under load.
    private static var mostConnections: Int {
        let descriptors = sysconf(Int32(_SC_OPEN_MAX))
        return descriptors - min(96, descriptors / 2)
    }

    /// The one line on stdout: browsers may come now.
    private static func announce(_ address: String) {
        let ready: JSONObject = ["ready": true, "address": .string(address), "pid": .integer(Int64(getpid()))]
        var line = (ready.serialized() + [UInt8(ascii: "\n")])[...]
        while !line.isEmpty {
            let written = unsafe line.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else { return }
            line = line.dropFirst(max(0, written))
        }
    }
}
