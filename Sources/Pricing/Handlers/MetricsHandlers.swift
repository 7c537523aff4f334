import JSON
import Postgres
import PricingProtocol
import RPCTransport

/// `server.metrics`: counters, histograms and gauges. What has to be read from the database is left out while it is unreachable.
struct MetricsHandlers: Sendable {
    let identity: DaemonIdentity
    let database: Database
    let tallies: CallTallies
    let intake: OrderIntake
    let feed: EventFeed
    let server: ServerSlot
    let deadlines: DeadlineWatch

    var handlers: [String: Dispatcher.Handler] {
        ["server.metrics": { context async throws(PricingFailure) in await metrics(context) }]
    }

    private func metrics(_ context: CallContext) async -> Answer {
        let stored = try? await database.run(context, Self.readStored)
        return Answer(ofDaemon: ["text": .string(text(stored))])
    }

    /// The same for one who asks by no call.
    func text() async -> String {
        text(try? await database.runBatch(on: nil, deadlines, Self.readStored))
    }

    private func text(_ stored: Stored?) -> String {
        var text = MetricsText()
        text.addProcess("pricingd", version: DaemonIdentity.version)
        let uptime = (ContinuousClock.now - identity.started).components.seconds
        text.gauge("pricingd_uptime_seconds", "Since the start.", uptime)
        text.gauge("pricingd_connections", "Peers connected now.", Int64(server.server?.connections.count ?? 0))
        text.gauge("pricingd_calls_in_flight", "Calls taken and not ended.", Int64(server.server?.callsInFlight ?? 0))
        addOrders(&text)
        addEvents(&text)
        addPool(&text)
        database.standby?.figures.add(to: &text)
        text.add(tallies)
        text.gauge("pricingd_calls_running", "Calls that run now.", Int64(server.server?.calls.count ?? 0))
        if let stored { Self.add(stored, &text) }
        return text.text
    }

    private func addOrders(_ text: inout MetricsText) {
        text.gauge(
            "pricingd_orders_waiting",
            "Orders that wait for the next batch, or for stock that another transaction holds.",
            Int64(intake.waiting)
        )
        text.gauge("pricingd_orders_contended", "Those that wait for held stock.", Int64(intake.waitingForStock))
        let batches = intake.batches
        text.describe("pricingd_order_batch_orders", "histogram", "Orders placed in one batch.")
        text.histogram(
            "pricingd_order_batch_orders",
            bounds: OrderIntake.BatchTally.bounds.map(String.init),
            buckets: batches.buckets,
            sum: "\(batches.orders)"
        )
    }

    private func addEvents(_ text: inout MetricsText) {
        text.gauge("pricingd_subscriptions", "Event subscriptions.", Int64(feed.subscriptions))
        text.gauge(
            "pricingd_subscriptions_slow",
            "Those whose reader has taken too little for too long.",
            Int64(feed.slowSubscriptions)
        )
        text.gauge("pricingd_event_sequence", "The event number given last.", feed.lastNumber)
        text.gauge(
            "pricingd_events_delivered_total",
            "Event notifications put into a peer's output.",
            feed.delivered,
            type: "counter"
        )
        text.gauge("pricingd_subscription_lag_events", "Events that the slowest subscription is behind.", feed.lag)
    }

    private func addPool(_ text: inout MetricsText) {
        let pool = database.pool.status
        text.gauge("pricingd_database_connections_open", "Connections to PostgreSQL.", Int64(pool.open))
        text.gauge("pricingd_database_connections_idle", "Connections that are idle.", Int64(pool.idle))
        text.gauge("pricingd_database_connections_busy", "Those in use.", Int64(pool.busy))
        text.gauge("pricingd_database_waiting", "Calls that wait for one.", Int64(pool.waiting))
        text.gauge("pricingd_database_down", "1 while the server cannot be reached.", pool.isServerDown ? 1 : 0)
    }

    /// What the database knows.
    private struct Stored: Sendable {
        let changes: Int64
        let lastCauses: [(cause: String, count: Int64)]
        let unnumbered: Int64
        let lowStock: Int64
        let automation: DaemonStatements.AutomationFigures
    }

    private static func readStored(_ session: Session) throws(PostgresError) -> Stored {
        Stored(
            changes: try session.one(DaemonStatements.priceChanges),
            lastCauses: try session.all(DaemonStatements.lastCauses),
            unnumbered: try session.one(DaemonStatements.unnumbered),
            lowStock: try session.one(DaemonStatements.lowStock),
            automation: try session.one(DaemonStatements.automationFigures)
        )
    }

    private static func add(_ stored: Stored, _ text: inout MetricsText) {
        let automation = stored.automation
        text.gauge(
            "pricingd_automation_halted",
            "1 while automation is halted for the whole catalogue.",
            automation.isHalted ? 1 : 0
        )
        text.gauge("pricingd_automation_halts", "Halts of automation that last, of any scope.", automation.halts)
        text.gauge(
            "pricingd_breaker_open",
            "1 while the breaker's halt waits for a person to resume.",
            automation.isBreakerOpen ? 1 : 0
        )
        text.gauge("pricingd_failing_products", "Products that cannot be priced now.", automation.failing)
        text.gauge("pricingd_overdue_deliveries", "Deliveries that should have come and have not.", automation.overdue)
        text.gauge("pricingd_campaigns_running", "Campaigns that lower prices now.", automation.campaigns)
        text.gauge("pricingd_open_proposals", "Price moves that wait for a person's yes.", automation.proposals)
        text.gauge(
            "pricingd_last_tick_timestamp_seconds",
            "When the last whole tick was, by the shop's clock; 0 before the first.",
            automation.lastTick ?? 0
        )
        text.gauge("pricingd_low_stock_products", "Products on sale of which little is left.", stored.lowStock)
        text.gauge("pricingd_price_changes_total", "Price changes ever recorded.", stored.changes, type: "counter")
        text.describe("pricingd_last_price_changes", "gauge", "Of the last thousand of them, those of each cause.")
        for (cause, count) in stored.lastCauses {
            text.sample("pricingd_last_price_changes", [("cause", cause)], "\(count)")
        }
        text.gauge("pricingd_events_unnumbered", "Committed events that have no number yet.", stored.unnumbered)
    }
}
