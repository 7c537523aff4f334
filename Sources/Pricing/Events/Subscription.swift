import JSON
import JSONRPC
import PricingProtocol

/// One peer's subscription to events, and how far it has been served.
///
/// A pure value: it says what to send and is told what became of that; `EventFeed` does the sending. The rows in the
/// database are the stream, so a slow reader costs no memory: it is served on from its own position once its output has
/// room again.
struct Subscription: Sendable {
    /// What becomes of events that a slow reader has not taken.
    enum Overflow: String, Sendable {
        /// Of what it missed only the last event of each thing is sent when there is room again.
        case conflate
        /// They are left out, and `events.gap` says which.
        case gap
        /// The subscription ends with `events.closed`.
        case disconnect
    }

    /// What to send to its reader.
    enum Action: Sendable, Equatable {
        /// `events.event` with these parameters, if the output has room for it.
        case event(JSONText)
        /// A notice, even if the output is full: it is small, and a reader that does not get it would miss events without
        /// knowing.
        case notice(_ method: String, JSONText)
    }

    /// Events that are read together.
    struct Page: Hashable {
        /// They have higher numbers.
        let position: Int64
        /// Only the last event of each thing up to this number; nil for all events.
        let until: Int64?
    }

    /// Output that is full.
    struct Full: Sendable {
        /// When it was looked at last.
        var since: ContinuousClock.Instant
        /// Bytes that waited then.
        var pending: Int
        /// Its reader took nothing for too long, so the overflow policy applies.
        var isSlow = false
    }

    let id: String
    let audience: EventAudience
    /// nil for all.
    let topics: Set<String>?
    /// nil for all.
    let productIds: Set<Int64>?
    /// nil for events of every order, and of none.
    let orderId: Int64?
    let overflow: Overflow
    /// No more events are sent once more than this many bytes wait.
    /// The peer's limit, and the part that it has now of what may wait for all peers.
    private let ownSoftBytes: Int
    var shareBytes = Int.max
    private var softBytes: Int { min(ownSoftBytes, shareBytes) }
    /// How long as many bytes may wait before its reader counts as slow.
    private let softTime: Duration
    /// The number of the last event that was sent or passed over.
    private(set) var position: Int64
    /// Its output is full, so that no events are sent now; nil while there is room.
    private(set) var full: Full?
    /// Up to this number only the last event of each thing is sent.
    private(set) var conflatedUntil: Int64 = 0
    /// Events that were put into its output.
    private(set) var delivered: Int64 = 0
    /// Nothing more is sent.
    private(set) var hasEnded = false

    init(
        id: String,
        audience: EventAudience = .peer,
        topics: Set<String>? = nil,
        productIds: Set<Int64>? = nil,
        orderId: Int64? = nil,
        overflow: Overflow,
        position: Int64,
        limits: TransportLimits
    ) {
        self.id = id
        self.audience = audience
        self.topics = topics
        self.productIds = productIds
        self.orderId = orderId
        self.overflow = overflow
        self.position = position
        ownSoftBytes = min(limits.outputSoftBytes, limits.outputHardBytes)
        softTime = .seconds(limits.outputSoftSeconds)
    }

    /// It is served on once fewer bytes than this wait.
    var roomBytes: Int { max(1, softBytes / 4) }

    var isHeld: Bool { full != nil }

    /// When to look whether its reader is slow; nil while there is room.
    var lookAt: ContinuousClock.Instant? { full.map { $0.since + softTime } }

    /// What it is to be sent next. The numbers that are conflated at once are limited, so that finding the last events
    /// takes a bounded time.
    var page: Page {
        let until = min(conflatedUntil, position + Events.conflatedTogether)
        return Page(position: position, until: until > position ? until : nil)
    }

    private func wants(_ event: DaemonStatements.Event) -> Bool {
        if let topics, !topics.contains(event.topic) { return false }
        if let orderId, event.orderId != orderId { return false }
        guard let productIds else { return true }
        return event.productId.map { productIds.contains($0) } ?? false
    }

    /// `events.event`: the event's own members after the subscription's id.
    private func notification(_ told: JSONText) -> JSONText {
        var text = Array("{\"subscription\":\"\(id)\",".utf8)
        text += told.bytes.dropFirst()
        return JSONText(verbatim: text)
    }

