import JSON

/// A scenario file: CSV whose header names the columns, one scenario a line, fields quoted where they hold commas.
enum ScenarioFile {
    /// What is wrong with a file.
    struct Malformed: Error, CustomStringConvertible, Equatable {
        /// Counted from 1, the header's.
        let line: Int
        let problem: String

        var description: String { "line \(line): \(problem)" }
    }

    /// Columns that `lab.run` takes as text; every other one it takes is a number.
    private static let texts = ["name", "demand", "season_true", "season_believed"]
    private static let numbers = [
        "stock", "horizon_days", "customers_per_day", "season_max", "base", "ref_rate", "elasticity", "salvage",
        "believed_decay", "seed", "optimum", "best_fixed_price",
    ]
    private static let required = ["name", "stock", "horizon_days", "customers_per_day", "demand", "base"]

    /// One scenario's line: every column's field by the column's name.
    struct Row: Sendable {
        let line: Int
        let fields: [String: String]
    }

    /// The lines under the header, with all their columns.
    static func rows(in text: String) throws(Malformed) -> [Row] {
        var records = try records(in: text)[...]
        guard let header = records.popFirst() else { throw Malformed(line: 1, problem: "there is no header") }
        for name in required where !header.fields.contains(name) {
            throw Malformed(line: header.line, problem: "there is no column \(name)")
        }
        var rows: [Row] = []
        for record in records {
            guard record.fields.count == header.fields.count else {
                throw Malformed(
                    line: record.line,
                    problem: "\(record.fields.count) fields under \(header.fields.count) columns"
                )
            }
            let fields = Dictionary(zip(header.fields, record.fields)) { _, last in last }
            rows.append(Row(line: record.line, fields: fields))
        }
        guard !rows.isEmpty else { throw Malformed(line: header.line, problem: "no scenario follows the header") }
        return rows
    }

    /// The scenarios as `lab.run` takes them: empty fields and columns that it does not know are left out.
    static func scenarios(in text: String) throws(Malformed) -> [JSONObject] {
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
    private static func number(_ field: String, _ name: String, _ line: Int) throws(Malformed) -> JSONValue {
        guard let value = Double(field), value.isFinite else {
            throw Malformed(line: line, problem: "\(name) is no number: \(field)")
        }
        return Int64(exactly: value).map { .integer($0) } ?? .decimal("\(value)")
    }

    private struct Record {
        let line: Int
        var fields: [String]
    }

    /// RFC 4180: a quoted field may hold commas, line ends and doubled quotation marks. Blank lines are no records.
    private static func records(in text: String) throws(Malformed) -> [Record] {
        var records: [Record] = []
        var record = Record(line: 1, fields: [])
        var field = ""
        var line = 1
        var isQuoted = false
        var rest = Substring(text).unicodeScalars
        while let scalar = rest.popFirst() {
            if scalar == "\n" { line += 1 }
            if isQuoted {
                if scalar != "\"" {
                    field.unicodeScalars.append(scalar)
                } else if rest.first == "\"" {
                    field.unicodeScalars.append(scalar)
                    rest.removeFirst()
                } else {
                    isQuoted = false
                }
                continue
            }
            switch scalar {
            case "\"": isQuoted = true
            case ",", "\n":
                record.fields.append(field)
                field = ""
                guard scalar == "\n" else { continue }
                if record.fields != [""] { records.append(record) }
                record = Record(line: line, fields: [])
            case "\r", "\u{FEFF}": break
            default: field.unicodeScalars.append(scalar)
            }
        }
        guard !isQuoted else { throw Malformed(line: record.line, problem: "a quotation mark is never closed") }
        record.fields.append(field)
        if record.fields != [""] { records.append(record) }
        return records
    }
}
