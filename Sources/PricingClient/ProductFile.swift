package import JSON
import PricingProtocol

/// A merchant's file of products as rows of `product.import`. It is one record a product under a header that names the
/// members; nothing in it is guessed but the separator.
package struct ProductFile: Sendable {
    /// What the file cannot say of itself.
    package struct Reading: Sendable {
        package var encoding: TextEncoding?
        /// Found in the header where nil.
        package var separator: Separator?
        package var hasDecimalComma = false
        /// Members by the columns that hold them; an empty one leaves its column out.
        package private(set) var map: [String: String] = [:]

        package init() {}

        /// Takes what `--map` says: `column=member,column=member`.
        package mutating func take(map text: String) throws(Unusable) {
            for pair in text.split(separator: ",") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard sides.count == 2, !sides[0].isEmpty, map.updateValue(sides[1], forKey: sides[0]) == nil else {
                    throw Unusable(problems: ["--map \(pair): give each column once, as column=member"])
                }
            }
        }
    }

    package enum Separator: String, CaseIterable, Sendable {
        case comma
        case semicolon
        case tab

        package var byte: UInt8 {
            switch self {
            case .comma: UInt8(ascii: ",")
            case .semicolon: UInt8(ascii: ";")
            case .tab: UInt8(ascii: "\t")
            }
        }
    }

    /// Why nothing of the file can be done.
    package struct Unusable: Error, Equatable {
        package let problems: [String]
    }

    /// Why a row cannot be done.
    package struct Failure: Error, Sendable, Equatable {
        /// As the file's header has it; nil where the whole row is meant.
        package let column: String?
        package let problem: String

        package init(column: String? = nil, _ problem: String) {
            self.column = column
            self.problem = problem
        }

        package var description: String { (column.map { "\($0): " } ?? "") + problem }
    }

    package struct Row: Sendable {
        /// Where it begins in the file, counted from 1, the header's.
        package let line: Int
        package let fields: [String]
        /// What `product.import` takes.
        package fileprivate(set) var product: Result<JSONObject, Failure>
    }

    /// The header as it stands in the file.
    package let columns: [String]
    package let separator: Separator
    package private(set) var rows: [Row]

    /// The member that each column holds; nil for those that are left out.
    private let members: [Field?]

    /// Reads a file.
    /// - Throws: for what makes all of it doubtful: bytes that are no text, quotation marks left open, unknown columns.
    package init(_ bytes: [UInt8], _ reading: Reading = Reading()) throws(Unusable) {
        var records: ArraySlice<CSVTable.Record>
        do throws(CSVTable.Malformed) {
            let text = try TextEncoding.text(of: bytes, as: reading.encoding)
            if let given = reading.separator { separator = given } else { separator = try Self.separator(of: text) }
            records = try CSVTable.records(in: text, separatedBy: separator.byte).drop { $0.isEmpty }
        } catch {
            throw Unusable(problems: ["\(error)"])
        }
        guard let header = records.popFirst() else { throw Unusable(problems: ["the file has no header"]) }
        let rest = records.filter { !$0.isEmpty }
        columns = header.fields
        members = try ProductColumns(header: header, rows: rest, map: reading.map).members
        rows = []
        for record in rest {
            rows.append(Row(line: record.line, fields: record.fields, product: product(record, reading)))
        }
        refuseRepeated()
    }

    /// The separator that the header line has most of, outside quotation marks.
    private static func separator(of text: String) throws(CSVTable.Malformed) -> Separator {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in text.utf8.drop(while: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            counts[byte, default: 0] += 1
        }
        let found = Separator.allCases.map { (separator: $0, count: counts[$0.byte] ?? 0) }
        let most = found.map(\.count).max() ?? 0
        let best = found.filter { $0.count == most }.map(\.separator)
        guard most > 0 else { return .comma }
        guard best.count == 1 else {
            let names = best.map(\.rawValue).joined(separator: " or ")
            throw .init(line: 1, problem: "the header may be separated by \(names): name it with --separator")
        }
        return best[0]
    }

    // MARK: Rows

    /// The longest row, in bytes of a call.
    private static let rowBytes = 256 << 10

    private func product(_ record: CSVTable.Record, _ reading: Reading) -> Result<JSONObject, Failure> {
        guard record.fields.count == columns.count else {
            var problem = "there are \(record.fields.count) fields under \(columns.count) columns"
            if record.fields.count > columns.count, separator == .comma {
                problem += "; a field that holds a comma stands in quotation marks"
            }
            return .failure(Failure(problem))
        }
        var product: JSONObject = [:]
        for (index, field) in members.enumerated() {
            guard let field, !record.fields[index].allSatisfy(\.isWhitespace) else { continue }
            let cell = ProductCell(text: CSVTable.plain(record.fields[index]), hasDecimalComma: reading.hasDecimalComma)
            do throws(Failure) {
                product[field.name] = try cell.value(field.schema)
            } catch {
                return .failure(Failure(column: columns[index], error.problem))
            }
        }
        guard product["sku"] != nil || product["productId"] != nil else {
            let problem = "is empty; the file given again would make the product twice"
            return .failure(Failure(column: column(of: "sku") ?? column(of: "productId"), problem))
        }
        guard product.serialized().count <= Self.rowBytes else { return .failure(Failure("the row is too long")) }
        return .success(product)
    }

    /// One row alone may name a product: which of two is meant, nobody can know.
    private mutating func refuseRepeated() {
        var lines: [String: Int] = [:]
        for index in rows.indices {
            for (column, field) in zip(columns.indices, members) {
                guard let name = field?.name, name == "sku" || name == "productId",
                    rows[index].fields.indices.contains(column)
                else { continue }
                let cell = CSVTable.plain(rows[index].fields[column]).withoutBlanksAround
                let key = "\(name) \(cell.lowercased())"
                if cell.isEmpty { continue }
                guard let first = lines[key] else {
                    lines[key] = rows[index].line
                    continue
                }
                let failure = Failure(column: columns[column], "\(cell) stands on line \(first) already")
                rows[index].product = .failure(failure)
            }
        }
    }

    /// The column that holds a member.
    private func column(of member: String) -> String? {
        zip(columns, members).first { $1?.name == member }?.0
    }

    // MARK: What the daemon says

    /// Why the daemon refused a row, told with the file's own column.
    /// - Parameter error: The `error` of one of the reply's `failed`.
    package func failure(_ error: JSONValue) -> Failure {
        let data = error["data"]
        if let violation = data?["violations"]?.array?.first {
            let path = (violation["path"]?.string ?? "").split(separator: "/").dropFirst(2)
            var problem = violation["message"]?.string ?? "is refused"
            let bound = violation["expected"]?.string ?? violation["expected"].map { "\($0)" } ?? ""
            switch violation["rule"] {
            case "minimum": problem += ": at least \(bound)"
            case "maximum": problem += ": at most \(bound)"
            default: break
            }
            return Failure(column: path.first.map { column(of: String($0)) ?? String($0) }, problem)
        }
        let member = data?.object?.first { column(of: $0.key) != nil }?.key
        return Failure(column: member.flatMap(column), error["message"]?.string ?? "refused without a reason")
    }

    /// The failed rows as a file to mend and give again, with the reasons in a column that an import leaves out. It has a
    /// byte order mark: so it is read aright whatever encoding is named, and by a spreadsheet.
    package func failedFile(_ failures: [Int: Failure]) -> String {
        let old = columns.firstIndex { ProductColumns.folded($0) == ProductColumns.folded(ProductColumns.reason) }
        func line(_ reason: String, _ fields: [String]) -> String {
            var fields = fields.map { CSVTable.harmless(CSVTable.plain($0)) }
            if let old, fields.indices.contains(old) { fields.remove(at: old) }
            return CSVTable.line([CSVTable.harmless(reason)] + fields, separatedBy: separator.byte)
        }
        return failures.sorted { $0.key < $1.key }.reduce("\u{FEFF}" + line(ProductColumns.reason, columns)) {
            $0 + line($1.value.description, rows[$1.key].fields)
        }
    }
}

extension CSVTable.Record {
    /// Whether it says nothing: a spreadsheet writes such records of nothing but separators.
    fileprivate var isEmpty: Bool { fields.allSatisfy { $0.allSatisfy(\.isWhitespace) } }
}
