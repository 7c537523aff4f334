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

    var handlers: [String: Dispatcher.Handler] {
        ["server.metrics": { context async throws(PricingFailure) in await metrics(context) }]
    }

    private func metrics(_ context: CallContext) async -> Answer {
        var text = MetricsText()
        let uptime = (ContinuousClock.now - identity.started).components.seconds
        text.gauge("pricingd_uptime_seconds", "Since the start.", uptime)
        text.gauge("pricingd_connections", "Peers connected now.", Int64(server.server?.connections.count ?? 0))
        text.gauge("pricingd_calls_in_flight", "Calls taken and not ended.", Int64(server.server?.callsInFlight ?? 0))
        addOrders(&text)
        addEvents(&text)
        addPool(&text)
        text.add(tallies)
        text.gauge("pricingd_calls_running", "Calls that run now.", Int64(server.server?.calls.count ?? 0))
        await addStored(&text, context)
        return Answer(ofDaemon: ["text": .string(text.text)])
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

    private func addStored(_ text: inout MetricsText, _ context: CallContext) async {
        let stored = try? await database.run(context) { (session) throws(PostgresError) in
            (
                try session.one(DaemonStatements.priceChanges), try session.one(DaemonStatements.unnumbered),
                try session.one(DaemonStatements.automationFigures)
            )
        }
        guard let (changes, unnumbered, automation) = stored else { return }
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
        text.gauge("pricingd_price_changes_total", "Price changes ever recorded.", changes, type: "counter")
        text.gauge("pricingd_events_unnumbered", "Committed events that have no number yet.", unnumbered)
    }
}
