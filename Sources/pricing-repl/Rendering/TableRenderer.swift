/// Rows under headings, numbers to the right. Only texts are cut to fit the terminal: a number, an id or a time that has lost
/// digits is another one.
struct TableRenderer {
    /// The columns of the terminal; nil when nothing need fit (a file, a pipe).
    var width: Int?
    /// What the columns hold, by the last part of their name; what is not named is told from the values.
    var kinds: [String: ColumnKind] = [:]

    private static let separator = " | "
    private static let fitting = Fitting(gap: separator.count, least: 12, leavesOut: true)

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

    private func fitted(_ grid: Grid, _ kinds: [ColumnKind]) -> [Int] {
        let wanted = grid.columns.indices.map { column in
            grid.rows.reduce(DisplayText.width(grid.columns[column])) {
                max($0, DisplayText.width(DisplayText.safe($1[column].text)))
            }
        }
        return Self.fitting.widths(wanted, mayCut: kinds.map(\.mayBeCut), width: width)
    }
}
