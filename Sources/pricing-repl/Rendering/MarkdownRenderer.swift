/// A table for an issue or a chat.
struct MarkdownRenderer {
    func render(_ grid: Grid) -> String {
        var result = line(grid.columns)
        result += line(grid.columns.indices.map { grid.isNumeric(column: $0) ? "---:" : "---" })
        for row in grid.rows { result += line(row.map(\.text)) }
        return result
    }

    private func line(_ cells: [String]) -> String {
        "| "
            + cells.map { DisplayText.safe($0).split(separator: "|", omittingEmptySubsequences: false) }
            .map { $0.joined(separator: "\\|") }.joined(separator: " | ") + " |\n"
    }
}
