/// Rows beside their rivals: a line a scenario, a column a policy, means at the foot.
struct LabTable {
    /// Those that every result is shown beside.
    static let rivals = [
        "fixed_at_base", "best_fixed_oracle", "original_rule_10_20_80", "bands_10_20_80", "bands_20_25_75",
        "days_of_cover_bands",
    ]

    private let policies: [String]
    private var rows: [[LabRow]] = []
    private let nameWidth: Int

    init(policies: [String], scenarios: [String]) {
        self.policies = policies
        nameWidth = max(8, scenarios.map(\.count).max() ?? 0)
    }

    /// The column names.
    var header: String {
        line("scenario", policies.map { [$0, "changes"] })
    }

    /// One scenario's line: share of the optimum, or the mean where there is none, with its 95 % interval; changes.
    mutating func add(_ scenario: [LabRow]) -> String {
        rows.append(scenario)
        let cells = scenario.map { row in
            let value = row.share.map { Self.interval($0, row.shareInterval, digits: 4) }
            return [value ?? Self.interval(row.mean, row.meanInterval, digits: 2), Self.fixed(row.changes, 1)]
        }
        return line(scenario.first?.scenario ?? "", cells)
    }

    /// Over the scenarios whose optimum is known: the mean share and the worst.
    var foot: [String] {
        let columns = policies.indices.map { column in
            rows.compactMap { $0.indices.contains(column) ? $0[column] : nil }
        }
        let means = columns.map { column -> [String] in
            let shares = column.compactMap(\.share)
            let changes = Self.fixed(Self.mean(column.map(\.changes)), 1)
            guard !shares.isEmpty else { return ["-", changes] }
            let squares = column.compactMap(\.shareInterval).reduce(0) { $0 + $1 * $1 }
            return [Self.interval(Self.mean(shares), squares.squareRoot() / Double(shares.count), digits: 4), changes]
        }
        let worst = columns.map { column in [column.compactMap(\.share).min().map { Self.fixed($0, 4) } ?? "-", ""] }
        return [line("mean", means), line("worst", worst)]
    }

    private func line(_ name: String, _ cells: [[String]]) -> String {
        var text = Self.padded(name, nameWidth)
        for (policy, cell) in zip(policies, cells) {
            text += "  " + Self.padded(cell.first ?? "", max(16, policy.count), right: true)
            text += " " + Self.padded(cell.last ?? "", 7, right: true)
        }
        return text
    }

    private static func interval(_ value: Double, _ half: Double?, digits: Int) -> String {
        fixed(value, digits) + (half.map { " ±" + fixed($0, digits) } ?? "")
    }

    private static func mean(_ values: [Double]) -> Double {
        values.reduce(0, +) / Double(max(1, values.count))
    }

    private static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
        let filling = String(repeating: " ", count: max(0, width - text.count))
        return right ? filling + text : text + filling
    }

    /// So many digits after the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = Int64(exactly: (abs(value) * scale).rounded()) ?? .max
        let whole = Int64(scale)
        let rest = String(scaled % whole)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        return "\(sign)\(scaled / whole).\(String(repeating: "0", count: digits - rest.count))\(rest)"
    }
}
