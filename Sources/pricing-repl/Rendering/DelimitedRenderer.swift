/// CSV after RFC 4180 (with LF) and TSV as PostgreSQL's COPY writes it.
///
/// CSV is opened by spreadsheets, which would run a text that begins like a formula: such a text gets an apostrophe before
/// it. Numbers stay as they are, and so does TSV, which is for programs.
enum DelimitedRenderer {
    case comma
    case tab

    func render(_ grid: Grid) -> String {
        ([grid.columns.map(harmless)] + grid.rows.map { $0.map { $0.isNumber ? $0.text : harmless($0.text) } })
            .map { $0.map(field).joined(separator: self == .comma ? "," : "\t") + "\n" }
            .joined()
    }

    private func harmless(_ text: String) -> String {
        guard self == .comma, let first = text.utf8.first, Self.formulaStarts.contains(first) else { return text }
        return "'" + text
    }

    private static let formulaStarts = Set("=+-@\t\r".utf8)

    private func field(_ text: String) -> String {
        switch self {
        case .comma:
            guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
            return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        case .tab:
            return text.reduce(into: "") { result, character in
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
}
