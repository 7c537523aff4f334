import JSON

/// What the shell knows of its connection: whether there is one, since when not, and which subscriptions go on after a
/// loss. Pure: the time is given, and what is to be done comes back.
struct Link: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Phase: Equatable, Sendable {
        /// Nothing was tried yet.
        case starting
        case up
        /// Lost or never found, after so many attempts.
        case down(since: Instant, attempts: Int)
    }

    /// What was subscribed to, to be asked for again.
    struct Subscription: Equatable, Sendable {
        /// The server's name for it, on the present connection.
        var name: String
        var parameters: JSONObject
        /// The last event's number, or the one after which the stream begins.
        var sequence: Int64

        /// The parameters that go on where it ended.
        var resumption: JSONObject {
            var all = parameters
            all["fromTime"] = nil
            all["snapshot"] = nil
            all["from"] = .integer(sequence)
            return all
        }
    }

    private(set) var phase = Phase.starting
    private(set) var subscriptions: [Subscription] = []

    private static let pauseMin = Duration.milliseconds(50)
    private static let pauseMax = Duration.seconds(1)

    /// The connection is there. How long it was away; nil for the first.
    mutating func connected(at now: Instant) -> Duration? {
        defer { phase = .up }
        guard case .down(let since, _) = phase else { return nil }
        return now - since
    }

    /// The connection has ended, or an attempt failed.
    mutating func failed(at now: Instant) {
        if case .down(let since, let attempts) = phase {
            phase = .down(since: since, attempts: attempts + 1)
        } else {
            phase = .down(since: now, attempts: 0)
        }
    }

    /// How long to wait before the next attempt: none after the loss, then twice as long each time, at most a second.
    var pause: Duration {
        guard case .down(_, let attempts) = phase, attempts > 0 else { return .zero }
        return min(Self.pauseMax, Self.pauseMin * (1 << min(attempts - 1, 10)))
    }

    /// A subscription that the server has confirmed.
    mutating func subscribed(_ parameters: JSONObject, reply: JSONObject) {
        guard let name = reply["subscription"]?.string else { return }
        subscriptions.append(
            Subscription(name: name, parameters: parameters, sequence: reply["sequence"]?.integer ?? 0)
        )
    }

    /// The server gave a subscription another name.
    mutating func renamed(_ old: String, reply: JSONObject) {
        guard let name = reply["subscription"]?.string, let index = index(of: old) else { return }
        subscriptions[index].name = name
    }

    /// It was ended by either side.
    mutating func ended(_ name: String) { subscriptions.removeAll { $0.name == name } }

    /// An event or a gap: what was told need not come again.
    mutating func saw(_ notice: JSONObject) {
        guard let name = notice["subscription"]?.string, let index = index(of: name),
            let number = (notice["sequence"] ?? notice["toSequence"])?.integer
        else { return }
        subscriptions[index].sequence = max(subscriptions[index].sequence, number)
    }

    mutating func forgetSubscriptions() { subscriptions = [] }

    /// What stands before the line that is typed while there is a connection.
    static let prompt = "pricing> "

    /// What stands before the line that is typed.
    func prompt(at now: Instant, isPlain: Bool = false) -> String {
        away(at: now, isPlain: isPlain).map { "pricing \($0)> " } ?? Self.prompt
    }

    /// `⟂ 3 s`: for how long there has been no connection; nil where there is one.
    func away(at now: Instant, isPlain: Bool = false) -> String? {
        guard case .down(let since, _) = phase else { return nil }
        return "\(isPlain ? "offline" : "⟂") \(Self.time(now - since))"
    }

    /// `3 s`, `12 min`, `5 h`.
    static func time(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        return switch seconds {
        case ..<100: "\(seconds) s"
        case ..<6000: "\(seconds / 60) min"
        default: "\(seconds / 3600) h"
        }
    }

    /// `1.8 s`.
    static func tenths(_ duration: Duration) -> String {
        let parts = duration.components
        let tenths = parts.seconds * 10 + parts.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }

    /// `92 ms`, `1.8 s`.
    static func milliseconds(_ duration: Duration) -> String {
        guard duration < .seconds(1) else { return tenths(duration) }
        return "\(duration.components.attoseconds / 1_000_000_000_000_000) ms"
    }

    private func index(of name: String) -> Int? { subscriptions.firstIndex { $0.name == name } }
}
