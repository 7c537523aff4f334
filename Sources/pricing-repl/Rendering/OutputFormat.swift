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
    /// The columns that a list shows, by the method's `x-table`; nil for all.
    var columns: [String]?

    func render(_ result: JSONObject) -> String {
        switch format {
        case .table: table(ResultView(result, columns: columns), expansion: expansion)
        case .expanded: table(ResultView(result, columns: columns), expansion: .on)
        case .json:
            (width == nil ? JSONRenderer.compact(.object(result)) : JSONRenderer.indented(.object(result))) + "\n"
        case .jsonl: JSONRenderer.lines(result)
        case .csv: DelimitedRenderer.comma.render(ResultView(result, columns: columns).mainGrid)
        case .tsv: DelimitedRenderer.tab.render(ResultView(result, columns: columns).mainGrid)
        case .md: MarkdownRenderer().render(ResultView(result, columns: columns).mainGrid)
        }
    }

    private func table(_ view: ResultView, expansion: Expansion) -> String {
        let renderer = TableRenderer(width: width)
        var parts: [String] = []
        if !view.fields.isEmpty { parts.append(ExpandedRenderer().render(fields: view.fields)) }
        for table in view.tables {
            var text = ["items", "rows"].contains(table.name) ? "" : "\(table.name):\n"
            let isExpanded =
                switch expansion {
                case .on: true
                case .off: false
                case .auto: !renderer.fits(table.grid)
                }
            let rows = table.grid.rows.count
            if rows > 0 || !table.grid.columns.isEmpty {
                text += isExpanded ? ExpandedRenderer().render(table.grid) : renderer.render(table.grid)
            }
            text += "(\(rows) row\(rows == 1 ? "" : "s")"
            if let cursor = view.nextCursor, table.name == "items" { text += "; more with cursor=\(cursor)" }
            let hidden = isExpanded ? 0 : renderer.hiddenColumns(of: table.grid)
            if hidden > 0 { text += "; \(hidden) columns do not fit, \\x shows them" }
            parts.append(text + ")\n")
        }
        return parts.isEmpty ? "ok\n" : parts.joined(separator: "\n")
    }
}
