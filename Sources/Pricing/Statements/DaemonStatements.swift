import Postgres

/// The SQL of the daemon's own services: events, tick, status, generation, laboratory.
enum DaemonStatements {
    /// The end of the stream of events.
    struct StreamEnd: Sendable {
        /// The number given last.
        let last: Int64
        /// The number given last before this numbering.
        let before: Int64
        /// Identifies the stream; it changes when another shop is restored in the place of this one.
        let stream: String
    }

    static let numberEvents = Statement<StreamEnd>(
        "number_events",
        "select number_events(), last_number, stream_id::text from event_sequence"
    ) { row throws(PostgresError) in
        StreamEnd(last: try row.int(0), before: try row.int(1), stream: try row.text(2))
    }

    /// Sees to it that transactions of this server get numbers above all that are stored; before the first event.
    static let settleTransactions = Statement.text("settle_transactions", "select settle_transactions()::text")

    /// Which database it is, the same on a primary and its standbys: of which cluster, and which in it.
    private static let origin = """
        (select system_identifier from pg_control_system()) || '/'
            || (select oid from pg_database where datname = current_database())
        """

    static let databaseOrigin = Statement.text("database_origin", "select \(origin)")

    /// What a server says of itself that should be a standby.
    struct StandbyState: Sendable {
        let origin: String
        let isStandby: Bool
        /// How old its data is at most, in milliseconds; nil when that is not known.
        let ageMs: Int64?
    }

    /// A standby that has replayed all that it was sent, and is connected, has nothing to wait for: its last commit may be
    /// long ago.
    static let standbyState = Statement<StandbyState>(
        "standby_state",
        """
        select \(origin), pg_is_in_recovery(), case
            when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() and exists (select from pg_stat_wal_receiver) then 0
            else ceil(1000 * extract(epoch from
                greatest(clock_timestamp() - pg_last_xact_replay_timestamp(), interval '0')))::bigint end
        """
    ) { row throws(PostgresError) in
        StandbyState(origin: try row.text(0), isStandby: try row.bool(1), ageMs: try row.intIfPresent(2))
    }

    /// One event of the stream with what subscriptions filter by.
    struct Event: Sendable {
        let sequence: Int64
        let topic: String
        let productId: Int64?
        /// The order that it is of, or comes from.
        let orderId: Int64?
        /// The event's members as a JSON object.
        let text: [UInt8]
    }

    /// Rows that a page of events has at most.
    static let eventPage = 500

    /// The number after which the events of a moment begin.
    static let numberBefore = Statement.int("number_before", "select number_before($1::timestamptz)")

    /// The number of the oldest event that the shop keeps, or of the next event when it keeps none.
    static let oldestEvent = Statement.int("oldest_event", "select first_number from event_sequence")

    /// The events after a number.
    static let eventsAfter = events("events_after", "from events_between($1, null, \(eventPage)) e")

    /// The last event of each thing among those after a number and up to another.
    static let lastEvents = events(
        "last_events",
        """
        from (select distinct on (topic, key, event_subject(n)) n.* from events_between($1, $2, null) n
              order by topic, key, event_subject(n), sequence desc) e
        """
    )

    private static func events(_ name: String, _ source: String) -> Statement<Event> {
        Statement(
            name,
            """
            select e.sequence, e.topic, e.product_id, event_json(row(e.*)::stream_event)::text, e.order_id
            \(source)
            order by e.sequence limit \(eventPage)
            """
        ) { row throws(PostgresError) in
            Event(
                sequence: try row.int(0),
                topic: try row.text(1),
                productId: try row.intIfPresent(2),
                orderId: try row.intIfPresent(4),
                text: try row.bytes(3)
            )
        }
    }

    static let snapshot = Statement.bytes("snapshot_products", "select snapshot_products($1)::text")

    /// One page of a tick.
    struct TickPage: Sendable {
        let evaluated: Int64
        let skipped: Int64
        /// Products that could not be priced.
        let failed: Int64
        /// Where the next page begins; nil when this was the last.
        let nextAfter: Int64?
    }

    /// Small pages, so that an order waits for one no longer than it takes to price so many products.
    static let tick = Statement<TickPage>(
        "tick_page",
        "select evaluated, skipped, failed, next_after from tick_page(50, $1)"
    ) { row throws(PostgresError) in
        TickPage(
            evaluated: try row.int(0),
            skipped: try row.int(1),
            failed: try row.int(2),
            nextAfter: try row.intIfPresent(3)
        )
    }

    /// Why the breaker halted automation; null when it did not.
    static let checkBreaker = Statement<String?>("check_breaker", "select (check_breaker()).reason") {
        row throws(PostgresError) in try row.textIfPresent(0)
    }

    /// One step of what is due.
    struct DueStep: Sendable {
        /// Whether anything has changed.
        let hasWorked: Bool
        /// Whether there is nothing more to do at once.
        let isIdle: Bool

        init(_ row: borrowing Row) throws(PostgresError) {
            hasWorked = try row.bool(0)
            isIdle = try row.bool(1)
        }
    }

    /// Small pages, as the tick's.
    static let campaignStep = Statement<DueStep>(
        "campaign_step",
        "select visited > 0 or not is_idle, is_idle from campaign_step(campaign_page())",
        decode: DueStep.init
    )

    static let secondsToCampaign = Statement.double(
        "seconds_to_campaign",
        "select coalesce(seconds_to_campaign(), 'infinity')"
    )

    static let quoteStep = Statement<DueStep>(
        "quote_step",
        "select visited > 0, is_idle from quote_step(50)",
        decode: DueStep.init
    )

