import JSON

/// A result as people read it: loose fields first, then tables.
///
/// `items` (every list) and `columns` with `rows` (reports) are tables; so is any other array of objects, under its
/// own name. All else is a field, nested objects flattened. Of `_meta` the timing is left to `\timing`, and what
/// did not happen (`replayed: false`) is not told.
struct ResultView {
    /// A table and the name that it has in the result.
    struct Table {
        var name: String
        var grid: Grid
        /// The same as it came, for a row format that has no room for a table in a row.
        var json = ""
    }

    var fields: [(name: String, cell: Grid.Cell)] = []
    var tables: [Table] = []
    /// The fields that are lists without elements: a person need not read of them.
    private(set) var emptyLists: Set<String> = []
    /// The cursor of the next page, when there is one.
    var nextCursor: String?

    private let columns: [String]?
    private let isOrdered: Bool

    /// - Parameters:
    ///   - columns: those that `items` show; nil for all.
    ///   - isOrdered: whether they stand in that order, or in the server's.
    init(_ result: JSONObject, columns: [String]? = nil, isOrdered: Bool = true) {
        self.columns = columns
        self.isOrdered = isOrdered
        let report = ResultView.report(in: result)
        if let report { tables.append(report) }
        for (key, value) in result {
            if report != nil, key == "columns" || key == "rows" { continue }
            add(key, value)
        }
    }

    /// The rows that a row format (csv, tsv, md) shows: the list's or report's, else the fields as one row, in which each
    /// inner table is one cell of JSON.
    var mainGrid: Grid {
        if let main = tables.first(where: { $0.name == "items" || $0.name == "rows" }) { return main.grid }
        if fields.isEmpty, tables.count == 1, let only = tables.first { return only.grid }
        let all = fields + tables.map { (name: $0.name, cell: Grid.Cell(text: $0.json)) }
        return Grid(columns: all.map(\.name), rows: all.isEmpty ? [] : [all.map(\.cell)])
    }

    private mutating func add(_ key: String, _ value: JSONValue) {
        switch value {
        case .string(let cursor) where key == "nextCursor": nextCursor = cursor
        case .null where key == "nextCursor": break
        case .array(let elements):
            let objects = elements.compactMap { if case .object(let object) = $0 { object } else { nil } }
            let isTable = objects.count == elements.count && (key == "items" || !objects.isEmpty)
            if isTable {
                let shown = key == "items" ? objects.map(selected) : objects
                tables.append(Table(name: key, grid: Grid(objects: shown), json: JSONRenderer.compact(value)))
            } else {
                if elements.isEmpty { emptyLists.insert(key) }
                fields.append((key, Grid.Cell(value)))
            }
        case .object(let inner):
            for (name, member) in inner {
                if key == "_meta", name == "timing" || member == .bool(false) { continue }
                if case .array = member {
                    add(key + "." + name, member)
                } else if case .object(let deeper) = member {
                    fields += Grid.flattened(deeper, prefix: "\(key).\(name).").map { (name: $0.0, cell: $0.1) }
                } else {
                    fields.append((key + "." + name, Grid.Cell(member)))
                }
            }
        default: fields.append((key, Grid.Cell(value)))
        }
    }

    private func selected(_ object: JSONObject) -> JSONObject {
        guard let columns else { return object }
        guard isOrdered else {
            return JSONObject(object.filter { columns.contains($0.key) }.map { ($0.key, $0.value) })
        }
        return JSONObject(columns.compactMap { name in object[name].map { (name, $0) } })
    }

    private static func report(in result: JSONObject) -> Table? {
        guard case .array(let names)? = result["columns"], case .array(let rows)? = result["rows"] else { return nil }
        let columns = names.map { name in
            if case .object(let column) = name, let title = column["name"] { return Grid.Cell(title).text }
            return Grid.Cell(name).text
        }
        let cells = rows.map { row -> [Grid.Cell] in
            switch row {
            case .array(let values):
                let known = values.prefix(columns.count).map(Grid.Cell.init)
                return known + Array(repeating: .null, count: columns.count - known.count)
            case .object(let object): return columns.map { object[$0].map(Grid.Cell.init) ?? .null }
            default: return Array(repeating: .null, count: columns.count)
            }
        }
        return Table(name: "rows", grid: Grid(columns: columns, rows: cells))
    }
}
