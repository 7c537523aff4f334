import JSON
import Logging
package import Postgres
import RPCTransport
import ServiceLifecycle
import Synchronization
import Waking

/// Where reports are read from if it can be done: servers that follow the primary.
package struct StandbySource: Sendable {
    let settings: ConnectionSettings
    /// How old their data may be.
    let mostAge: Duration

    /// Of several hosts only one that follows another is used, whatever `target_session_attrs` says: the primary has its
    /// own connections.
    package init(_ settings: ConnectionSettings, mostAge: Duration) {
        var settings = settings.with("target_session_attrs", "standby")
        settings.searchPath = MigrationStatements.searchPath
        self.settings = settings
        self.mostAge = mostAge
    }
}

/// Reads reports from a standby, so that the primary need not. What the standby cannot answer, or refuses for whatever
/// reason, the primary is asked, whose word counts: what a standby says is never more than somewhat old.
final class Standby: Sendable {
    private let pool: ConnectionPool
    private let mostAgeMs: Int64
    private let origin: String
    private let logger: Logger
    private let deadlines = DeadlineWatch()
    private let tallies = Mutex(Figures())
    private let lost: Waker

    /// As many as the methods that may take long have at the same time, and one for others.
    private static let connections = 4
    /// How long a call waits for a connection and for the standby's age, before it goes to the primary.
    private static let patience = Duration.seconds(1)

    /// - Parameter origin: the database that it has to be a copy of.
    init(_ settings: ConnectionSettings, _ mostAge: Duration, of origin: String, _ logger: Logger) {
        var logger = logger
        logger[metadataKey: "server"] = "standby"
        let lost = Waker()
        pool = ConnectionPool(
            settings,
            name: "pg standby",
            capacity: Self.connections,
            logger: logger,
            onUnreachable: { lost.wake() }
        )
        mostAgeMs = mostAge.milliseconds
        self.origin = origin
        self.logger = logger
        self.lost = lost
    }

    /// Those that live as long as the daemon.
    var services: [any Service] {
        [deadlines, DatabaseKeeper(pool: pool, cluster: nil, waker: lost, logger: logger, broughtBack: {})]
    }

    func close() async { await pool.close() }

    var figures: Figures { tallies.withLock { $0 } }

    /// Runs a closure on a standby, in one snapshot with what tells its age.
    /// - Parameter limit: the statement limit in milliseconds; nil to keep the connection's.
    /// - Returns: nil when the primary has to be asked; also when the call has ended meanwhile, which is found there.
    func read<Value: Sendable>(
        _ context: CallContext,
        limit: Int64?,
        _ body: @escaping @Sendable (Session) throws(PostgresError) -> Value
    ) async -> Value? {
        let cancel = StatementCancel()
        let registration = context.call.cancellation.onCancel { cancel.cancel() }
        defer { context.call.cancellation.remove(registration) }
        let watched = deadlines.add(.now + Self.patience) { cancel.cancel() }
        defer { deadlines.remove(watched) }
        do throws(PostgresError) {
            let reading = try await pool.run(cancel: cancel) { (session) throws(PostgresError) in
                context.timer.begin()
                defer { context.timer.end() }
                let reading = try session.transaction(.snapshot) {
                    (session) throws(PostgresError) -> Reading<Value> in
                    let state = try session.one(DaemonStatements.standbyState)
                    self.deadlines.remove(watched)
                    if let (reason, cause) = self.objection(to: state) { return .unfit(reason, cause: cause) }
                    if let limit { try session.run(CallStatements.limitStatement, [.text(String(limit))]) }
                    return .read(try body(session), ageMs: state.ageMs ?? 0, of: session.settings)
                }
                // The next connection looks for a standby again.
                if case .unfit(.away, _) = reading { session.close() }
                return reading
            }
            switch reading {
            case .read(let value, let ageMs, let place):
                context.timer.note(ageMs: ageMs)
                note { $0.answered(ageMs, place) }
                return value
            case .unfit(let reason, let cause): note { $0.gaveWay(reason, cause) }
            }
        } catch {
            guard !context.isLate, !context.call.cancellation.isCancelled else { return nil }
            let reason: Reason =
                switch error.kind {
                case .connectionFailed, .connectionLost, .closed, .cancelled, .poolExhausted, .systemResources: .away
                default: .refused
                }
            note { $0.gaveWay(reason, error.kind == .cancelled ? "it does not answer" : "\(error)") }
        }
        return nil
    }

