import Logging
import Postgres
import PricingProtocol
import RPCTransport
import ServiceLifecycle
import Synchronization
import Waking

/// Numbers committed events and sends them to subscribers, strictly in the order of their numbers.
///
/// It wakes when this daemon has committed something, when another session says so (NOTIFY `pricing_event`), and when a
/// subscription begins. One loop does all of it, so an event cannot overtake another.
final class EventFeed: Service {
    /// Names a subscription: ids are counted on each connection from s1.
    struct Key: Hashable {
        let connection: Int
        let id: String
    }

    fileprivate struct Shared {
        var subscriptions: [Key: Subscription] = [:]
        var nextNumbers: [Int: Int] = [:]
        var lastNumber: Int64 = 0
        /// Which stream that is a number of; nil before the first look.
        var stream: String?
        var delivered: Int64 = 0
    }

    /// While nobody listens, events are numbered many at a time: each time is a commit that orders would wait beside.
    /// Whoever asks for events, or subscribes, has them numbered at once.
    private static let unheardPause = Duration.milliseconds(100)

    private let database: Database
    private let deadlines: DeadlineWatch
    private let logger: Logger
    private let idlePause = Waker()
    private let numbered: @Sendable () -> Void
    private let shared = Mutex(Shared())
    private let signal: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameter numbered: told when events were numbered since it was told last.
    init(
        database: Database,
        deadlines: DeadlineWatch,
        logger: Logger,
        numbered: @escaping @Sendable () -> Void
    ) {
        self.database = database
        self.deadlines = deadlines
        self.logger = logger
        self.numbered = numbered
        (signal, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Something was committed.
    func kick() {
        wake.yield()
    }

    /// How many subscriptions there are.
    var subscriptions: Int { shared.withLock { $0.subscriptions.count } }

    /// Those whose reader takes nothing, and whose overflow policy applies therefore.
    var slowSubscriptions: Int { shared.withLock { $0.subscriptions.values.count { $0.full?.isSlow == true } } }

    /// The event number given last, as far as this daemon has seen.
    var lastNumber: Int64 { shared.withLock { $0.lastNumber } }

    /// Event notifications that were put into a peer's output.
    var delivered: Int64 { shared.withLock { $0.delivered } }

    /// How many events the slowest subscription is behind.
    var lag: Int64 {
        shared.withLock { shared in
            shared.subscriptions.values.map { max(0, shared.lastNumber - $0.position) }.max() ?? 0
        }
    }

    /// An id for a subscription that is to begin on this connection.
    func newID(on connection: RPCConnection) -> String {
        shared.withLock { shared in
            shared.nextNumbers[connection.number, default: 0] += 1
            return "s\(shared.nextNumbers[connection.number, default: 1])"
        }
    }

    /// The number given last, everything committed so far included.
    static func currentPosition(_ session: Session) throws(PostgresError) -> Int64 {
        try currentEnd(session).last
    }

    private static func currentEnd(_ session: Session) throws(PostgresError) -> DaemonStatements.StreamEnd {
        try session.one(DaemonStatements.numberEvents)
    }

    /// Begins to send; call it once the reply to the subscriber stands in its output.
    func begin(_ subscription: Subscription) {
        shared.withLock { $0.subscriptions[subscription.key] = subscription }
        idlePause.wake()
        wake.yield()
    }

    /// Ends a subscription of this connection; false when it has none of this id.
    func end(_ id: String, of connection: RPCConnection) -> Bool {
        shared.withLock { $0.subscriptions.removeValue(forKey: Key(connection: connection.number, id: id)) } != nil
    }

    /// The daemon goes: every subscription ends, and its reader is told.
    func endAll() {
        let ending = shared.withLock { shared in
            defer { shared.subscriptions = [:] }
            return shared.subscriptions.values
        }
        for subscription in ending { subscription.tellClosed("SHUTTING_DOWN") }
    }

    /// The peer is gone.
    func connectionClosed(_ connection: RPCConnection) {
        shared.withLock { shared in
            shared.subscriptions = shared.subscriptions.filter { $0.key.connection != connection.number }
            shared.nextNumbers[connection.number] = nil
        }
    }

    func run() async {
        await withGracefulShutdownHandler {
            for await _ in signal {
                await serveAll()
                if subscriptions == 0 { await idlePause.wait(until: .now + Self.unheardPause) }
            }
        } onGracefulShutdown: {
            self.wake.finish()
            self.idlePause.wake()
        }
    }

    /// Numbers what was committed and serves every subscriber a page, until all have what there is. Round by round: one
    /// who has a million events to catch up with keeps nobody waiting for the newest.
    private func serveAll() async {
        do throws(PostgresError) {
            while true {
                let end = try await database.pool.run { (session) throws(PostgresError) in
                    try Self.currentEnd(session)
                }
                let last = end.last
                let (isNews, looked, pages) = shared.withLock { shared in
                    defer { shared.lastNumber = last }
                    shared.follow(end)
                    return (shared.lastNumber != last, shared.look(.now, last), shared.pages(before: last))
                }
                if isNews { numbered() }
                for subscription in looked { lookLater(at: subscription) }
                if pages.isEmpty { return }
                for page in pages {
                    let (events, oldest) = try await database.pool.run { (session) throws(PostgresError) in
                        let events = try session.all(page.statement, page.bindings)
                        // Read last: what the shop kept until then, the page had.
                        return (events, try session.one(DaemonStatements.oldestEvent))
                    }
                    let held = shared.withLock { $0.serve(events, page, oldest: oldest, before: last) }
                    for subscription in held { watch(subscription) }
                }
            }
        } catch {
            logger.warning("events cannot be read now", metadata: ["reason": "\(error)"])
            // Who reaches the database again wakes us; nothing is lost meanwhile, the rows are the stream.
            if error.kind == .connectionLost { return kick() }
            // Nobody tells when a lock on the stream is let go.
            _ = deadlines.add(.now + .seconds(1)) { self.kick() }
        }
    }

    /// Wakes for a held subscription once its output has room, and when it is to be looked at.
    private func watch(_ subscription: Subscription) {
        let key = subscription.key
        subscription.connection.whenPendingOutput(below: subscription.roomBytes) {
            self.shared.withLock { $0.subscriptions[key]?.full?.hasRoom = true }
            self.kick()
        }
        lookLater(at: subscription)
    }

    private func lookLater(at subscription: Subscription) {
        guard let lookAt = subscription.lookAt else { return }
        _ = deadlines.add(lookAt) { self.kick() }
    }
}

extension EventFeed.Shared {
    /// Looks whether a shop was restored in the place of this one: its events happened long ago, or are others than those
    /// that had these numbers, so every subscriber is told and goes on after them.
    mutating func follow(_ end: DaemonStatements.StreamEnd) {
        defer { stream = end.stream }
        guard let stream, stream != end.stream || end.before < lastNumber else { return }
        subscriptions = subscriptions.mapValues { $0.restored(at: end.before) }
    }

    /// Looks at the output of held subscriptions and serves on those that had room; those to be looked at again.
    mutating func look(_ now: ContinuousClock.Instant, _ last: Int64) -> [Subscription] {
        var again: [Subscription] = []
        for (key, subscription) in subscriptions where subscription.isHeld {
            let looked = subscription.looked(now).resumed(at: last)
            subscriptions[key] = looked
            if let looked, let full = looked.full, full.since == now, !full.isSlow { again.append(looked) }
        }
        return again
    }

    /// The pages that subscribers who have events to come, and room to take them, want next.
    func pages(before last: Int64) -> Set<Subscription.Page> {
        Set(subscriptions.values.filter { $0.position < last && !$0.isHeld }.map(\.page))
    }

    /// Sends a page to those who wanted it; the subscriptions whose output is full now.
    /// - Parameter oldest: the lowest number that the database still has.
    mutating func serve(
        _ events: [DaemonStatements.Event],
        _ page: Subscription.Page,
        oldest: Int64,
        before last: Int64
    ) -> [Subscription] {
        var held: [Subscription] = []
        for (key, subscription) in subscriptions where subscription.page == page && !subscription.isHeld {
            guard subscription.position + 1 >= oldest else {
                subscriptions[key] = subscription.skipping(to: oldest - 1, "EXPIRED")
                continue
            }
            var served = subscription.served(events)
            // Beyond the last event of the page's range there is none. The page may hold some that another daemon has
            // numbered since `last` was read: they are not sent again.
            if let position = served?.position, served?.isHeld == false, events.count < DaemonStatements.eventPage {
                served?.position = page.until ?? max(last, position)
            }
            subscriptions[key] = served
            if let served { delivered += served.delivered - subscription.delivered }
            if let served, served.isHeld { held.append(served) }
        }
        return held
    }
}

extension Subscription.Page {
    fileprivate var statement: Statement<DaemonStatements.Event> {
        until == nil ? DaemonStatements.eventsAfter : DaemonStatements.lastEvents
    }

    fileprivate var bindings: [Binding] {
        [.int(position)] + (until.map { [.int($0)] } ?? [])
    }
}
