import Glibc
import JSON

/// What a command came to, for both ways of printing.
protocol Report: Sendable {
    /// The whole as JSON.
    var json: JSONObject { get }
    /// The whole for people.
    var lines: [String] { get }
}

/// One figure of ours beside another, and the ratio to reach.
struct Standing: Sendable {
    let name: String
    let title: String
    let unit: String
    /// Medians over the rounds; of a rival with several client counts, the best.
    let ours: Double
    let rival: Double
    /// Whether a larger ratio is better, and the ratio to reach; nil for a line that only informs.
    let isFloor: Bool
    let goal: Double?

    var ratio: Double { ours / rival }
    var isMet: Bool? { goal.map { isFloor ? ratio >= $0 : ratio <= $0 } }

    /// A rate, the more the better.
    static func rate(
        _ name: String,
        _ title: String,
        _ ours: Double,
        _ rival: Double,
        atLeast goal: Double?
    ) -> Standing {
        Standing(name: name, title: title, unit: "/s", ours: ours, rival: rival, isFloor: true, goal: goal)
    }

    /// A time or a size, the less the better.
    static func cost(
        _ name: String,
        _ title: String,
        _ unit: String,
        _ ours: Double,
        _ rival: Double,
        atMost goal: Double?
    ) -> Standing {
        Standing(name: name, title: title, unit: unit, ours: ours, rival: rival, isFloor: false, goal: goal)
    }

    /// As JSON.
    var json: JSONValue {
        [
            "name": .string(name), "title": .string(title), "unit": .string(unit), "ours": .number(ours),
            "rival": .number(rival), "ratio": .number(ratio), "goal": .string(isFloor ? "atLeast" : "atMost"),
            "limit": goal.map { .number($0) } ?? .null, "met": isMet.map { .bool($0) } ?? .null,
        ]
    }

    /// Rows of a Markdown table, head included.
    static func table(_ standings: [Standing]) -> [String] {
        ["| what | pricingd | beside | ratio | goal | met |", "|---|---|---|---|---|---|"]
            + standings.map { line in
                "| \(line.title) | \(JSONValue.number(line.ours)) \(line.unit) "
                    + "| \(JSONValue.number(line.rival)) \(line.unit) | \(JSONValue.number(line.ratio)) "
                    + "| \(line.goal.map { "\(line.isFloor ? "≥" : "≤") \($0)" } ?? "none") "
                    + "| \(line.isMet.map { $0 ? "yes" : "no" } ?? "-") |"
            }
    }
}

/// The machine's processors, shared by daemon, database and load.
let processors = Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN)))

/// The middle of the figures, the mean of the two in the middle of an even number; not a number for none.
func median(_ figures: [Double]) -> Double {
    let sorted = figures.sorted()
    guard !sorted.isEmpty, !figures.contains(where: \.isNaN) else { return .nan }
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
}
