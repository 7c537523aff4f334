import JSONRPC
import Logging
import PricingProtocol
import RPCTransport
import ServiceLifecycle
import Waking

/// The parts that answer calls, made once and shared by all handlers.
struct DaemonParts: Sendable {
    let identity: DaemonIdentity
    /// Whether the database is our private cluster.
    let isPrivate: Bool
    let limits: TransportLimits
    let roles: ConnectedRoles
    let database: Database
    let deadlines = DeadlineWatch()
    let tallies = CallTallies()
    let gates = CallGates()
    /// The server, once it is made.
    let server = ServerSlot()
    let feed: EventFeed
    let intake: OrderIntake
    let reads: ReadIntake
    let ticker: Ticker
    let keepers: [DueKeeper]
    let clock: ClockWatch
    let breaker: Breaker
    let logins: LoginKeeper

    init(host: DatabaseHost, database: Database, limits: TransportLimits, roles: PeerRoles, logger: Logger) {
        let news = Waker()
        let feed = EventFeed(database: database, deadlines: deadlines, logger: logger, numbered: { news.wake() })
        identity = DaemonIdentity(isSandbox: host.isSandbox)
        isPrivate = host.cluster != nil
        self.limits = limits
        self.roles = ConnectedRoles(roles)
        self.database = database
        self.feed = feed
        intake = OrderIntake(database: database, deadlines: deadlines, logger: logger, committed: { feed.kick() })
        reads = ReadIntake(database: database, deadlines: deadlines)
        let ticker = Ticker(database: database, logger: logger, committed: { feed.kick() })
        let keepers = [DueKeeper.Work.campaigns, .quotes].map { work in
            DueKeeper(work, database: database, logger: logger, committed: { feed.kick() })
        }
        self.ticker = ticker
        self.keepers = keepers
        clock = ClockWatch(logger: logger) {
            ticker.kick()
            for keeper in keepers { keeper.kick() }
        }
        breaker = Breaker(database: database, news: news, logger: logger, committed: { feed.kick() })
        logins = LoginKeeper(database: database, feed: feed, logger: logger)
    }

    /// Those that live as long as the daemon.
    var services: [any Service] {
        [deadlines, intake, reads, feed, ticker, clock, breaker, logins] + keepers
    }

    private var metrics: MetricsHandlers {
        MetricsHandlers(
            identity: identity,
            database: database,
            tallies: tallies,
            intake: intake,
            feed: feed,
            server: server,
            deadlines: deadlines
        )
    }

    /// What programs that watch the daemon are answered.
    var watchPages: [String: WatchServer.Answer] { WatchPages(metrics: metrics, deadlines: deadlines).byPath }

    /// How each method is answered.
    var handlings: [String: Dispatcher.Handling] {
        let rooms: [[String: Dispatcher.Handler]] = [
            EventHandlers(database: database, feed: feed, logins: logins).handlers,
            LoginHandlers(database: database, gates: gates).handlers,
            StatusHandlers(
                identity: identity,
                database: database,
                isPrivate: isPrivate,
                intake: intake,
                feed: feed
            ).handlers,
            ReportHandlers(database: database).handlers,
            OperationHandlers(database: database, feed: feed, server: server).handlers,
            metrics.handlers,
            GenerateHandlers(database: database, committed: { feed.kick() }).handlers,
            StepHandlers(database: database).handlers,
            LabHandlers(database: database, gates: gates).handlers,
            ImportHandlers(database: database, feed: feed, ticker: ticker).handlers,
        ]
        var handlers = rooms.reduce(into: [:]) { all, some in all.merge(some) { _, last in last } }
        let session = SessionHandlers(identity: identity, limits: limits, roles: roles).handlers
        let calls = CallHandlers(database: database, feed: feed, ticker: ticker, keepers: keepers, logins: logins)
        handlers.merge(calls.handlers(beside: Set(handlers.keys).union(session.keys))) { special, _ in special }
        var handlings = handlers.mapValues { Dispatcher.Handling.task($0) }
        for (method, handler) in session { handlings[method] = .inline(handler) }
        for method in AllMethods.list {
            guard let batching = method.batching, let handler = handlers[method.name] else { continue }
            let intake: any Intake =
                switch batching {
                case .orders: intake
                case .reads: reads
                }
            handlings[method.name] = .batched(intake, alone: handler)
        }
        return handlings
    }
}
