import JSON
import JSONRPC
import PricingProtocol
import RPCTransport

/// One peer's wish for events, and how far it has been served. The rows in the database are the stream, so a slow
/// reader costs no memory: it is served on from its own position once its output has room again.
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
        /// There was room since.
        var hasRoom = false
    }

    let id: String
    let connection: RPCConnection
    /// nil for all.
    let topics: Set<String>?
    /// nil for all.
    let productIds: Set<Int64>?
    let overflow: Overflow
    /// The number of the last event that was sent or passed over.
    var position: Int64
    /// Its output is full, so that nothing is sent now; nil while there is room.
    var full: Full?
    /// Up to this number only the last event of each thing is sent.
    var conflatedUntil: Int64 = 0
    /// Events that were put into its output.
    var delivered: Int64 = 0

    /// No more is sent once more than this waits.
    private var softBytes: Int { min(connection.limits.outputSoftBytes, connection.limits.outputHardBytes) }

    /// It is served on once less than this waits.
    var roomBytes: Int { max(1, softBytes / 4) }

    var isHeld: Bool { full != nil }

    /// When to look whether its reader is slow; nil while there is room.
    var lookAt: ContinuousClock.Instant? {
        full.map { $0.since + .seconds(connection.limits.outputSoftSeconds) }
    }

    var key: EventFeed.Key { EventFeed.Key(connection: connection.number, id: id) }

    /// What it is to be sent next. So many numbers are conflated at once at most that finding the last events takes a
    /// bounded time.
    var page: Page {
        let until = min(conflatedUntil, position + Events.conflatedTogether)
        return Page(position: position, until: until > position ? until : nil)
    }

    func wants(_ event: DaemonStatements.Event) -> Bool {
        if let topics, !topics.contains(event.topic) { return false }
        guard let productIds else { return true }
        return event.productId.map { productIds.contains($0) } ?? false
    }

    /// `events.event`: the event's own members after the subscription's id.
    func notification(_ event: DaemonStatements.Event) -> JSONText {
        var text = Array("{\"subscription\":\"\(id)\",".utf8)
        text += JSONText(compacting: event.text).bytes.dropFirst()
        return JSONText(verbatim: text)
    }

    /// The subscription after it was sent these events, as far as its output has room; nil when its peer is gone.
    func served(_ events: [DaemonStatements.Event]) -> Subscription? {
        var served = self
        for event in events {
            if wants(event) {
                switch connection.send(notification: Events.Notice.event, params: notification(event)) {
                case .closed: return nil
                case .overflow:
                    served.full = Full(since: .now, pending: connection.pendingOutputBytes)
                    return served
                case .queued(let pending):
                    served.delivered += 1
                    if pending > softBytes { served.full = Full(since: .now, pending: pending) }
                }
            }
            served.position = event.sequence
            if served.isHeld { return served }
        }
        return served
    }

    /// A held subscription after a look at its output. Nothing is put into full output, so that as much waits as before
    /// means that nothing was taken: more than the soft limit for the whole time.
    func looked(_ now: ContinuousClock.Instant) -> Subscription {
        guard let full, !full.isSlow, let lookAt, now >= lookAt else { return self }
        let pending = connection.pendingOutputBytes
        var looked = self
        looked.full = Full(
            since: now,
            pending: pending,
            isSlow: pending >= full.pending,
            hasRoom: full.hasRoom
        )
        return looked
    }

    /// A held subscription once its output has room again, or it is to end, by its policy if its reader was slow; nil when
    /// it has ended. `last` is the number given last.
    func resumed(at last: Int64) -> Subscription? {
        guard let full else { return self }
        guard full.hasRoom || (full.isSlow && overflow == .disconnect) else { return self }
        var resumed = self
        resumed.full = nil
        guard full.isSlow else { return resumed }
        switch overflow {
        case .conflate: resumed.conflatedUntil = last
        case .gap: resumed = resumed.skipping(to: last, "SLOW_READER")
        case .disconnect:
            tellClosed("SLOW_READER")
            return nil
        }
        return resumed
    }

    /// The subscription after it was told, by `events.gap`, that what comes up to this number is left out.
    func skipping(to number: Int64, _ reason: String) -> Subscription {
        guard number > position else { return self }
        tell(Events.Notice.gap, reason, ["fromSequence": .integer(position + 1), "toSequence": .integer(number)])
        var skipping = self
        skipping.position = number
        return skipping
    }

    /// The subscription in a stream that was put in the place of its own, of which it is sent what comes after a number.
    func restored(at last: Int64) -> Subscription {
        tell(Events.Notice.gap, "RESTORED", ["fromSequence": 1, "toSequence": .integer(last)])
        var restored = self
        restored.position = last
        restored.conflatedUntil = 0
        return restored
    }

    /// Tells one who asked for what comes after this number, and not even that was given, that the stream goes on from its
    /// real end: the numbers in between will be those of other events than its reader believes to have seen.
    func tellAhead(_ asked: Int64) {
        guard asked > position else { return }
        tell(Events.Notice.gap, "AHEAD", ["fromSequence": .integer(position + 1), "toSequence": .integer(asked)])
    }

    /// `events.closed`: nothing more comes.
    func tellClosed(_ reason: String) {
        tell(Events.Notice.closed, reason)
    }

    private func tell(_ method: String, _ reason: String, _ facts: JSONObject = [:]) {
        var params: JSONObject = ["subscription": .string(id), "reason": .string(reason)]
        for (key, value) in facts { params[key] = value }
        // Small, and whoever is not told would miss events unawares: full output takes it too.
        _ = connection.send(notification: method, params: JSONText(params), limit: .max)
    }
}
