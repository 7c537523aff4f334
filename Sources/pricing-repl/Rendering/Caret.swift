/// The line of a command in which something is wrong, and a mark under it.
enum Caret {
    /// - Parameter range: in Unicode scalars of `text`; beyond its end stands what is missing there.
    static func text(_ text: String, at range: Range<Int>, width: Int?, palette: Palette) -> String {
        var scalars = Array(text.unicodeScalars)
        if range.lowerBound > scalars.count {
            while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
            scalars.append(" ")
        }
        let start = min(range.lowerBound, scalars.count)
        let lineStart = (scalars[..<start].lastIndex(of: "\n") ?? -1) + 1
        let lineEnd = scalars[start...].firstIndex(of: "\n") ?? scalars.count
        let end = max(start, min(range.upperBound, lineEnd))
        var before = shown(scalars[lineStart..<start])
        let marked = shown(scalars[start..<end])
        var after = shown(scalars[end..<lineEnd])
        if let width {
            // What is wrong stays in sight; its surroundings give way.
            let room = max(12, width - 4)
            let spare = max(0, room - DisplayText.width(marked))
            if DisplayText.width(before) > spare {
                while !before.isEmpty, DisplayText.width(before) >= spare { before.removeFirst() }
                before = "…" + before
            }
            after = DisplayText.clipped(after, to: max(0, room - DisplayText.width(before + marked)))
        }
        let gap = String(repeating: " ", count: DisplayText.width(before))
        let mark = String(repeating: "^", count: max(1, DisplayText.width(marked)))
        return "  \(before)\(marked)\(after)\n  \(gap)\(palette.down(mark))"
    }

    private static func shown(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        DisplayText.safe(String(String.UnicodeScalarView(scalars)))
    }
}