    static let secondsToQuote = Statement.double(
        "seconds_to_quote",
        "select coalesce(seconds_to_quote(), 'infinity')"
    )

    static let secondsToTick = Statement.double("seconds_to_tick", "select coalesce(seconds_to_tick(), 'infinity')")

    static let expireKeys = Statement.int("expire_request_keys", "select expire_request_keys()")

    static let expireEvents = Statement.bool("expire_events", "select expire_events()")

    static let complete = Statement.bytes("complete_values", "select complete_values($1, $2, $3)::text")

    static let counts = Statement.bytes("status_counts", "select status_counts()::text")

    static let automation = Statement.bytes("automation_status", "select automation_status()::text")

    /// What the metrics report about automation.
    struct AutomationFigures: Sendable {
        let isHalted: Bool
        let halts: Int64
        let isBreakerOpen: Bool
        let failing: Int64
        let overdue: Int64
        let campaigns: Int64
        let proposals: Int64
        /// Seconds since 1970, by the shop's clock; nil before the first.
        let lastTick: Int64?
    }

    static let automationFigures = Statement<AutomationFigures>(
        "automation_figures",
        """
        select halted, halts, breaker_open, failing, overdue, campaigns, proposals,
               extract(epoch from last_tick)::bigint
        from automation_figures()
        """
    ) { row throws(PostgresError) in
        AutomationFigures(
            isHalted: try row.bool(0),
            halts: try row.int(1),
            isBreakerOpen: try row.bool(2),
            failing: try row.int(3),
            overdue: try row.int(4),
            campaigns: try row.int(5),
            proposals: try row.int(6),
            lastTick: try row.intIfPresent(7)
        )
    }

    /// Price changes ever recorded.
    static let priceChanges = Statement.int(
        "price_changes",
        "select coalesce(sum(change_count), 0)::bigint from inventory"
    )

    /// What moved prices last. Of a fixed number of rows, since a scrape comes every few seconds.
    static let lastCauses = Statement<(cause: String, count: Int64)>(
        "last_causes",
        """
        select cause, count(*) from (select cause from price_change order by price_change_id desc limit 1000) l
        group by cause order by cause
        """
    ) { row throws(PostgresError) in
        (cause: try row.text(0), count: try row.int(1))
    }

    static let lowStock = Statement.int("low_stock", "select count(*) from shelf where level = 'LOW'")

    /// Committed events without a number.
    static let unnumbered = Statement.int("unnumbered_events", "select unnumbered_events()")

    static let schemaVersion = Statement.int(
        "schema_version",
        "select coalesce(max(left(name, 2)::bigint) filter (where kind = 'once'), 0) from schema_script"
    )

    /// The reply that a keyed request of many transactions was given; empty when there is none.
    static let findReply = Statement.bytes(
        "find_reply",
        "select coalesce(case when $1::text is not null then find_reply($1, request_hash($2, $3)) end, '')"
    )
    static let keepReply = Statement.bytes(
        "keep_reply",
        """
        insert into request_key (key, request_hash, reply) select $1, request_hash($2, $3), $4
        where $1::text is not null returning key
        """
    )

    /// How a call of many keyed parts begins.
    struct Begun: Sendable {
        /// The reply that its key was given before.
        let reply: [UInt8]?
        /// Identifies this call to its parts.
        let call: String
    }

    static let beginImport = Statement<Begun>("begin_import", "select reply, call from begin_import($1, $2, $3)") {
        row throws(PostgresError) in
        Begun(reply: try row.bytesIfPresent(0), call: try row.text(1))
    }

    /// A row that names what a row before it names.
    struct Repeated: Sendable {
        let row: Int64
        let member: String
        let first: Int64
    }

    static let repeatedRows = Statement<Repeated>(
        "repeated_rows",
        "select number, member, first from repeated_rows($1)"
    ) { row throws(PostgresError) in
        Repeated(row: try row.int(0), member: try row.text(1), first: try row.int(2))
    }

    /// Keeps the reply of a call of many keyed parts, unless it is kept already: the same call may be running twice.
    static let keepImport = Statement.bytes(
        "keep_import",
        """
        with kept as (
            insert into request_key (key, request_hash, reply) select $1, request_hash($2, $3), $4
            where $1::text is not null on conflict (key) do nothing returning 1
        )
        select count(*)::text from kept
        """
    )

    /// A writing call that is a part of another: function, method, parameters, key of the whole, number, actor.
    static let writePart = Statement<CallStatements.Written>(
        "run_write_part",
        "select reply, replayed from run_write($1, $2, $3, part_key($4, $5), $6)"
    ) { row throws(PostgresError) in
        CallStatements.Written(reply: try row.bytes(0), isReplayed: try row.bool(1))
    }

    static let generateBegin = Statement.bytes("generate_begin", "select generate_begin($1)::text")
    static let generateFinish = Statement.bytes("generate_finish", "select generate_finish($1)::text")
    static let generateOrders = Statement.bytes("generate_orders", "select generate_orders($1)::text")

    static let labPrepare = Statement.bytes("lab_prepare", "select lab_prepare($1)::text")
    static let labSeasons = Statement.bytes("lab_seasons", "select lab_seasons($1)::text")
    static let labShops = Statement.bytes("lab_shops", "select lab_shops($1)::text")
    static let labRows = Statement.bytes("lab_rows", "select lab_rows($1)::text")
}

extension Statement where Value == Double {
    /// The first column as a number; infinity where it is null.
    fileprivate static func double(_ name: String, _ sql: String) -> Statement {
        Statement(name, sql) { row throws(PostgresError) in try row.doubleIfPresent(0) ?? .infinity }
    }
}
