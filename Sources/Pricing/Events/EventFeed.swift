import Logging
import Postgres
import PricingProtocol
import RPCTransport
import ServiceLifecycle
import Synchronization
import Waking

/// Numbers committed events and sends them to subscribers, strictly in the order of their numbers.
///
/// It wakes when this daemon has committed something, when another session has (NOTIFY `pricing_event`), and when a
/// subscription begins. One loop does all of it, so that no event overtakes another.
final class EventFeed: Service {
    /// Names a subscription: ids are counted on each connection from s1.
    struct Key: Hashable {
        let connection: Int
        let id: String
    }

    fileprivate struct Subscriber {
        let connection: RPCConnection
        var subscription: Subscription
        /// Its output has had room since it was full.
        var hasRoom = false
    }

    fileprivate struct Shared {
        var subscribers: [Key: Subscriber] = [:]
        var nextNumbers: [Int: Int] = [:]
        var lastNumber: Int64 = 0
        /// The stream that `lastNumber` belongs to; nil until it was read once.
        var stream: String?
        var delivered: Int64 = 0
        /// Whether the loop is sending to a subscriber at the moment; the mutex is not held meanwhile.
        var isSending = false
        /// To be run once it has finished that.
        var afterwards: [@Sendable () -> Void] = []
    }

    /// The least time between two numberings while there is no subscriber: each is a commit that competes with those of
    /// orders. A call that asks for events, and one that subscribes, number them at once.
    private static let unheardPause = Duration.milliseconds(100)

