/// One field a line: `name | value`, for single things and for rows too wide for a table.
struct ExpandedRenderer {
    func render(fields: [(name: String, cell: Grid.Cell)]) -> String {
        let widest = fields.reduce(0) { max($0, DisplayText.width($1.name)) }
        return fields.reduce(into: "") { result, field in
            // A text of several lines, such as the reason of a price, keeps them.
            for (index, line) in field.cell.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                let value = DisplayText.safe(String(line))
                result += DisplayText.padded(index == 0 ? field.name : "", to: widest)
                result += " |" + (value.isEmpty ? "" : " " + value) + "\n"
            }
        }
    }

    /// Every row as a block under its number.
    func render(_ grid: Grid) -> String {
        grid.rows.enumerated().reduce(into: "") { result, row in
            result += "-[ \(row.offset + 1) ]" + String(repeating: "-", count: 20) + "\n"
            result += render(fields: zip(grid.columns, row.element).map { (name: $0, cell: $1) })
        }
    }
}
