/// One field a line: `name | value`, for single things and for rows too wide for a table.
struct ExpandedRenderer {
    /// The columns of the terminal; nil when nothing need fit.
    var width: Int?

    func render(fields: [(name: String, cell: Grid.Cell)]) -> String {
        let widest = fields.reduce(0) { max($0, DisplayText.width($1.name)) }
        return fields.reduce(into: "") { result, field in
            // A text of several lines, such as the reason of a price, keeps them; a long one is broken between words.
            let lines = field.cell.text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { DisplayText.wrapped(DisplayText.safe(String($0)), to: width.map { max(20, $0 - widest - 3) }) }
                .joined(separator: "\n").split(separator: "\n", omittingEmptySubsequences: false)
            for (index, value) in lines.enumerated() {
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
