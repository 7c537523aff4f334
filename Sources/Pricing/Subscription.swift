import JSONRPC

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

    let id: String
    let connection: RPCConnection
    /// nil for all.
    let topics: Set<String>?
    /// nil for all.
    let productIds: Set<Int64>?
    let overflow: Overflow
    /// The number of the last event that was sent or passed over.
    var position: Int64
    /// Since when its output is full, so that nothing is sent now; nil while there is room.
    var fullSince: ContinuousClock.Instant?
    /// Up to this number only the last event of each thing is sent.
    var conflatedUntil: Int64 = 0
    /// Events that were put into its output.
    var delivered: Int64 = 0

    /// It is served on once less than this waits.
    var roomBytes: Int { connection.limits.outputSoftBytes / 4 }

    var isHeld: Bool { fullSince != nil }

    /// When its reader counts as slow, unless it takes something before; nil while there is room.
    var slowFrom: ContinuousClock.Instant? { fullSince.map { $0 + .seconds(connection.limits.outputSoftSeconds) } }

    func isSlow(at now: ContinuousClock.Instant) -> Bool { slowFrom.map { $0 <= now } ?? false }

    var key: EventFeed.Key { EventFeed.Key(connection: connection.number, id: id) }

    /// Numbers that are conflated at once at most, so that finding the last events takes a bounded time.
    private static let conflatedTogether: Int64 = 200_000

    /// What it is to be sent next.
    var page: Page {
        let until = min(conflatedUntil, position + Self.conflatedTogether)
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
                switch connection.send(notification: "events.event", params: notification(event)) {
                case .closed: return nil
                case .overflow:
                    served.fullSince = .now
                    return served
                case .queued(let pending):
                    served.delivered += 1
                    if pending > connection.limits.outputSoftBytes { served.fullSince = .now }
                }
            }
            served.position = event.sequence
            if served.isHeld { return served }
        }
        return served
    }

    /// A held subscription once its output has room again, or its reader was slow: then by its policy; nil when it has
    /// ended. `last` is the number given last.
    func resumed(at last: Int64, now: ContinuousClock.Instant) -> Subscription? {
        let isSlow = isSlow(at: now)
        guard connection.pendingOutputBytes < roomBytes || (isSlow && overflow == .disconnect) else { return self }
        var resumed = self
        resumed.fullSince = nil
        guard isSlow else { return resumed }
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
        tell("events.gap", reason, ["fromSequence": .integer(position + 1), "toSequence": .integer(number)])
        var skipping = self
        skipping.position = number
        return skipping
    }

    /// `events.closed`: nothing more comes.
    func tellClosed(_ reason: String) {
        tell("events.closed", reason)
    }

    private func tell(_ method: String, _ reason: String, _ facts: JSONObject = [:]) {
        var params: JSONObject = ["subscription": .string(id), "reason": .string(reason)]
        for (key, value) in facts { params[key] = value }
        _ = connection.send(notification: method, params: JSONText(params))
    }
}
