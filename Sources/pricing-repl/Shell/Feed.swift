import JSON
import PricingProtocol

/// One change of one thing, or several that became one.
struct Change: Equatable, Sendable {
    /// What it is a change of.
    struct Thing: Hashable, Sendable {
        var topic: String
        var key: Int64
    }

    var thing: Thing
    var op: String
    var at: String
    var sequence: Int64
    var before: JSONObject
    var after: JSONObject
    var cause: JSONObject
    /// How many events it stands for.
    var events = 1
    /// The event of which it was the last.
    var whole: JSONObject

    /// Nil for what is no event of a thing.
    init?(_ event: JSONObject) {
        guard let topic = event["topic"]?.string, let key = event["key"]?.integer,
            let sequence = event["sequence"]?.integer
        else { return nil }
        thing = Thing(topic: topic, key: key)
        op = event["op"]?.string ?? ""
        at = event["at"]?.string ?? ""
        self.sequence = sequence
        before = event["before"]?.object ?? [:]
        after = event["after"]?.object ?? [:]
        cause = event["cause"]?.object ?? [:]
        whole = event
    }

    /// Whether the last state tells enough: a price or a stock that moved on.
    var isMove: Bool { op == "update" && ["price", "stock"].contains(thing.topic) }

    /// The product that it is about.
    var productId: Int64? { ["price", "stock"].contains(thing.topic) ? thing.key : nil }

    /// Both as one: from where the earlier began to where the later ended.
    func followed(by later: Change) -> Change {
        var both = later
        both.before = before
        both.events = events + later.events
        return both
    }
}

/// What comes unasked, on its way to the screen. Events of a burst become one a product, a few of them are shown a second,
/// and what is not shown is counted. Pure: the time is given.
struct Feed: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What is to be shown next.
    struct Batch: Equatable {
        /// Texts of the connection and of subscriptions, whole.
        var texts: [String] = []
        var changes: [Change] = []
        /// Events that no line stands for.
        var hidden = 0

        var isEmpty: Bool { texts.isEmpty && changes.isEmpty && hidden == 0 }
    }

    /// Nothing of events is shown while this holds; they are counted.
    private(set) var isMuted = false
    private var eventsMuted = 0

    private var texts: [String] = []
    private var moves: [Change.Thing: Change] = [:]
    private var others: [Change] = []
    private var hidden = 0
    private var windowStart: Instant?
    private var windowShown = 0

    /// So many events are shown in a second.
    static let linesMax = 20
    static let window = Duration.seconds(1)
    /// So many things, and so many texts, wait at most.
    static let waitingMax = 1000

    /// Whether something waits to be shown.
    var isWaiting: Bool { !texts.isEmpty || !moves.isEmpty || !others.isEmpty || hidden > 0 }

    mutating func take(text: String) {
        texts.append(text)
        guard texts.count >= 2 * Self.waitingMax else { return }
        hidden += texts.count - Self.waitingMax
        texts.removeFirst(texts.count - Self.waitingMax)
    }

    mutating func take(_ change: Change) {
        if isMuted {
            eventsMuted += 1
            return
        }
        if change.isMove {
            moves[change.thing] = moves[change.thing]?.followed(by: change) ?? change
        } else {
            others.append(change)
        }
        // In large steps, since each sorts all that stay.
        if moves.count + others.count >= 2 * Self.waitingMax { keepNewest(Self.waitingMax) }
    }

    /// Mutes or not; how many events were not shown meanwhile.
    mutating func mute(_ wanted: Bool) -> Int {
        isMuted = wanted
        if wanted { (moves, others, hidden) = ([:], [], 0) }
        defer { eventsMuted = 0 }
        return eventsMuted
    }

    /// What may be shown now. What exceeds a second's lines waits for the next second, becomes one a product, and the
    /// newest of it are shown then.
    mutating func next(at now: Instant) -> Batch {
        if windowStart.map({ now >= $0 + Self.window }) ?? true { (windowStart, windowShown) = (now, 0) }
        var batch = Batch(texts: texts)
        texts = []
        let waiting = moves.count + others.count
        guard waiting > 0 || hidden > 0, windowShown == 0 || windowShown + waiting <= Self.linesMax else {
            return batch
        }
        keepNewest(Self.linesMax)
        batch.changes = inOrder
        batch.hidden = hidden
        windowShown += batch.changes.count
        (moves, others, hidden) = ([:], [], 0)
        return batch
    }

    /// When `next` may show more of what waits.
    func due(at now: Instant) -> Duration? {
        guard isWaiting else { return nil }
        return windowStart.map { max(.zero, $0 + Self.window - now) } ?? .zero
    }

    private var inOrder: [Change] { (Array(moves.values) + others).sorted { $0.sequence < $1.sequence } }

    private mutating func keepNewest(_ count: Int) {
        guard moves.count + others.count > count else { return }
        let all = inOrder
        hidden += all.dropLast(count).reduce(0) { $0 + $1.events }
        let kept = all.suffix(count)
        moves = Dictionary(kept.filter(\.isMove).map { ($0.thing, $0) }) { $0.followed(by: $1) }
        others = kept.filter { !$0.isMove }
    }
}
