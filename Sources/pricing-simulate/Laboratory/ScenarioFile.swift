import JSON
import PricingClient

/// A scenario file: CSV with one scenario a line.
enum ScenarioFile {
    /// Columns that `lab.run` takes as text; every other one it takes is a number.
    private static let texts = ["name", "demand", "season_true", "season_believed"]
    private static let numbers = [
        "stock", "horizon_days", "customers_per_day", "season_max", "base", "ref_rate", "elasticity", "salvage",
        "believed_decay", "seed", "optimum", "best_fixed_price",
    ]
    private static let required = ["name", "stock", "horizon_days", "customers_per_day", "demand", "base"]

    /// The lines under the header, with all their columns.
    static func rows(in text: String) throws(CSVTable.Malformed) -> [CSVTable.Row] {
        let table = try CSVTable(text)
        for name in required where !table.columns.contains(name) {
            throw CSVTable.Malformed(line: table.headerLine, problem: "there is no column \(name)")
        }
        guard !table.rows.isEmpty else {
            throw CSVTable.Malformed(line: table.headerLine, problem: "no scenario follows the header")
        }
        return table.rows
    }

    /// The scenarios as `lab.run` takes them: empty fields and columns that it does not know are left out.
    static func scenarios(in text: String) throws(CSVTable.Malformed) -> [JSONObject] {
        var scenarios: [JSONObject] = []
        for row in try rows(in: text) {
            var scenario: JSONObject = [:]
            for name in texts { scenario[name] = row.fields[name].flatMap { $0.isEmpty ? nil : .string($0) } }
            for name in numbers {
                guard let field = row.fields[name], !field.isEmpty else { continue }
                scenario[name] = try number(field, name, row.line)
            }
            scenarios.append(scenario)
        }
        return scenarios
    }

    /// A number as it is written; a whole one, such as `1.0`, as an integer.
    private static func number(_ field: String, _ name: String, _ line: Int) throws(CSVTable.Malformed) -> JSONValue {
        guard let value = Double(field), value.isFinite else {
            throw CSVTable.Malformed(line: line, problem: "\(name) is no number: \(field)")
        }
        return Int64(exactly: value).map { .integer($0) } ?? .decimal("\(value)")
    }
}
