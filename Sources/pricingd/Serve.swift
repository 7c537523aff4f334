import ArgumentParser
import Glibc
import JSON
import JSONRPC
import Logging
import Postgres
import Pricing
import PricingProtocol
import RPCTransport

/// `pricingd [serve]`: runs the daemon until SIGTERM or SIGINT, or on stdio until the end of input.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the daemon (the default).")

    @OptionGroup var options: CommonOptions

    @Option(help: "Where to listen; without it $PRICINGD_SOCKET and the usual folders: see the page Operating.")
    var socket: String?

    @Option(
        help: "A PostgreSQL URL of the standbys that reports are read from; the primary answers what they cannot."
    )
    var reportsUrl: String?

    @Option(help: "How old a standby's data may be, in seconds.")
    var reportsMaxAge: Int = 30

    @Flag(help: "Serve one peer on stdin and stdout instead of a socket.")
    var stdio = false

    @Option(help: "Members of this group may do everything, as root may.")
    var adminGroup: String?

    @Option(help: "Members of this group may change prices and stock.")
    var operatorGroup: String?

    @Option(help: "Members of this group may look.")
    var viewerGroup: String?

    @Option(
        help: "Members of this group act for signed-in people, as pricing-web does, and have no rights of their own."
    )
    var gatewayGroup: String?

    @Option(help: "Keep every connection's lines in this folder, a file a connection, without passwords.")
    var mirrorDir: String?

    @Option(
        help: "Keep the private cluster's log in this folder, so that pricingd restore --to goes back to any moment."
    )
    var archiveDir: String?

    @Option(help: "Answer GET /metrics, /live and /ready over HTTP on this Unix socket.")
    var metricsSocket: String?

    @Option(help: "NAME=VALUE, one of the limits that session.hello lists; may be given again.")
    var limit: [String] = []

    func validate() throws {
        _ = try limits()
        if let reportsUrl { try DatabaseChoice.validate(url: reportsUrl, of: "--reports-url") }
        guard (1...86_400).contains(reportsMaxAge) else { throw ValidationError("--reports-max-age is 1 to 86400") }
        if stdio, socket != nil { throw ValidationError("--socket and --stdio exclude each other") }
    }

    func run() async throws {
        // Before anything can print: in stdio mode the stream belongs to the peer.
        let standardIO = stdio ? try StandardIO.movedAside() : nil
        let logger = options.logger()
        let roles = PeerRoles(
            adminGroup: try group(adminGroup),
            operatorGroup: try group(operatorGroup),
            viewerGroup: try group(viewerGroup),
            gatewayGroup: try group(gatewayGroup)
        )
        try prepareMirror()
        let manager = ServiceManager()
        let handed = stdio ? nil : InheritedSocket.listener()
        let handedPath = handed == nil ? nil : InheritedSocket.path()
        let listening =
            try stdio || handed != nil ? nil : listen(at: SocketPath.toListen(explicit: socket), roles.groups)
        let watched = try metricsSocket.map { path in
            try listen(at: path, roles.staffGroups)
        }
        let host: DatabaseHost
        let reports: StandbySource?
        do {
            let source = try archived(try await DatabaseChoice.make(options))
            reports = try self.reports(of: source)
            host = try await self.host(source, logger)
        } catch {
            listening?.close()
            watched?.close()
            throw error
        }
        let listener =
            listening.map { .socket($0) } ?? handed
            ?? Listener.standardIO(standardIO ?? StandardIO(input: 0, output: 1))
        let daemon = try PricingDaemon(
            host: host,
            reports: reports,
            listener: listener,
            roles: roles,
            limits: try limits(),
            mirrorFolder: mirrorDir,
            watchSocket: watched,
            logger: logger
        )
        do {
            try await run(daemon, manager, path: listening?.path ?? handedPath)
        } catch is CodeChanged {
            throw Exit.because(
                "another version of pricingd has migrated the database; start that one",
                Exit.configuration
            )
        }
    }

    private func run(_ daemon: PricingDaemon, _ manager: ServiceManager, path: String?) async throws {
        try await daemon.run(
            watchdog: manager.watchdog.map { period in
                PricingDaemon.Watchdog(period: period) { manager.tell("WATCHDOG=1") }
            },
            ready: {
                if !stdio { announce(path, daemon.instanceID) }
                manager.tell("READY=1\nSTATUS=Serving")
            },
            stopping: { manager.tell("STOPPING=1\nSTATUS=Draining") }
        )
    }

    /// The same database, whose log is kept if that was asked for.
    private func archived(_ source: DatabaseSource) throws -> DatabaseSource {
        guard let archiveDir else { return source }
        guard case .privateCluster(let folder, _) = source else {
            throw Exit.because("--archive-dir is for a private cluster", Exit.usage)
        }
        do throws(PostgresError) {
            return .privateCluster(folder: folder, archive: try ClusterArchive(path: archiveDir))
        } catch {
            throw Exit.because(error.message, Exit.usage)
        }
    }

    private func reports(of source: DatabaseSource) throws -> StandbySource? {
        guard let reportsUrl else { return nil }
        guard case .configured = source else {
            throw Exit.because("--reports-url is for a database of your own, which has standbys", Exit.usage)
        }
        return StandbySource(try DatabaseChoice.trusted(reportsUrl), mostAge: .seconds(reportsMaxAge))
    }

    private func prepareMirror() throws {
        guard let mirrorDir else { return }
        do throws(ConversationMirror.CannotUse) {
            try ConversationMirror.prepare(mirrorDir)
        } catch {
            throw Exit.because("\(error)", Exit.configuration)
        }
    }

    /// The one line on stdout: clients may connect now.
    private func announce(_ path: String?, _ instanceID: String) {
        let ready: JSONObject = [
            "ready": true, "socket": path.map { .string($0) } ?? .null, "instanceId": .string(instanceID),
            "pid": .integer(Int64(getpid())),
        ]
        writeLine(String(decoding: ready.serialized(), as: UTF8.self), to: 1)
    }

    private func limits() throws -> TransportLimits {
        var limits = TransportLimits.defaults
        for text in limit {
            let parts = text.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]), limits.set(String(parts[0]), to: value) else {
                throw ValidationError("--limit \(text) is no limit that can be set so")
            }
        }
        return limits
    }

    private func group(_ name: String?) throws -> UInt32? {
        guard let name else { return nil }
        guard let id = PeerRoles.group(named: name) else {
            throw Exit.because("there is no group \(name)", Exit.configuration)
        }
        return id
    }

    private func listen(at path: String, _ groups: [UInt32]) throws -> ListeningSocket {
        do throws(ListeningSocketError) {
            return try ListeningSocket(path: path, groups: groups)
        } catch {
            switch error {
            case .held(_, let pid):
                throw Exit.because(
                    "another daemon\(pid.map { " (pid \($0))" } ?? "") has this socket",
                    Exit.lockHeld
                )
            default: throw Exit.because("cannot listen: \(error)", Exit.configuration)
            }
        }
    }

    private func host(_ source: DatabaseSource, _ logger: Logger) async throws -> DatabaseHost {
        do throws(DatabaseHost.Failure) {
            return try await DatabaseHost.open(source, isSandbox: options.sandbox, logger: logger)
        } catch {
            throw error.exit
        }
    }
}

extension DatabaseHost.Failure {
    /// What to say, and the exit code that fits.
    var exit: ExitCode {
        switch self {
        case .database(let error):
            if case .dataFolderInUse(holder: let holder) = error.kind {
                return Exit.because(
                    "another daemon\(holder.map { " (pid \($0))" } ?? "") has this data folder",
                    Exit.lockHeld
                )
            }
            if error.kind == .serverProgramsMissing || error.kind == .untrusted {
                return Exit.because(error.message, Exit.configuration)
            }
            return Exit.because("the database is not available: \(error)", Exit.databaseUnavailable)
        case .refused(let refusal): return Exit.because("\(refusal)", Exit.configuration)
        case .outOfStep(let names):
            return Exit.because(
                "the database lacks \(names.joined(separator: ", ")); run pricingd migrate first",
                Exit.configuration
            )
        case .noSessions:
            return Exit.because(
                "a pooler lends the server's processes for a transaction at a time; let it lend them for a session"
                    + " (pool_mode = session in PgBouncer), or name the server itself",
                Exit.configuration
            )
        case .notASandbox:
            return Exit.because("this database was not made with --sandbox", Exit.configuration)
        }
    }
}
