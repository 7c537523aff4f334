/// Rows under headings, numbers to the right, cut to fit the terminal.
struct TableRenderer {
    /// The columns of the terminal; nil when nothing need fit (a file, a pipe).
    var width: Int?

    /// The narrowest that a column is cut to, while others could still be cut.
    private static let columnWidthMin = 6
    private static let separator = " | "

    func render(_ grid: Grid) -> String {
        let widths = fitted(Self.naturalWidths(grid))
        let shown = widths.indices
        let numeric = shown.map(grid.isNumeric)
        var result = line(shown.map { DisplayText.padded(clip(grid.columns[$0], widths[$0]), to: widths[$0]) })
        result += widths.map { String(repeating: "-", count: $0) }.joined(separator: "-+-") + "\n"
        for row in grid.rows {
            result += line(
                shown.map { column in
                    let text = clip(DisplayText.safe(row[column].text), widths[column])
                    return DisplayText.padded(text, to: widths[column], right: numeric[column])
                }
            )
        }
        return result
    }

    /// Whether `grid` shows every value whole.
    func fits(_ grid: Grid) -> Bool {
        guard let width else { return true }
        return Self.total(Self.naturalWidths(grid)) <= width
    }

    /// How many columns `render` leaves out at the right because not even their narrowest form has room.
    func hiddenColumns(of grid: Grid) -> Int {
        grid.columns.count - fitted(Self.naturalWidths(grid)).count
    }

    private func clip(_ text: String, _ columns: Int) -> String {
        DisplayText.clipped(text, to: columns)
    }

    private func line(_ cells: [String]) -> String {
        var text = cells.joined(separator: Self.separator)
        while text.hasSuffix(" ") { text.removeLast() }
        return text + "\n"
    }

    /// Takes columns from the widest first, so that ids and prices stay whole and long titles give way. Columns that
    /// have no room even so are left out at the right.
    private func fitted(_ natural: [Int]) -> [Int] {
        guard let width else { return natural }
        var widths = natural
        while Self.total(widths) > width {
            guard let widest = widths.indices.max(by: { widths[$0] < widths[$1] }) else { break }
            if widths[widest] > Self.columnWidthMin {
                widths[widest] -= 1
            } else if widths.count > 1 {
                widths.removeLast()
            } else {
                break
            }
        }
        return widths
    }

    private static func total(_ widths: [Int]) -> Int {
        widths.reduce(0, +) + separator.count * max(0, widths.count - 1)
    }

    private static func naturalWidths(_ grid: Grid) -> [Int] {
        grid.columns.indices.map { column in
            grid.rows.reduce(DisplayText.width(grid.columns[column])) {
                max($0, DisplayText.width(DisplayText.safe($1[column].text)))
            }
        }
    }
}
