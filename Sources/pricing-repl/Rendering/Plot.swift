/// A value over time as a chart of text: braille dots, or plain characters where the terminal may know no others. Pure.
struct Plot {
    /// A value, and from when on it stands.
    struct Point: Equatable {
        var moment: Int64
        var value: Int64
    }

    /// From the oldest on.
    var points: [Point]
    /// The moment up to which the last value stands.
    var end: Int64
    /// The columns of the terminal.
    var width: Int
    /// Whether only ASCII is known.
    var isPlain: Bool
    var rows = 8

    private static let columnsMin = 10
    private static let columnsMax = 120

    /// - Parameters:
    ///   - label: what stands at the axis for a value.
    ///   - time: and for a moment.
    func text(label: (Int64) -> String, time: (Int64) -> String) -> String {
        guard let first = points.first, let least = points.map(\.value).min(), let most = points.map(\.value).max()
        else { return "" }
        let names = [label(most), label(least)]
        let margin = names.reduce(0) { max($0, DisplayText.width($1)) }
        let columns = min(Self.columnsMax, max(Self.columnsMin, width - margin - 3))
        let height = least == most ? 1 : rows
        let dots = isPlain ? (across: 1, down: 1) : (across: 2, down: 4)
        let covered = heights(columns * dots.across, height * dots.down, from: first.moment, least, most)
        var result = ""
        for row in 0..<height {
            let name = row == 0 ? names[0] : row == height - 1 ? names[1] : ""
            var line = DisplayText.padded(name, to: margin, right: true) + (isPlain ? " |" : " │")
            for column in 0..<columns {
                line += isPlain ? plain(covered[column], row) : Self.braille(covered, column, row)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            result += line + "\n"
        }
        let (from, to) = (time(first.moment), time(end))
        let gap = String(repeating: " ", count: max(1, columns - DisplayText.width(from) - DisplayText.width(to)))
        return result + String(repeating: " ", count: margin + 2) + from + gap + to + "\n"
    }

    /// For each column of dots the rows that it covers, counted from the top: where the value stands, and the way to it.
    private func heights(_ columns: Int, _ rows: Int, from start: Int64, _ least: Int64, _ most: Int64) -> [Range<Int>]
    {
        func row(_ value: Int64) -> Int {
            guard most > least else { return 0 }
            return Int((Double(most - value) / Double(most - least) * Double(rows - 1)).rounded())
        }
        var next = 0
        var now = points[0].value
        let span = Double(max(1, end - start))
        return (0..<columns).map { column in
            let until = start + Int64(span * Double(column + 1) / Double(columns))
            var (low, high) = (now, now)
            while next < points.count, points[next].moment <= until {
                now = points[next].value
                (low, high) = (min(low, now), max(high, now))
                next += 1
            }
            return row(high)..<(row(low) + 1)
        }
    }

    private func plain(_ covered: Range<Int>, _ row: Int) -> String {
        guard covered.contains(row) else { return " " }
        return covered.count == 1 ? "-" : "|"
    }

    /// The character of two by four dots.
    private static func braille(_ covered: [Range<Int>], _ column: Int, _ row: Int) -> String {
        let bits: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
        var code: UInt32 = 0x2800
        for across in 0..<2 {
            for down in 0..<4 where covered[2 * column + across].contains(4 * row + down) { code |= bits[across][down] }
        }
        return code == 0x2800 ? " " : Unicode.Scalar(code).map { String(Character($0)) } ?? " "
    }
}