    private func notice(_ method: String, _ reason: String, _ facts: JSONObject = [:]) -> Action {
        var params: JSONObject = ["subscription": .string(id), "reason": .string(reason)]
        for (key, value) in facts { params[key] = value }
        return .notice(method, JSONText(params))
    }
}

// MARK: a page of events

extension Subscription {
    /// Offers the next event: what to send of it; nil for an event that it does not want or may not see, and that it has
    /// then passed over.
    mutating func offer(_ event: DaemonStatements.Event) -> Action? {
        if wants(event), let told = audience.told(event) { return .event(notification(told)) }
        position = event.sequence
        return nil
    }

    /// The event that it was offered stands in its output.
    /// - Parameter pending: bytes that wait in the output now.
    mutating func sent(_ event: DaemonStatements.Event, pending: Int, at now: ContinuousClock.Instant) {
        position = event.sequence
        delivered += 1
        if pending > softBytes { hold(pending: pending, at: now) }
    }

    /// Its output is full: no events are sent until it has room again.
    mutating func hold(pending: Int, at now: ContinuousClock.Instant) {
        full = Full(since: now, pending: pending)
    }

    /// The events of a page were offered. If there were fewer than fit in a page, there are none between them and the end
    /// of the page's range. They may include some that another daemon has numbered since `last` was read: those are not
    /// sent again.
    mutating func finish(_ page: Page, count: Int, last: Int64) {
        guard !isHeld, !hasEnded, count < DaemonStatements.eventPage else { return }
        position = page.until ?? max(last, position)
    }

    /// Its peer is gone.
    mutating func end() { hasEnded = true }
}

// MARK: a slow reader

extension Subscription {
    /// Looks at the output of a held subscription. No events are put into full output, so if as many bytes wait as before,
    /// the reader took nothing: more than the soft limit waited for the whole time.
    mutating func look(pending: Int, at now: ContinuousClock.Instant) {
        guard let full, !full.isSlow, let lookAt, now >= lookAt else { return }
        self.full = Full(since: now, pending: pending, isSlow: pending >= full.pending)
    }

    /// Serves a held subscription on once its output has room, and applies the overflow policy if its reader was slow. One
    /// that is to be disconnected ends without waiting for room.
    /// - Parameter last: the number given last.
    mutating func resume(at last: Int64, hasRoom: Bool) -> Action? {
        guard let full else { return nil }
        guard hasRoom || (full.isSlow && overflow == .disconnect) else { return nil }
        self.full = nil
        guard full.isSlow else { return nil }
        switch overflow {
        case .conflate:
            conflatedUntil = last
            return nil
        case .gap: return skip(to: last, "SLOW_READER")
        case .disconnect: return close("SLOW_READER")
        }
    }
}

// MARK: gaps and the end

extension Subscription {
    /// Leaves out what the shop no longer keeps.
    /// - Parameter oldest: the lowest number that the database still has.
    mutating func expire(before oldest: Int64) -> Action? {
        skip(to: oldest - 1, "EXPIRED")
    }

    private mutating func skip(to number: Int64, _ reason: String) -> Action? {
        guard number > position else { return nil }
        defer { position = number }
        return notice(
            Events.Notice.gap,
            reason,
            ["fromSequence": .integer(position + 1), "toSequence": .integer(number)]
        )
    }

    /// Continues in a stream that was put in the place of its own, with what comes after this number.
    mutating func restore(at last: Int64) -> Action {
        position = last
        conflatedUntil = 0
        return notice(Events.Notice.gap, "RESTORED", ["fromSequence": 1, "toSequence": .integer(last)])
    }

    /// Tells a reader who asked for what comes after a number that was not given yet that the stream goes on from its real
    /// end: the numbers in between will be those of other events than the reader believes it has seen.
    func ahead(of asked: Int64) -> Action? {
        guard asked > position else { return nil }
        return notice(
            Events.Notice.gap,
            "AHEAD",
            ["fromSequence": .integer(position + 1), "toSequence": .integer(asked)]
        )
    }

    /// Ends it with `events.closed`.
    mutating func close(_ reason: String) -> Action {
        hasEnded = true
        return notice(Events.Notice.closed, reason)
    }
}
