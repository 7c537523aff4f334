import JSON

/// Rows of things that are watched. Pure.
struct WatchTable: Equatable {
    struct Column: Equatable {
        var title: String
        var isRight = false
        var mayBeCut = false
        /// Whether a change is shown with what was there before.
        var isMarked = false
        /// Whether a change brings the row to the top where not all rows have room.
        var isLeading = false
    }

    struct Row: Equatable {
        var key: Int64
        var cells: [String]
    }

    /// The most important first: what has no room is left out at the right.
    var columns: [Column]
    var rows: [Row]
    /// What is said of rows that were not read.
    var rest = ""

    static func products(_ items: [JSONValue], topic: String, rest: String) -> WatchTable {
        let price = Column(title: "price", isRight: true, isMarked: true, isLeading: topic == "price")
        let stock = Column(title: "stock", isRight: true, isMarked: true, isLeading: topic == "stock")
        let isPrice = topic == "price"
        return WatchTable(
            columns: [
                Column(title: "#", isRight: true), Column(title: "title", mayBeCut: true), isPrice ? price : stock,
                isPrice ? stock : price, Column(title: ""), Column(title: ""),
            ],
            rows: items.map { item in
                let shown = DeedView.cells(of: item)
                return Row(
                    key: item["productId"]?.integer ?? 0,
                    cells: [
                        shown.id, shown.title, isPrice ? shown.price : shown.stock,
                        isPrice ? shown.stock : shown.price, shown.trend, shown.state,
                    ]
                )
            },
            rest: rest
        )
    }

    static func orders(_ items: [JSONValue], times: HumanTime, rest: String) -> WatchTable {
        WatchTable(
            columns: [
                Column(title: "order", isRight: true), Column(title: "status", isMarked: true, isLeading: true),
                Column(title: "total", isRight: true, isMarked: true), Column(title: "placed"),
                Column(title: "for", mayBeCut: true),
            ],
            rows: items.map { item in
                let at = DeedView.text(item["placedAt"])
                return Row(
                    key: item["orderId"]?.integer ?? 0,
                    cells: [
                        DeedView.text(item["orderId"]), DeedView.text(item["status"]), DeedView.text(item["total"]),
                        times.shown(at) ?? at, DeedView.text(item["customerName"]),
                    ]
                )
            },
            rest: rest
        )
    }
}

/// What was seen of a watched table, from look to look. Pure.
struct WatchMemory {
    private struct Seen {
        var cells: [String]
        /// By column, what was there before the last change.
        var before: [Int: String] = [:]
        /// The look in which a leading column changed last.
        var moved = 0
    }

    private var seen: [Int64: Seen] = [:]
    private var looks = 0

    /// The lines of `table`, with what its cells were.
    /// - Parameters:
    ///   - rows: so many have room; where there are more, those that moved last come first.
    ///   - isReversed: whether what is new in this look is shown in reverse.
    mutating func lines(
        of table: WatchTable,
        width: Int?,
        rows most: Int,
        palette: Palette,
        isReversed: Bool
    ) -> [String] {
        looks += 1
        var fresh: [Int64: Set<Int>] = [:]
        for row in table.rows { fresh[row.key] = take(row, table.columns) }
        seen = seen.filter { fresh[$0.key] != nil }
        if !isReversed { fresh = [:] }
        var rows = table.rows
        if rows.count > most {
            let order = rows.enumerated().sorted {
                let (left, right) = (seen[$0.element.key]?.moved ?? 0, seen[$1.element.key]?.moved ?? 0)
                return left == right ? $0.offset < $1.offset : left > right
            }
            rows = order.prefix(max(1, most - 1)).map(\.element)
        }
        var text = shown(table, rows, width, fresh, palette)
        let left = table.rows.count - rows.count
        if left > 0 || !table.rest.isEmpty {
            let more = [left > 0 ? "… \(left) more" : "", table.rest].filter { !$0.isEmpty }
            text += palette.faint(more.joined(separator: " · ")) + "\n"
        }
        return text.split(separator: "\n").map(String.init)
    }

    /// Takes a row as it is now; the columns in which it is new.
    private mutating func take(_ row: WatchTable.Row, _ columns: [WatchTable.Column]) -> Set<Int> {
        guard var known = seen[row.key] else {
            seen[row.key] = Seen(cells: row.cells, moved: looks > 1 ? looks : 0)
            return looks > 1 ? [0] : []
        }
        var changed: Set<Int> = []
        for index in columns.indices where columns[index].isMarked && known.cells[index] != row.cells[index] {
            known.before[index] = known.cells[index]
            changed.insert(index)
            if columns[index].isLeading { known.moved = looks }
        }
        known.cells = row.cells
        seen[row.key] = known
        return changed
    }

    private func shown(
        _ table: WatchTable,
        _ rows: [WatchTable.Row],
        _ width: Int?,
        _ fresh: [Int64: Set<Int>],
        _ palette: Palette
    ) -> String {
        // Behind each marked column stands what its cells were.
        var columns: [ShownTable.Column] = []
        var sources: [(column: Int, isBefore: Bool)] = []
        for (index, column) in table.columns.enumerated() {
            columns.append(.init(title: column.title, isRight: column.isRight, mayBeCut: column.mayBeCut))
            sources.append((index, false))
            guard column.isMarked else { continue }
            columns.append(.init(title: ""))
            sources.append((index, true))
        }
        let cells = rows.map { row in
            sources.map { source -> String in
                guard source.isBefore else { return row.cells[source.column] }
                return seen[row.key]?.before[source.column].map { "◂ " + $0 } ?? ""
            }
        }
        let shown = ShownTable(columns: columns, rows: cells, leavesOut: true)
        return shown.render(width: width, palette: palette) { row, column, text in
            let source = sources[column]
            if source.isBefore { return palette.warning(text) }
            return fresh[rows[row].key]?.contains(source.column) == true ? WatchFrame.reversed(text) : text
        }
    }
}