    private let database: Database
    private let deadlines: DeadlineWatch
    private let logger: Logger
    private let idlePause = Waker()
    private let numbered: @Sendable () -> Void
    private let shared = Mutex(Shared())
    private let signal: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    /// Whether something was committed since the last numbering.
    private let isKicked = Atomic(true)

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
        isKicked.store(true, ordering: .relaxed)
        wake.yield()
    }

    /// How many subscriptions there are.
    var subscriptions: Int { shared.withLock { $0.subscribers.count } }

    /// Subscriptions whose reader takes nothing, so that their overflow policy applies.
    var slowSubscriptions: Int {
        shared.withLock { $0.subscribers.values.count { $0.subscription.full?.isSlow == true } }
    }

    /// The logins under which subscriptions stand.
    var logins: Set<Int64> {
        shared.withLock { Set($0.subscribers.values.compactMap { $0.subscription.audience.login }) }
    }

    /// The event number given last, as far as this daemon has seen.
    var lastNumber: Int64 { shared.withLock { $0.lastNumber } }

    /// Event notifications that were put into a peer's output.
    var delivered: Int64 { shared.withLock { $0.delivered } }

    /// How many events the slowest subscription is behind.
    var lag: Int64 {
        shared.withLock { shared in
            shared.subscribers.values.map { max(0, shared.lastNumber - $0.subscription.position) }.max() ?? 0
        }
    }

    /// An id for a subscription that is to begin on this connection.
    func newID(on connection: RPCConnection) -> String {
        shared.withLock { shared in
            shared.nextNumbers[connection.number, default: 0] += 1
            return "s\(shared.nextNumbers[connection.number, default: 1])"
        }
    }

    /// Numbers everything that was committed so far, and returns the last number.
    static func currentPosition(_ session: Session) throws(PostgresError) -> Int64 {
        try session.one(DaemonStatements.numberEvents).last
    }

    /// Begins to send; call it once the reply to the subscriber stands in its output.
    /// - Parameter asked: the number after which the subscriber asked to begin.
    func begin(_ subscription: Subscription, on connection: RPCConnection, asked: Int64) {
        if let gap = subscription.ahead(of: asked) { connection.send(gap) }
        let key = Key(connection: connection.number, id: subscription.id)
        shared.withLock { $0.subscribers[key] = Subscriber(connection: connection, subscription: subscription) }
        idlePause.wake()
        kick()
    }

    /// Ends a subscription of this connection; nothing is sent for it once this returns. False when the connection has none
    /// of this id.
    func end(_ id: String, of connection: RPCConnection) async -> Bool {
        let key = Key(connection: connection.number, id: id)
        guard shared.withLock({ $0.subscribers.removeValue(forKey: key) }) != nil else { return false }
        await withCheckedContinuation { continuation in
            whenNotSending { continuation.resume() }
        }
        return true
    }

    /// Ends every subscription and tells the readers that the daemon shuts down.
    /// - Parameter told: runs once that stands in their output.
    func endAll(_ told: @escaping @Sendable () -> Void) {
        endAll("SHUTTING_DOWN", where: { _ in true }, told)
    }

    /// Ends the subscriptions of logins that have ended, and tells their readers.
    func endAll(of logins: Set<Int64>) {
        guard !logins.isEmpty else { return }
        endAll(ErrorCode.loginExpired.reason, where: { $0.audience.login.map { logins.contains($0) } ?? false })
    }

    private func endAll(
        _ reason: String,
        where isMeant: (Subscription) -> Bool,
        _ told: @escaping @Sendable () -> Void = {}
    ) {
        let ending = shared.withLock { shared in
            let ending = shared.subscribers.filter { isMeant($0.value.subscription) }
            for key in ending.keys { shared.subscribers[key] = nil }
            return Array(ending.values)
        }
        whenNotSending {
            for var subscriber in ending { subscriber.connection.send(subscriber.subscription.close(reason)) }
            told()
        }
    }

    /// Runs `body` once the loop is not sending to a subscriber: at once, or by the loop in a moment. What was removed
    /// before is sent nothing more then.
    private func whenNotSending(_ body: @escaping @Sendable () -> Void) {
        let isNow = shared.withLock { shared in
            if shared.isSending { shared.afterwards.append(body) }
            return !shared.isSending
        }
        if isNow { body() }
    }

    /// The peer is gone.
    func connectionClosed(_ connection: RPCConnection) {
        shared.withLock { shared in
            shared.subscribers = shared.subscribers.filter { $0.key.connection != connection.number }
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

    /// What one turn of the loop found.
    private struct Turn: Sendable {
        var end: (isNews: Bool, isRestored: Bool, before: Int64) = (false, false, 0)
        /// What subscribers want next: its events, and the lowest number that the database still has.
        var pages: [(page: Subscription.Page, events: [DaemonStatements.Event], oldest: Int64)] = []
    }

    /// Serves every subscriber a page, turn by turn until all have what there is, and numbers what is committed meanwhile: a
    /// subscriber who has a million events to catch up with does not keep the others from the newest.
    private func serveAll() async {
        do throws(PostgresError) {
            isKicked.store(true, ordering: .relaxed)
            while true {
                resumeHeld(at: lastNumber)
                let turn = try await database.pool.run { (session) throws(PostgresError) in try self.turn(session) }
                if turn.end.isNews { numbered() }
                if turn.end.isRestored {
                    restoreAll(at: turn.end.before)
                } else if turn.pages.isEmpty {
                    return
                }
                for (page, events, oldest) in turn.pages { send(events, page, oldest: oldest, last: lastNumber) }
            }
        } catch {
            logger.warning("events cannot be read now", metadata: ["reason": "\(error)"])
            // The keeper of the database wakes us once it is back; nothing is lost meanwhile, the rows are the stream.
            if error.kind == .connectionLost { return kick() }
            // A lock on the stream is let go without a notification.
            _ = deadlines.add(.now + .seconds(1)) { self.kick() }
        }
    }

    /// Numbers what was committed since the last numbering, where something was, and reads the pages that subscribers want:
    /// in one turn on a connection, since each change of threads delays what is live.
    private func turn(_ session: Session) throws(PostgresError) -> Turn {
        var turn = Turn()
        if isKicked.exchange(false, ordering: .relaxed) {
            let end = try session.one(DaemonStatements.numberEvents)
            let (isNews, isRestored) = shared.withLock { $0.note(end) }
            turn.end = (isNews, isRestored, end.before)
            if isRestored { return turn }
        }
        for page in shared.withLock({ $0.pages() }) {
            let events = try session.all(page.statement, page.bindings)
            // Read after the events, so that what was dropped before them counts as dropped.
            turn.pages.append((page, events, try session.one(DaemonStatements.oldestEvent)))
        }
        return turn
    }

    /// Tells every subscriber that a shop was restored in the place of this one: its events happened long ago, or are others
    /// than those that had these numbers. They go on after them.
    private func restoreAll(at last: Int64) {
        for key in shared.withLock({ Array($0.subscribers.keys) }) {
            update(key) { $0.connection.send($0.subscription.restore(at: last)) }
        }
    }

    /// Looks at the output of held subscriptions, and resumes those whose output had room.
    private func resumeHeld(at last: Int64) {
        let now = ContinuousClock.now
        for key in shared.withLock({ $0.keys { $0.isHeld } }) {
            let held = update(key) { subscriber in
                subscriber.subscription.look(pending: subscriber.connection.pendingOutputBytes, at: now)
                let action = subscriber.subscription.resume(at: last, hasRoom: subscriber.hasRoom)
                if let action { subscriber.connection.send(action) }
            }
            if let full = held?.subscription.full, full.since == now, !full.isSlow { lookLater(at: held?.subscription) }
        }
    }

    /// Sends a page to the subscribers who wanted it.
    /// - Parameter oldest: the lowest number that the database still has.
    private func send(_ events: [DaemonStatements.Event], _ page: Subscription.Page, oldest: Int64, last: Int64) {
        for key in shared.withLock({ $0.keys { $0.page == page && !$0.isHeld } }) {
            let served = update(key) { subscriber in
                if let gap = subscriber.subscription.expire(before: oldest) {
                    subscriber.connection.send(gap)
                } else {
                    subscriber.send(events)
                    subscriber.subscription.finish(page, count: events.count, last: last)
                }
            }
            if let served, served.subscription.isHeld { watch(key, served) }
        }
    }

    /// Changes a subscription and sends what it asks for, without holding the mutex meanwhile. Only the loop does so, for one
    /// subscription at a time, so that events stay in order; to end a subscription, wait with `whenNotSending`.
    /// - Returns: what became of it; nil when it has ended.
    @discardableResult
    private func update(_ key: Key, _ change: (inout Subscriber) -> Void) -> Subscriber? {
        guard var subscriber = shared.withLock({ $0.take(key) }) else { return nil }
        change(&subscriber)
        let (isLeft, afterwards) = shared.withLock { $0.putBack(subscriber.subscription, key) }
        for body in afterwards { body() }
        return isLeft ? subscriber : nil
    }

    /// Wakes for a held subscription once its output has room, and when it is to be looked at.
    private func watch(_ key: Key, _ subscriber: Subscriber) {
        subscriber.connection.whenPendingOutput(below: subscriber.subscription.roomBytes) {
            self.shared.withLock { $0.subscribers[key]?.hasRoom = true }
            self.kick()
        }
        lookLater(at: subscriber.subscription)
    }

    private func lookLater(at subscription: Subscription?) {
        guard let lookAt = subscription?.lookAt else { return }
        _ = deadlines.add(lookAt) { self.kick() }
    }
}

extension EventFeed.Shared {
    /// Notes the end of the stream: whether it has moved, and whether it is that of a shop restored in the place of this one.
    mutating func note(_ end: DaemonStatements.StreamEnd) -> (isNews: Bool, isRestored: Bool) {
        defer {
            stream = end.stream
            lastNumber = end.last
        }
        let isRestored = stream.map { $0 != end.stream || end.before < lastNumber } ?? false
        return (lastNumber != end.last, isRestored)
    }

    /// The pages that subscribers who have events to come, and room to take them, want next.
    func pages() -> Set<Subscription.Page> {
        Set(subscribers.values.map(\.subscription).filter { $0.position < lastNumber && !$0.isHeld }.map(\.page))
    }

    func keys(where isMeant: (Subscription) -> Bool) -> [EventFeed.Key] {
        subscribers.filter { isMeant($0.value.subscription) }.map(\.key)
    }

    /// Marks the loop as sending and gives it the subscriber; nil when the subscription has ended.
    mutating func take(_ key: EventFeed.Key) -> EventFeed.Subscriber? {
        guard let subscriber = subscribers[key] else { return nil }
        isSending = true
        return subscriber
    }

    /// The loop has finished sending: whether the subscription goes on, and what is to be run now.
    mutating func putBack(
        _ subscription: Subscription,
        _ key: EventFeed.Key
    ) -> (isLeft: Bool, afterwards: [@Sendable () -> Void]) {
        defer {
            isSending = false
            afterwards = []
        }
        guard var subscriber = subscribers[key] else { return (false, afterwards) }
        delivered += subscription.delivered - subscriber.subscription.delivered
        subscriber.subscription = subscription
        // `hasRoom` is not taken from the loop's copy, since it may have been set meanwhile.
        if !subscription.isHeld { subscriber.hasRoom = false }
        subscribers[key] = subscription.hasEnded ? nil : subscriber
        return (!subscription.hasEnded, afterwards)
    }
}

extension EventFeed.Subscriber {
    /// Sends events as far as the output has room.
    fileprivate mutating func send(_ events: [DaemonStatements.Event]) {
        for event in events {
            guard let action = subscription.offer(event) else { continue }
            switch connection.send(action) {
            case .queued(let pending): subscription.sent(event, pending: pending, at: .now)
            case .overflow: subscription.hold(pending: connection.pendingOutputBytes, at: .now)
            case .closed: return subscription.end()
            }
            if subscription.isHeld { return }
        }
    }
}

extension RPCConnection {
    @discardableResult
    fileprivate func send(_ action: Subscription.Action) -> SendResult {
        switch action {
        case .event(let params): send(notification: Events.Notice.event, params: params)
        case .notice(let method, let params): send(notification: method, params: params, limit: .max)
        }
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
