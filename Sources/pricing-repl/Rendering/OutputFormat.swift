import JSON

/// How results are written.
enum OutputFormat: String, CaseIterable {
    case table
    case expanded
    case json
    case jsonl
    case csv
    case tsv
    case md
}

/// Writes results in the chosen format. Pure: the terminal's width is given.
struct ResultRenderer {
    var format: OutputFormat
    /// `\x`: tables one field a line.
    var expansion = Expansion.off
    /// The columns of the terminal; nil when the output is no terminal.
    var width: Int?
    /// The columns that people see of a list, the most important first, by the method's `x-table`; nil for all.
    var columns: [String]?
    /// All columns of a list that are values, for programs; nil for all.
    var allColumns: [String]?
    /// What the columns hold, by the method's `x-format`.
    var kinds: [String: ColumnKind] = [:]
    /// How people's clock shows times; nil leaves them as they came.
    var times: HumanTime?

    func render(_ result: JSONObject) -> String {
        switch format {
        case .table: table(result, expansion: expansion)
        case .expanded: table(result, expansion: .on)
        case .json:
            (width == nil ? JSONRenderer.compact(.object(result)) : JSONRenderer.indented(.object(result))) + "\n"
        case .jsonl: JSONRenderer.lines(result)
        case .csv: DelimitedRenderer.comma.render(rows(of: result))
        case .tsv: DelimitedRenderer.tab.render(rows(of: result))
        case .md: MarkdownRenderer().render(rows(of: result))
        }
    }

    private func rows(of result: JSONObject) -> Grid {
        ResultView(result, columns: allColumns, isOrdered: false).mainGrid
    }

    private func table(_ result: JSONObject, expansion: Expansion) -> String {
        let renderer = TableRenderer(width: width, kinds: kinds)
        // Whoever asks for one field a line wants all of them.
        let isFull = expansion == .on
        let view = ResultView(result, columns: isFull ? allColumns : columns, isOrdered: !isFull)
        var parts: [String] = []
        let shown = view.fields.filter { !view.emptyLists.contains($0.name) }
        if !shown.isEmpty {
            let fields = shown.map { field in
                (name: field.name, cell: times.map { field.cell.shown(in: $0) } ?? field.cell)
            }
            parts.append(ExpandedRenderer(width: width).render(fields: fields))
        }
        for table in view.tables {
            var text = ["items", "rows"].contains(table.name) ? "" : "\(table.name):\n"
            let full = times.map { table.grid.shown(in: $0) } ?? table.grid
            let grid = full.withoutEmptyColumns
            let isExpanded =
                switch expansion {
                case .on: true
                case .off: false
                case .auto: !renderer.fits(grid)
                }
            let rows = grid.rows.count
            if rows > 0 || !grid.columns.isEmpty {
                text += isExpanded ? ExpandedRenderer(width: width).render(grid) : renderer.render(grid)
            }
            text += "(\(rows) row\(rows == 1 ? "" : "s")"
            if let cursor = view.nextCursor, table.name == "items" { text += "; more with cursor=\(cursor)" }
            let hidden = isExpanded ? 0 : renderer.hiddenColumns(of: grid)
            if hidden > 0 { text += "; \(hidden) columns do not fit, \\x shows them" }
            parts.append(text + ")\n")
        }
        return parts.isEmpty ? "ok\n" : parts.joined(separator: "\n")
    }
}
