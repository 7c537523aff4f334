@testable import pricing_repl

/// What a terminal shows of what a program has written: enough of xterm for a shell. The program's text, not its bytes, is
/// what people see.
struct TerminalScreen {
    private(set) var columns: Int
    private(set) var rows: [[Character]]
    /// The attributes of each cell, as the last `\e[…m` left them; empty for none.
    private(set) var styles: [[String]]
    private(set) var cursor = (row: 0, column: 0)
    /// The rows that have left at the top.
    private(set) var scrolled: [String] = []
    private var style = ""
    /// The second column of a wide character.
    private static let filler: Character = "\0"
    /// After the last column the next character goes to the next row, and not before it comes.
    private var isAtEdge = false
    /// A sequence that has not ended.
    private var pending = ""

    init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = Array(repeating: Array(repeating: " ", count: columns), count: rows)
        styles = Array(repeating: Array(repeating: "", count: columns), count: rows)
    }

    /// The rows without the spaces at their ends.
    var lines: [String] { rows.map { Self.trimmed($0) } }

    var text: String {
        var lines = lines
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    /// As xterm does it: what is beyond the edge is gone, and nothing wraps anew.
    mutating func resize(columns wanted: Int) {
        for row in rows.indices {
            rows[row] = Array((rows[row] + Array(repeating: " ", count: max(0, wanted - columns))).prefix(wanted))
            styles[row] = Array((styles[row] + Array(repeating: "", count: max(0, wanted - columns))).prefix(wanted))
        }
        columns = wanted
        cursor.column = min(cursor.column, wanted - 1)
        isAtEdge = false
    }

    mutating func take(_ text: String) {
        for scalar in text.unicodeScalars {
            if !pending.isEmpty {
                pending.unicodeScalars.append(scalar)
                end(scalar)
                continue
            }
            switch scalar {
            case "\u{1B}": pending = "\u{1B}"
            case "\r": (cursor.column, isAtEdge) = (0, false)
            case "\n": down()
            case "\u{8}": (cursor.column, isAtEdge) = (max(0, cursor.column - 1), false)
            case "\u{7}": break
            default: put(Character(scalar))
            }
        }
    }

    private mutating func end(_ scalar: Unicode.Scalar) {
        guard pending.unicodeScalars.count > 1 else { return }
        guard pending.hasPrefix("\u{1B}[") else {
            pending = ""
            return
        }
        guard pending.unicodeScalars.count > 2, (0x40...0x7E).contains(scalar.value) else { return }
        let body = pending.dropFirst(2).dropLast()
        pending = ""
        let numbers = body.split(separator: ";").map { Int($0) ?? 0 }
        run(scalar, numbers, body: String(body))
    }

    private mutating func run(_ command: Unicode.Scalar, _ numbers: [Int], body: String) {
        let count = max(1, numbers.first ?? 1)
        switch command {
        case "m":
            style = ["", "0"].contains(body) ? "" : style + "[" + body + "m"
            return
        case "h", "l": return
        case "A": cursor.row = max(0, cursor.row - count)
        case "B": cursor.row = min(rows.count - 1, cursor.row + count)
        case "C": cursor.column = min(columns - 1, cursor.column + count)
        case "D": cursor.column = max(0, cursor.column - count)
        case "G": cursor.column = min(columns - 1, count - 1)
        case "H":
            cursor.row = min(rows.count - 1, count - 1)
            cursor.column = min(columns - 1, max(1, numbers.count > 1 ? numbers[1] : 1) - 1)
        case "J": erase(from: cursor.column, rows: numbers.first ?? 0)
        case "K": blank(cursor.row, numbers.first == 2 ? 0..<columns : cursor.column..<columns)
        case "P":
            rows[cursor.row].removeSubrange(cursor.column..<min(columns, cursor.column + count))
            rows[cursor.row] += Array(repeating: " ", count: columns - rows[cursor.row].count)
        case "@":
            rows[cursor.row].insert(contentsOf: Array(repeating: " ", count: count), at: cursor.column)
            rows[cursor.row] = Array(rows[cursor.row].prefix(columns))
        default: break
        }
        isAtEdge = false
    }

    private mutating func erase(from column: Int, rows mode: Int) {
        if mode == 2 { return rows.indices.forEach { blank($0, 0..<columns) } }
        blank(cursor.row, column..<columns)
        for row in rows.indices where row > cursor.row { blank(row, 0..<columns) }
    }

    private mutating func blank(_ row: Int, _ range: Range<Int>) {
        for column in range { (rows[row][column], styles[row][column]) = (" ", "") }
    }

    private mutating func put(_ character: Character) {
        let width = DisplayText.width(String(character))
        if isAtEdge || cursor.column + width > columns {
            cursor.column = 0
            down()
        }
        for offset in 0..<width {
            rows[cursor.row][cursor.column + offset] = offset == 0 ? character : Self.filler
            styles[cursor.row][cursor.column + offset] = style
        }
        isAtEdge = cursor.column + width == columns
        cursor.column = min(columns - 1, cursor.column + width)
    }

    private mutating func down() {
        isAtEdge = false
        guard cursor.row == rows.count - 1 else { return cursor.row += 1 }
        scrolled.append(Self.trimmed(rows.removeFirst()))
        rows.append(Array(repeating: " ", count: columns))
        styles.removeFirst()
        styles.append(Array(repeating: "", count: columns))
    }

    private static func trimmed(_ row: [Character]) -> String {
        String(row.filter { $0 != filler }).split(separator: " ", omittingEmptySubsequences: false).reversed().drop {
            $0.isEmpty
        }
        .reversed().joined(separator: " ")
    }
}
