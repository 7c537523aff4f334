import PricingClient

/// CSV after RFC 4180 (with LF) and TSV as PostgreSQL's COPY writes it.
///
/// CSV is opened by spreadsheets, which would run a text that begins like a formula: such a text gets an apostrophe before
/// it. Numbers stay as they are, and so does TSV, which is for programs.
enum DelimitedRenderer {
    case comma
    case tab

    func render(_ grid: Grid) -> String {
        let header = self == .comma ? grid.columns.map(CSVTable.harmless) : grid.columns
        let rows = grid.rows.map { $0.map { $0.isNumber || self == .tab ? $0.text : CSVTable.harmless($0.text) } }
        return ([header] + rows).map(line).joined()
    }

    private func line(_ fields: [String]) -> String {
        self == .comma ? CSVTable.line(fields) : fields.map(escaped).joined(separator: "\t") + "\n"
    }

    private func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\r\n": result += "\\r\\n"
            default: result.append(character)
            }
        }
    }
}
