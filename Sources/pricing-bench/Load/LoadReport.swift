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
    /// Nanoseconds of every call that had a result, and by reason of those that were refused.
    private var latencies = Self.times
    private var refusals: [String: Histogram<UInt64>] = [:]
    /// None yet: to three digits, up to twice the longest load.
    private static var times: Histogram<UInt64> { Histogram(highestTrackableValue: 7_200 * 1_000_000_000) }
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
        let time = min(UInt64(max(latency, 1)), latencies.highestTrackableValue)
        if let refusal {
            refusals[refusal, default: Self.times].record(time)
            refused[refusal, default: 0] += 1
        } else {
            latencies.record(time)
            if isInTime { inTime += 1 }
        }
    }

    /// Notes what became of a subscription.
    mutating func noteSubscription(refusal: String?) {
        if let refusal { refused[refusal, default: 0] += 1 }
    }

    /// Calls that were answered.
    var answered: UInt64 { refusals.values.reduce(latencies.totalCount) { $0 + $1.totalCount } }

    /// Results a second, of those that came in time.
    var perSecond: Double { Double(inTime) / Double(plan.seconds) }

    /// The latency in milliseconds that so many percent of the results did not exceed; nil when there was none.
    func milliseconds(_ percent: Double) -> Double? { Self.milliseconds(latencies, percent) }

    /// The same of calls that were refused for a reason.
    func milliseconds(_ percent: Double, refused reason: String) -> Double? {
        refusals[reason].flatMap { Self.milliseconds($0, percent) }
    }

    private static func milliseconds(_ times: Histogram<UInt64>, _ percent: Double) -> Double? {
        times.totalCount == 0 ? nil : Double(times.valueAtPercentile(percent)) / 1_000_000
    }

    /// The whole as JSON; latencies are null when nothing had a result.
    var json: JSONObject {
        func percentiles(_ times: Histogram<UInt64>) -> JSONValue {
            .object(
                JSONObject(
                    Self.percentiles.map { ($0.name, Self.milliseconds(times, $0.percent).map { .number($0) } ?? nil) }
                )
            )
        }
        let times = refusals.sorted { $0.key < $1.key }.map { ($0.key, percentiles($0.value)) }
        let reasons = refused.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.integer($0.value)) }
        return [
            "work": .string(plan.work.rawValue), "connections": .integer(Int64(plan.connections)),
            "depth": .integer(Int64(plan.depth)), "seconds": .integer(Int64(plan.seconds)),
            "rate": plan.rate.map { .number($0) } ?? nil, "lines": .integer(Int64(plan.lines)),
            "subscribers": .integer(Int64(plan.subscribers)), "answered": .integer(Int64(answered)),
            "perSecond": .number(perSecond),
            "latencyMs": percentiles(latencies), "refused": .object(JSONObject(reasons)),
            "refusalMs": .object(JSONObject(times)), "unanswered": .integer(unanswered), "unsent": .integer(unsent),
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
            let time = milliseconds(50, refused: reason).map { ", median \(JSONValue.number($0)) ms" } ?? ""
            lines.append("refused      \(count)  \(reason)\(time)")
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
