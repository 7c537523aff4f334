import JSON

/// Rows and columns of text, ready for any renderer.
struct Grid: Equatable {
    /// One value of a row.
    struct Cell: Equatable {
        /// The value as text; empty for null.
        var text: String
        /// A number, or a string that is one (money).
        var isNumber = false
        /// Null or absent: says nothing about its column.
        var isNull = false

        /// A time.
        var isTime = false

        static let null = Cell(text: "", isNull: true)

        /// A time of the wire as the operator's clock shows it; anything else as it is.
        func shown(in times: HumanTime) -> Cell {
            guard let shown = times.shown(text) else { return self }
            return Cell(text: shown, isTime: true)
        }
    }

    var columns: [String]
    var rows: [[Cell]]

    /// What the column holds, by the last part of its name, else by its values.
    func kind(of column: Int, _ kinds: [String: ColumnKind]) -> ColumnKind {
        let name = columns[column]
        if let known = kinds[name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name] {
            return known
        }
        if isNumeric(column: column) { return .count }
        let texts = rows.lazy.map { $0[column] }.filter { !$0.isNull }
        return !texts.isEmpty && texts.allSatisfy(\.isTime) ? .time : .text
    }

    /// Without the columns in which nothing stands.
    var withoutEmptyColumns: Grid {
        let kept = columns.indices.filter { column in rows.contains { !$0[column].text.isEmpty } }
        guard kept.count < columns.count, !kept.isEmpty else { return self }
        return Grid(columns: kept.map { columns[$0] }, rows: rows.map { row in kept.map { row[$0] } })
    }

    /// With times as the operator's clock shows them.
    func shown(in times: HumanTime) -> Grid {
        Grid(columns: columns, rows: rows.map { $0.map { $0.shown(in: times) } })
    }

    /// Whether the column holds numbers only, and at least one.
    func isNumeric(column: Int) -> Bool {
        var seen = false
        for row in rows where column < row.count && !row[column].isNull {
            guard row[column].isNumber else { return false }
            seen = true
        }
        return seen
    }
}

extension Grid {
    /// A grid of `objects`, each flattened; the columns are all keys in the order they are first met.
    init(objects: [JSONObject]) {
        var order: [String: Int] = [:]
        columns = []
        rows = []
        for object in objects {
            var row: [Cell] = []
            for (key, cell) in Grid.flattened(object) {
                let index = order[key, default: columns.count]
                if index == columns.count {
                    order[key] = index
                    columns.append(key)
                }
                while row.count <= index { row.append(.null) }
                row[index] = cell
            }
            rows.append(row)
        }
        for index in rows.indices {
            while rows[index].count < columns.count { rows[index].append(.null) }
        }
    }

    /// The members of `object` as `path, cell`: nested objects become `outer.inner`.
    static func flattened(_ object: JSONObject, prefix: String = "") -> [(String, Cell)] {
        var result: [(String, Cell)] = []
        for (key, value) in object {
            if case .object(let inner) = value, !inner.isEmpty {
                result += flattened(inner, prefix: prefix + key + ".")
            } else {
                result.append((prefix + key, Cell(value)))
            }
        }
        return result
    }
}

extension Grid.Cell {
    /// The text of one JSON value; what has no plain text is shown as compact JSON.
    init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self.init(text: flag ? "true" : "false")
        case .integer(let number): self.init(text: String(number), isNumber: true)
        case .decimal(let digits): self.init(text: digits, isNumber: true)
        case .string(let text): self.init(text: text, isNumber: Self.isDecimal(text))
        case .array(let elements) where elements.allSatisfy(Self.isScalar):
            self.init(text: elements.map { Grid.Cell($0).text }.joined(separator: ", "))
        case .array, .object: self.init(text: JSONRenderer.compact(value))
        }
    }

    private static func isScalar(_ value: JSONValue) -> Bool {
        switch value {
        case .array, .object: false
        default: true
        }
    }

    private static func isDecimal(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count <= 2
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }
}