    private enum Reading<Value: Sendable>: Sendable {
        case read(Value, ageMs: Int64, of: ConnectionSettings)
        case unfit(Reason, cause: String)
    }

    /// Why a server must not be read from; nil when it may.
    private func objection(to state: DaemonStatements.StandbyState) -> (Reason, cause: String)? {
        if state.origin != origin { return (.foreign, "the server has another database") }
        if !state.isStandby { return (.away, "the server was promoted") }
        guard let ageMs = state.ageMs else { return (.old, "how old its data is, is not known") }
        return ageMs > mostAgeMs ? (.old, "its data is \(ageMs) ms old") : nil
    }

    /// Counts, and logs when it is another server now that answers.
    private func note(_ change: (inout Figures) -> Void) {
        let (before, after) = tallies.withLock { figures in
            let before = figures.reason
            change(&figures)
            return (before, figures)
        }
        guard before != after.reason else { return }
        if let reason = after.reason {
            logger.notice(
                "the primary answers a report",
                metadata: ["why": "\(reason)", "cause": "\(after.cause ?? "")"]
            )
        } else {
            logger.notice("the standby answers reports again")
        }
    }
}

extension Standby {
    /// Why the primary had to answer.
    enum Reason: String, Sendable, CaseIterable {
        /// No standby can be reached, or it does not answer.
        case away
        /// Its data is too old.
        case old
        /// It is no copy of the primary's database.
        case foreign
        /// It has ended or refused the call: a conflict with what it replays, most often.
        case refused
    }

    /// What became of the reports so far.
    struct Figures: Sendable {
        private var place: ConnectionSettings?
        private var ageMs: Int64?
        private var read: Int64 = 0
        private var byPrimary: [Reason: Int64] = [:]
        /// Why the primary answered the last one; nil when the standby did.
        fileprivate var reason: Reason?
        fileprivate var cause: String?

        fileprivate mutating func answered(_ ageMs: Int64, _ place: ConnectionSettings) {
            self.ageMs = ageMs
            self.place = place
            read += 1
            reason = nil
            cause = nil
        }

        fileprivate mutating func gaveWay(_ reason: Reason, _ cause: String) {
            byPrimary[reason, default: 0] += 1
            self.reason = reason
            self.cause = cause
        }

        var json: JSONObject {
            [
                "host": place?.host.map { .string($0) } ?? .null,
                "port": place?.port.flatMap { Int64($0) }.map { .integer($0) } ?? .null,
                "ageMs": ageMs.map { .integer($0) } ?? .null, "read": .integer(read),
                "primary": .object(JSONObject(Reason.allCases.map { ($0.rawValue, .integer(byPrimary[$0] ?? 0)) })),
                "reason": reason.map { .string($0.rawValue) } ?? .null, "cause": cause.map { .string($0) } ?? .null,
            ]
        }

        func add(to text: inout MetricsText) {
            text.gauge(
                "pricingd_standby_reads_total",
                "Calls that a standby has answered.",
                read,
                type: "counter"
            )
            text.describe(
                "pricingd_standby_fallbacks_total",
                "counter",
                "Calls that the primary answered in a standby's place, by reason."
            )
            for reason in Reason.allCases {
                text.sample(
                    "pricingd_standby_fallbacks_total",
                    [("reason", reason.rawValue)],
                    "\(byPrimary[reason] ?? 0)"
                )
            }
            text.describe("pricingd_standby_age_seconds", "gauge", "How old the data was that a standby gave last.")
            text.sample("pricingd_standby_age_seconds", [], "\(Double(ageMs ?? 0) / 1000)")
        }
    }
}
