import Glibc
package import JSONRPC
package import Logging
import Postgres
import PricingProtocol
package import RPCTransport
import ServiceLifecycle
import UnixSignals
import Waking

/// The whole daemon: the database, the services that work on it, and the server that takes calls.
package struct PricingDaemon: Sendable {
    /// How many connections to the database there are at most.
    private static let connections = 8
    /// How long a shutdown waits for calls in flight.
    private static let drainTime = Duration.milliseconds(3500)

    package let instanceID: String
    private let host: DatabaseHost
    private let pool: ConnectionPool
    private let standby: Standby?
    private let server: RPCServer
    private let services: [any Service]
    private let feed: EventFeed
    private let logger: Logger

    /// - Parameters:
    ///   - host: the database, reached and migrated.
    ///   - reports: where reports are read from if it can be done; nil for the primary alone.
    ///   - listener: where connections come from.
    ///   - mirrorFolder: where every connection's lines are mirrored; nil for no mirror.
    ///   - watchSocket: where programs that watch the daemon ask for its pages; nil for nowhere.
    package init(
        host: DatabaseHost,
        reports: StandbySource? = nil,
        listener: Listener,
        roles: PeerRoles,
        limits: TransportLimits,
        mirrorFolder: String? = nil,
        watchSocket: ListeningSocket? = nil,
        logger: Logger
    ) throws {
        let settings = Self.limited(host.settings)
        let lost = Waker()
        pool = Self.pool(settings, lost, logger)
        standby = reports.map { Standby(Self.limited($0.settings), $0.mostAge, of: host.origin, logger) }
        let parts = DaemonParts(
            host: host,
            database: Database(pool: pool, standby: standby, logger: logger),
            limits: limits,
            roles: roles,
            logger: logger
        )
        let dispatcher = Dispatcher(
            handlings: parts.handlings,
            roles: parts.roles,
            deadlines: parts.deadlines,
            database: parts.database,
            gates: parts.gates,
            tallies: parts.tallies,
            logger: logger,
            connectionClosed: { parts.feed.connectionClosed($0) }
        )
        let instance = parts.identity.instanceID
        let mirror = mirrorFolder.map { folder in
            ConversationMirror(
                folder: folder,
                instance: instance,
                secrets: AllMethods.secrets,
                fileBytes: limits.mirrorFileBytes
            )
        }
        server = RPCServer(listener: listener, service: dispatcher, limits: limits, mirror: mirror, logger: logger)
        parts.server.fill(server)
        let keeper = DatabaseKeeper(
            pool: pool,
            cluster: host.cluster,
            waker: lost,
            logger: logger,
            broughtBack: { parts.feed.kick() }
        )
        let changes = try NotificationStream(
            settings,
            channels: ["pricing_event", LoginKeeper.channel, MigrationStatements.schemaChannel]
                + parts.keepers.map(\.work.channel),
            logger: logger
        )
        let watch = watchSocket.map { WatchService($0, parts.watchPages, logger) }
        // A shutdown ends them in the opposite order.
        let log = host.cluster.map { ServerLogKeeper(cluster: $0, logger: logger) }
        services =
            ([keeper, log, watch] as [(any Service)?]).compactMap { $0 } + (standby?.services ?? []) + parts.services
            + [ChangeListener(changes: changes, parts: parts, code: CodeWatch(pool: pool, hash: host.codeHash))]
        feed = parts.feed
        self.host = host
        self.logger = logger
        instanceID = instance
    }

    private static func pool(_ settings: ConnectionSettings, _ lost: Waker, _ logger: Logger) -> ConnectionPool {
        ConnectionPool(
            settings,
            name: "pg",
            capacity: connections,
            logger: logger,
            onUnreachable: { lost.wake() }
        )
    }

    /// Adds the session settings that every connection of the daemon gets.
    private static func limited(_ settings: ConnectionSettings) -> ConnectionSettings {
        var settings = settings.with("application_name", "pricingd")
        settings.session = [
            "statement_timeout": "\(CallLimit.statementMs.value)", "lock_timeout": "\(CallLimit.lockMs.value)",
            "client_connection_check_interval": "1000", "jit": "off", "timezone": "UTC",
            "idle_in_transaction_session_timeout": "10000",
        ]
        return settings
    }

    /// A watchdog of the service manager that has to be told regularly that the daemon runs.
    package struct Watchdog: Sendable {
        private let period: Duration
        private let tell: @Sendable () -> Void

        package init(period: Duration, tell: @escaping @Sendable () -> Void) {
            self.period = period
            self.tell = tell
        }

        /// Tells as long as this process's tasks still run.
        fileprivate func run() async {
            while !Task.isCancelled {
                tell()
                try? await Task.sleep(for: period)
            }
        }
    }

    /// Serves until a graceful shutdown; then answers calls in flight and ends every service.
    /// - Parameters:
    ///   - ready: called once signals are handled and calls will be answered.
    ///   - stopping: called when the shutdown begins.
    package func run(
        watchdog: Watchdog? = nil,
        ready: () -> Void = {},
        stopping: @escaping @Sendable () -> Void = {}
    ) async throws {
        let front = ServiceGroupConfiguration.ServiceConfiguration(
            service: ServerService(server: server, drainTime: Self.drainTime, feed: feed, stopping: stopping),
            successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup
        )
        var quiet = logger
        quiet.logLevel = max(quiet.logLevel, .notice)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: $0,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                } + [front],
                logger: logger
            )
        )
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        ready()
        let outcome = await withTaskGroup(of: Void.self, returning: Result<Void, any Error>.self) { tasks in
            tasks.addTask { await Self.obey(signals, group) }
            if let watchdog { tasks.addTask { await watchdog.run() } }
            defer { tasks.cancelAll() }
            do {
                return .success(try await group.run())
            } catch {
                return .failure(error)
            }
        }
        await pool.close()
        await standby?.close()
        await host.cluster?.stop()
        try outcome.get()
    }

    /// The first SIGTERM or SIGINT drains, a second one ends the process at once; the next daemon adopts the private
    /// cluster.
    private static func obey(_ signals: UnixSignalsSequence, _ group: ServiceGroup) async {
        var isEnding = false
        for await _ in signals {
            if isEnding { _exit(130) }
            isEnding = true
            await group.triggerGracefulShutdown()
        }
    }
}

