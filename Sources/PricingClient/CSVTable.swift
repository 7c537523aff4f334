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
        let mark: Character = "\u{FEFF}"
        var records = try Self.records(in: text.first == mark ? String(text.dropFirst()) : text)[...]
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

    /// A line of fields, whatever their number.
    package struct Record: Sendable, Equatable {
        /// Where it begins, counted from 1.
        package let line: Int
        package var fields: [String]
    }

    /// The records of a text, its blank lines left out. A quotation mark inside an unquoted field is a letter like others.
    package static func records(
        in text: String,
        separatedBy separator: UInt8 = UInt8(ascii: ",")
    ) throws(Malformed) -> [Record] {
        var reader = Reader(separator: separator)
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            try reader.take(byte, before: index + 1 < bytes.count ? bytes[index + 1] : nil)
        }
        return try reader.end()
    }

    private struct Reader {
        private enum Place {
            case bare
            case quoted
            /// After the first of two quotation marks inside a quoted field.
            case doubled
            /// After a quoted field's end.
            case closed
        }

        let separator: UInt8
        private var records: [Record] = []
        private var record = Record(line: 1, fields: [])
        private var field: [UInt8] = []
        private var line = 1
        private var place = Place.bare

        init(separator: UInt8) { self.separator = separator }

        mutating func take(_ byte: UInt8, before next: UInt8?) throws(Malformed) {
            let (mark, blank) = (UInt8(ascii: "\""), UInt8(ascii: " "))
            let (newline, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
            let endsLine = byte == newline || byte == carriage && next != newline
            if endsLine { line += 1 }
            switch place {
            case .doubled:
                field.append(byte)
                place = .quoted
            case .quoted where byte == mark: place = next == mark ? .doubled : .closed
            case .quoted: field.append(byte)
            case .bare, .closed:
                if byte == separator || endsLine {
                    endField()
                    if endsLine { endRecord() }
                } else if byte == carriage || place == .closed && byte == blank {
                    return
                } else if place == .closed {
                    throw Malformed(line: line, problem: "text follows a closing quotation mark")
                } else if byte == mark, field.allSatisfy({ $0 == blank }) {
                    field = []
                    place = .quoted
                } else {
                    field.append(byte)
                }
            }
        }

        mutating func end() throws(Malformed) -> [Record] {
            guard place != .quoted else {
                throw Malformed(line: record.line, problem: "a quotation mark is never closed")
            }
            endField()
            endRecord()
            return records
        }

        private mutating func endField() {
            record.fields.append(String(decoding: field, as: UTF8.self))
            field = []
            place = .bare
        }

        private mutating func endRecord() {
            if record.fields != [""] { records.append(record) }
            record = Record(line: line, fields: [])
        }
    }
}

extension CSVTable {
    /// A record as a line, with quotation marks around the fields that need them.
    package static func line(_ fields: [String], separatedBy separator: UInt8 = UInt8(ascii: ",")) -> String {
        let special = Set("\"\r\n".utf8).union([separator])
        let quoted = fields.map { field -> String in
            guard field.utf8.contains(where: special.contains) else { return field }
            let mark = UInt8(ascii: "\"")
            let doubled = field.utf8.flatMap { $0 == mark ? [mark, mark] : [$0] }
            return "\"" + String(decoding: doubled, as: UTF8.self) + "\""
        }
        return quoted.joined(separator: String(UnicodeScalar(separator))) + "\n"
    }

    /// A text that a spreadsheet does not run: one that begins like a formula gets an apostrophe before it, and so does one
    /// that would lose an apostrophe of its own to `plain`.
    package static func harmless(_ text: String) -> String {
        isFormula(text.utf8.drop { $0 == UInt8(ascii: "'") }) ? "'" + text : text
    }

    /// The text that `harmless` was given.
    package static func plain(_ cell: String) -> String {
        let bytes = cell.utf8.drop { $0 == UInt8(ascii: "'") }
        return bytes.startIndex > cell.startIndex && isFormula(bytes) ? String(cell.dropFirst()) : cell
    }

    private static func isFormula(_ bytes: Substring.UTF8View) -> Bool {
        bytes.first.map(formulaStarts.contains) ?? false
    }

    private static let formulaStarts = Set("=+-@\t\r".utf8)
}
