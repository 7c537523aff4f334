import JSON
import Postgres

/// The named queries of `sql/03_sample_queries.sql`, as `report.run` runs them.
struct Report: Sendable, Equatable {
    let name: String
    let title: String
    let query: String

    /// The named queries of every `--! queries` script: `-- name: …`, a line of title, one SELECT.
    static let all: [Report] = SQLScript.embedded.filter { $0.kind == .queries }.flatMap { parse($0.text) }

    static func parse(_ text: String) -> [Report] {
        var reports: [Report] = []
        var name: String?
        var title = ""
        var lines: [Substring] = []
        func finish() {
            guard let name else { return }
            var query = lines.joined(separator: "\n")
            while query.last?.isWhitespace == true || query.last == ";" { query.removeLast() }
            reports.append(Report(name: name, title: title, query: query))
        }
        for line in text.split(separator: "\n") {
            if line.hasPrefix("-- name: ") {
                finish()
                name = String(line.dropFirst(9))
                title = ""
                lines = []
            } else if line.hasPrefix("--") {
                if title.isEmpty { title = String(line.drop { $0 == "-" || $0 == " " }) }
            } else {
                lines.append(line)
            }
        }
        finish()
        return reports
    }

    /// One row: the columns' names, and the cells unless the query has no rows, which gives one row without cells.
    struct Page: Sendable {
        let columns: [String]
        let cells: [JSONValue]?
    }

    /// At most $1 rows, and the columns' names even when there are none.
    var statement: Statement<Page> {
        Statement(
            "report_\(name)",
            """
            select r.* from (select 1) one
            left join (select true as is_present, q.* from (\(query)) q limit $1) r on true
            """
        ) { row throws(PostgresError) in
            var columns: [String] = []
            var cells: [JSONValue] = []
            for column in 1..<max(1, row.columnCount) {
                columns.append(try row.name(column))
                let isBoolean = try row.isBoolean(column)
                let isTime = try row.isTime(column)
                cells.append(
                    try row.textIfPresent(column).map { text in
                        isBoolean ? .bool(text == "t") : isTime ? Self.time(text) : Self.cell(text)
                    } ?? .null
                )
            }
            return Page(columns: columns, cells: try row.isNull(0) ? nil : cells)
        }
    }

    /// RFC 3339 in UTC with milliseconds, from PostgreSQL's own `2026-01-31 12:00:00.123456+00`: sessions are in UTC. Infinity
    /// is null, as everywhere.
    static func time(_ text: String) -> JSONValue {
        let parts = text.split(separator: " ")
        guard parts.count == 2, parts[1].hasSuffix("+00") else {
            return text.hasSuffix("infinity") ? .null : .string(text)
        }
        let seconds = parts[1].dropLast(3).split(separator: ".")
        let fraction = seconds.count > 1 ? seconds[1].prefix(3) : ""
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return .string("\(parts[0])T\(seconds[0]).\(fraction)\(zeros)Z")
    }

    /// Whole numbers stay numbers; everything else, such as money, is given as its exact text.
    private static func cell(_ text: String) -> JSONValue {
        guard text.utf8.count < 19, let number = Int64(text), String(number) == text else { return .string(text) }
        return .integer(number)
    }
}