/// The server as a service: a graceful shutdown drains it.
private struct ServerService: Service {
    let server: RPCServer
    let drainTime: Duration
    let feed: EventFeed
    let stopping: @Sendable () -> Void

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await gracefulShutdown()
                stopping()
                _ = await server.drain(until: .now + drainTime)
                feed.endAll { server.shutdown() }
            }
            defer { group.cancelAll() }
            try await server.run()
        }
    }
}

/// Wakes the event feed when another session has committed something, and a keeper when it was of its work;
/// ends the daemon when another binary has migrated the database.
private struct ChangeListener: Service {
    let changes: NotificationStream
    let parts: DaemonParts
    let code: CodeWatch

    func run() async throws {
        try await withGracefulShutdownHandler {
            for await change in changes.elements {
                parts.feed.kick()
                // nil: anything may have been missed
                let channel: String? = if case .notification(let told) = change { told.channel } else { nil }
                for keeper in parts.keepers where channel == nil || channel == keeper.work.channel { keeper.kick() }
                if channel == nil || channel == LoginKeeper.channel { parts.logins.kick() }
                if channel == nil || channel == MigrationStatements.schemaChannel { try await code.check() }
            }
        } onGracefulShutdown: {
            changes.stop()
        }
    }
}

/// The database's functions were replaced by another version of the daemon.
package struct CodeChanged: Error {}

/// Checks that the database's functions are still those of this binary.
private struct CodeWatch: Sendable {
    let pool: ConnectionPool
    let hash: String

    /// - Throws: ``CodeChanged`` when they are not. A database that cannot be reached is checked once it can be again.
    func check() async throws(CodeChanged) {
        let found: String
        do throws(PostgresError) {
            found = try await pool.run { (session) throws(PostgresError) in
                try session.one(MigrationStatements.codeHash)
            }
        } catch {
            return
        }
        if found != hash { throw CodeChanged() }
    }
}
