/// CSV after RFC 4180 (with LF) and TSV as PostgreSQL's COPY writes it.
enum DelimitedRenderer {
    case comma
    case tab

    func render(_ grid: Grid) -> String {
        ([grid.columns] + grid.rows.map { $0.map(\.text) })
            .map { $0.map(field).joined(separator: self == .comma ? "," : "\t") + "\n" }
            .joined()
    }

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
