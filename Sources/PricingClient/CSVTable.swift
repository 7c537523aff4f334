/// CSV after RFC 4180 whose header names the columns. A quoted field may hold commas, line ends and doubled quotation marks;
/// blank lines are no rows.
package struct CSVTable: Sendable {
    /// What is wrong with a text.
    package struct Malformed: Error, CustomStringConvertible, Equatable {
        /// Counted from 1, the header's.
        package let line: Int
        package let problem: String

        package init(line: Int, problem: String) {
            self.line = line
            self.problem = problem
        }

        package var description: String { "line \(line): \(problem)" }
    }

    /// One row: every column's field by the column's name.
    package struct Row: Sendable {
        /// Where it begins.
        package let line: Int
        package let fields: [String: String]
    }

    /// The columns in order, and the line that names them.
    package let columns: [String]
    package let headerLine: Int
    /// The rows under the header, with all their columns.
    package let rows: [Row]

    /// Reads a text.
    /// - Throws: `Malformed` without a header, for a row of more or fewer fields, and for a quotation mark that is left open.
    package init(_ text: String) throws(Malformed) {
        var records = try Self.records(in: text)[...]
        guard let header = records.popFirst() else { throw Malformed(line: 1, problem: "there is no header") }
        columns = header.fields
        headerLine = header.line
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
        self.rows = rows
    }

    private struct Record {
        let line: Int
        var fields: [String]
    }

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
