/// Rows under headings that people read: numbers to the right and whole, titles cut where there is no room.
struct ShownTable {
    struct Column {
        var title: String
        var isRight = false
        var mayBeCut = false
    }

    var columns: [Column]
    /// Plain text; colours are put on when everything has its place.
    var rows: [[String]]
    /// Whether the columns that have no room are left out at the right.
    var leavesOut = false
    /// Between two columns.
    static let gap = "  "

    private var fitting: Fitting { Fitting(gap: Self.gap.count, least: 8, leavesOut: leavesOut) }

    /// - Parameter color: what a cell of a column looks like.
    func render(width: Int?, palette: Palette, color: (Int, String) -> String = { $1 }) -> String {
        render(width: width, palette: palette) { _, column, text in color(column, text) }
    }

    /// - Parameter color: what a cell of a row and a column looks like.
    func render(width: Int?, palette: Palette, each color: (Int, Int, String) -> String) -> String {
        let used = columns.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        let widths = fitted(used, width)
        var result = ""
        let heading = zip(used, widths).map { cell(columns[$0].title, $0, $1) }.joined(separator: Self.gap)
        if used.contains(where: { !columns[$0].title.isEmpty }) { result += palette.faint(trimmed(heading)) + "\n" }
        for (index, row) in rows.enumerated() {
            let cells = zip(used, widths).map { column, room in
                let shown = cell(row[column], column, room)
                return row[column].isEmpty ? shown : color(index, column, shown)
            }
            result += trimmed(cells.joined(separator: Self.gap)) + "\n"
        }
        return result
    }

    private func cell(_ text: String, _ column: Int, _ room: Int) -> String {
        let shown = columns[column].mayBeCut ? DisplayText.clipped(DisplayText.safe(text), to: room) : text
        return DisplayText.padded(shown, to: room, right: columns[column].isRight)
    }

    private func fitted(_ used: [Int], _ width: Int?) -> [Int] {
        let wanted = used.map { column in
            rows.reduce(DisplayText.width(columns[column].title)) {
                max($0, DisplayText.width(DisplayText.safe($1[column])))
            }
        }
        return fitting.widths(wanted, mayCut: used.map { columns[$0].mayBeCut }, width: width)
    }

    private func trimmed(_ line: String) -> String {
        var text = line
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
