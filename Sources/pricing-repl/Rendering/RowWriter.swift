import JSON

/// The rows of a list in a format of rows, page after page under one header.
struct RowWriter {
    let format: OutputFormat
    private(set) var rows = 0
    private(set) var pages = 0
    /// Columns that came after the header was written.
    private(set) var leftOut: Set<String> = []
    private var columns: [String]
    private let isDescribed: Bool

    /// The formats in which a list is written to its end.
    static let formats: Set<OutputFormat> = [.csv, .tsv, .jsonl]

    /// - Parameter item: what the server says of a row; nil takes the columns of the first page.
    init(format: OutputFormat, item: Schema?) {
        self.format = format
        columns = item.map { Self.columns(of: $0) } ?? []
        isDescribed = !columns.isEmpty
    }

    /// The text of one more page.
    mutating func text(of items: [JSONValue]) -> String {
        let isFirst = pages == 0
        defer {
            pages += 1
            rows += items.count
        }
        switch format {
        case .jsonl: return items.map { JSONRenderer.compact($0) + "\n" }.joined()
        case .json, .table, .expanded:
            let texts = items.map { JSONRenderer.compact($0) }.joined(separator: ",\n")
            return (isFirst ? "{\"items\":[\n" : items.isEmpty ? "" : ",\n") + texts
        case .csv, .tsv, .md:
            let grid = grid(of: items, isFirst: isFirst)
            let renderer = format == .tsv ? DelimitedRenderer.tab : .comma
            let text = format == .md ? MarkdownRenderer().render(grid) : renderer.render(grid)
            let header = format == .md ? 2 : 1
            guard !isFirst else { return text }
            var rest = text[...]
            for _ in 0..<header { rest = rest[(rest.firstIndex(of: "\n").map(rest.index(after:)) ?? rest.endIndex)...] }
            return String(rest)
        }
    }

    /// What closes it.
    var end: String { format == .json || format == .table || format == .expanded ? "\n]}\n" : "" }

    private mutating func grid(of items: [JSONValue], isFirst: Bool) -> Grid {
        let objects = items.compactMap(\.object)
        if !isDescribed {
            let page = Grid(objects: objects)
            if isFirst { columns = page.columns }
            leftOut.formUnion(page.columns.filter { !columns.contains($0) })
        }
        return Grid(columns: columns, rows: objects.map { object in columns.map { Self.cell($0, in: object) } })
    }

    private static func cell(_ column: String, in object: JSONObject) -> Grid.Cell {
        if let value = object[column] { return Grid.Cell(value) }
        var value: JSONValue? = .object(object)
        for name in column.split(separator: ".") { value = value?[String(name)] }
        return value.map { Grid.Cell($0) } ?? .null
    }

    /// The members of a row; those of an object in it are columns of their own.
    private static func columns(of schema: Schema, prefix: String = "", depth: Int = 0) -> [String] {
        var columns: [String] = []
        for member in schema.members {
            let name = prefix + member.name
            let inner = depth < 3 && !member.schema.types.contains("array") ? member.schema.members : []
            let deeper = inner.isEmpty ? [name] : Self.columns(of: member.schema, prefix: name + ".", depth: depth + 1)
            for column in deeper where !columns.contains(column) { columns.append(column) }
        }
        return columns
    }
}
