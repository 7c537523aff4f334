import JSON

/// What moved since the last frame, of each thing the last state alone: a price that moved a hundred times in a quarter of
/// a second is shown once.
struct Conflation: Sendable {
    private struct Subject: Hashable {
        let topic: String
        let key: Int64
        /// Of automation, whose halts, proposals and deliveries have numbers of their own.
        let op: String?
    }

    /// More things than these in one frame are told as a gap.
    private let most: Int

    /// The last event of a thing, and how the thing stood before the first.
    private struct Moved {
        let before: JSONValue?
        var event: JSONObject
    }

    private static let members = ["topic", "key", "op", "at", "before", "after", "cause"]

    private var order: [Subject] = []
    private var items: [Subject: Moved] = [:]
    private var hasGap = false
    /// The number of the last event taken.
    private(set) var sequence: Int64 = 0

    init(most: Int = .max) { self.most = most }

    var isEmpty: Bool { items.isEmpty && !hasGap }

    /// Where the stream begins.
    mutating func begin(at number: Int64) { sequence = max(sequence, number) }

    /// Takes one event as the daemon sent it; one that was taken before is left out.
    mutating func take(event: JSONObject) {
        guard let number = event["sequence"]?.integer, number > sequence, let topic = event["topic"]?.string,
            let key = event["key"]?.integer
        else { return }
        sequence = number
        let subject = Subject(topic: topic, key: key, op: topic == "automation" ? event["op"]?.string : nil)
        if let place = items.index(forKey: subject) {
            items.values[place].event = event
            return
        }
        guard order.count < most else { return hasGap = true }
        order.append(subject)
        items[subject] = Moved(before: event["before"], event: event)
    }

    /// Events are missing: pages read anew.
    mutating func gap(to number: Int64?) {
        hasGap = true
        if let number { begin(at: number) }
    }

    /// What a frame says of it, which then begins anew; nil when nothing moved.
    mutating func drain() -> JSONObject? {
        guard !isEmpty else { return nil }
        var frame: JSONObject = ["sequence": .integer(sequence)]
        frame["items"] = .array(order.compactMap { items[$0] }.map { .object(Conflation.item($0)) })
        if hasGap { frame["gap"] = true }
        order = []
        items = [:]
        hasGap = false
        return frame
    }

    private static func item(_ moved: Moved) -> JSONObject {
        var item: JSONObject = [:]
        for member in members { item[member] = member == "before" ? moved.before : moved.event[member] }
        return item
    }
}
