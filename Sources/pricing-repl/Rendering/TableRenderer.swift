/// Rows under headings, numbers to the right. Only texts are cut to fit the terminal: a number, an id or a time that has lost
/// digits is another one.
struct TableRenderer {
    /// The columns of the terminal; nil when nothing need fit (a file, a pipe).
    var width: Int?
    /// What the columns hold, by the last part of their name; what is not named is told from the values.
    var kinds: [String: ColumnKind] = [:]

    /// The narrowest that a text is cut to.
    private static let textWidthMin = 12
    private static let separator = " | "

    func render(_ grid: Grid) -> String {
        let kinds = grid.columns.indices.map { grid.kind(of: $0, self.kinds) }
        let widths = fitted(grid, kinds)
        let shown = widths.indices
        var result = line(shown.map { DisplayText.padded(clip(grid.columns[$0], widths[$0]), to: widths[$0]) })
        result += widths.map { String(repeating: "-", count: $0) }.joined(separator: "-+-") + "\n"
        for row in grid.rows {
            result += line(
                shown.map { column in
                    let text = clip(DisplayText.safe(row[column].text), widths[column])
                    return DisplayText.padded(text, to: widths[column], right: kinds[column].isRight)
                }
            )
        }
        return result
    }

    /// Whether `grid` shows every column, with its texts cut at the most.
    func fits(_ grid: Grid) -> Bool { hiddenColumns(of: grid) == 0 }

    /// How many columns `render` leaves out at the right because not even their narrowest form has room.
    func hiddenColumns(of grid: Grid) -> Int {
        grid.columns.count - fitted(grid, grid.columns.indices.map { grid.kind(of: $0, kinds) }).count
    }

    private func clip(_ text: String, _ columns: Int) -> String {
        DisplayText.clipped(text, to: columns)
    }

    private func line(_ cells: [String]) -> String {
        var text = cells.joined(separator: Self.separator)
        while text.hasSuffix(" ") { text.removeLast() }
        return text + "\n"
    }

    /// Takes room from the widest text first. Columns that have no room even so are left out at the right, where the least
    /// important ones stand; the first always stays.
    private func fitted(_ grid: Grid, _ kinds: [ColumnKind]) -> [Int] {
        var widths = grid.columns.indices.map { column in
            grid.rows.reduce(DisplayText.width(grid.columns[column])) {
                max($0, DisplayText.width(DisplayText.safe($1[column].text)))
            }
        }
        guard let width else { return widths }
        let wanted = widths
        while Self.total(widths) > width {
            let texts = widths.indices.filter { kinds[$0].mayBeCut && widths[$0] > Self.textWidthMin }
            if let widest = texts.max(by: { widths[$0] < widths[$1] }) {
                widths[widest] -= 1
            } else if widths.count > 1 {
                // What is left may have more room again.
                widths = Array(wanted.prefix(widths.count - 1))
            } else {
                if kinds.first?.mayBeCut == true { widths[0] = min(widths[0], max(1, width)) }
                break
            }
        }
        return widths
    }

    private static func total(_ widths: [Int]) -> Int {
        widths.reduce(0, +) + separator.count * max(0, widths.count - 1)
    }
}
