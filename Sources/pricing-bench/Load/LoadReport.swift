import Histogram
import JSON

/// What a load is.
struct LoadPlan: Sendable, Equatable {
    var work: Work
    var connections: Int
    /// Calls in flight on each.
    var depth: Int
    var seconds: Int
    /// Calls a second of an open loop; nil for a closed loop.
    var rate: Double?
    /// Lines of each order.
    var lines = 1
    /// Connections beside those, that subscribe to every event.
    var subscribers = 0
}

/// What a load came to.
struct LoadReport: Sendable {
    /// Percentiles that are told, by name.
    static let percentiles: [(name: String, percent: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100),
    ]

    let plan: LoadPlan
    /// Nanoseconds of every call that was answered, to three digits; up to twice the longest load.
    private var latencies = Histogram<UInt64>(highestTrackableValue: 7_200 * 1_000_000_000)
    /// Results that came while the load lasted.
    private(set) var inTime: Int64 = 0
    /// Answered calls by the reason of their refusal.
    private(set) var refused: [String: Int64] = [:]
    /// Calls without an answer at the end, and calls that were due and never sent.
    var unanswered: Int64 = 0
    var unsent: Int64 = 0
    /// Notifications that subscribers were sent.
    var events: Int64 = 0

    init(_ plan: LoadPlan) {
        self.plan = plan
    }

    /// Notes an answer.
    /// - Parameters:
    ///   - latency: nanoseconds since the call was due.
    ///   - isInTime: whether it came before the load's end.
    mutating func note(latency: Int64, refusal: String?, isInTime: Bool) {
        latencies.record(min(UInt64(max(latency, 1)), latencies.highestTrackableValue))
        if let refusal {
            refused[refusal, default: 0] += 1
        } else if isInTime {
            inTime += 1
        }
    }

    /// Notes what became of a subscription.
    mutating func noteSubscription(refusal: String?) {
        if let refusal { refused[refusal, default: 0] += 1 }
    }

    /// Calls that were answered.
    var answered: UInt64 { latencies.totalCount }

    /// Results a second, of those that came in time.
    var perSecond: Double { Double(inTime) / Double(plan.seconds) }

    /// The latency in milliseconds that so many percent of the calls did not exceed; nil when none was answered.
    func milliseconds(_ percent: Double) -> Double? {
        answered == 0 ? nil : Double(latencies.valueAtPercentile(percent)) / 1_000_000
    }

    /// The whole as JSON; latencies are null when nothing was answered.
    var json: JSONObject {
        let reasons = refused.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.integer($0.value)) }
        return [
            "work": .string(plan.work.rawValue), "connections": .integer(Int64(plan.connections)),
            "depth": .integer(Int64(plan.depth)), "seconds": .integer(Int64(plan.seconds)),
            "rate": plan.rate.map { .number($0) } ?? nil, "lines": .integer(Int64(plan.lines)),
            "subscribers": .integer(Int64(plan.subscribers)), "answered": .integer(Int64(answered)),
            "perSecond": .number(perSecond),
            "latencyMs": .object(
                JSONObject(Self.percentiles.map { ($0.name, milliseconds($0.percent).map { .number($0) } ?? nil) })
            ),
            "refused": .object(JSONObject(reasons)), "unanswered": .integer(unanswered), "unsent": .integer(unsent),
            "events": .integer(events),
        ]
    }

    /// The whole for people.
    var lines: [String] {
        var lines = ["answered     \(answered)", "per second   \(JSONValue.number(perSecond))"]
        for (name, percent) in Self.percentiles {
            guard let value = milliseconds(percent) else { continue }
            lines.append("\(name.padded(to: 12)) \(JSONValue.number(value)) ms")
        }
        for (reason, count) in refused.sorted(by: { ($0.value, $1.key) > ($1.value, $0.key) }) {
            lines.append("refused      \(count)  \(reason)")
        }
        if unanswered > 0 { lines.append("unanswered   \(unanswered)") }
        if unsent > 0 { lines.append("unsent       \(unsent)") }
        if plan.subscribers > 0 { lines.append("events       \(events)") }
        return lines
    }
}

extension JSONValue {
    /// A measured number with three digits after the point; null when it is none.
    static func number(_ value: Double) -> JSONValue {
        guard value.isFinite, abs(value) < 1e15 else { return .null }
        let thousandths = Int64((abs(value) * 1000).rounded())
        let digits = String(thousandths % 1000)
        let fraction = String(repeating: "0", count: 3 - digits.count) + digits
        return .decimal("\(value < 0 ? "-" : "")\(thousandths / 1000).\(fraction)")
    }
}

extension String {
    /// Spaces behind it up to a width.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
