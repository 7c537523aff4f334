/// A look that is shown again and again, with what has changed marked. Pure.
struct WatchFrame {
    /// What a look gave.
    enum Content: Equatable {
        case text(String)
        case table(WatchTable)
    }

    private var memory = WatchMemory()
    private var last: Content?
    private var before: [String]?
    private var size: (width: Int, height: Int)?

    private static let clockColumns = 8

    /// What replaces the last frame on the screen: the way back up, the lines cut to the screen, and no more.
    /// - Parameters:
    ///   - content: nil where there was no look: the last one stands.
    ///   - width, height: the screen's; the frame never scrolls it.
    mutating func next(
        _ title: String,
        at clock: String,
        _ content: Content?,
        width: Int,
        height: Int,
        palette: Palette = .plain
    ) -> String {
        var isMarked = true
        var shown: [String]
        switch content {
        case nil: shown = Array((before ?? []).dropFirst())
        case .text(let text):
            shown = Self.lines(text)
            isMarked = false
        case .table(let table):
            // The title, the headings, and the row in which the cursor rests.
            let room = max(1, height - 3)
            shown = memory.lines(of: table, width: width - 1, rows: room, palette: palette, isReversed: true)
        }
        shown.insert(Self.head(title, clock, width - 1), at: 0)
        if shown.count > height - 1 { shown = Array(shown.prefix(max(1, height - 2))) + ["…"] }
        shown = shown.map { DisplayText.clippedStyled($0, to: max(1, width - 1)) }
        let isSame = size.map { $0 == (width, height) } ?? true
        // In a window of another size nobody knows in which row the last frame stands.
        let back = before.map { isSame ? "\u{1B}[\($0.count)A\r" : "\u{1B}[H\u{1B}[J" } ?? ""
        let text = shown.enumerated().map { index, line -> String in
            // The first line has the time, which always changes.
            guard let before, index > 0, !isMarked else { return line + "\u{1B}[K\n" }
            return Self.marked(line, since: index < before.count ? before[index] : "") + "\u{1B}[K\n"
        }
        before = shown
        size = (width, height)
        return back + text.joined() + "\u{1B}[J"
    }

    /// The same for a terminal that cannot go back: nil where nothing has changed.
    mutating func block(
        _ title: String,
        at clock: String,
        _ content: Content,
        width: Int?,
        palette: Palette = .plain
    ) -> String? {
        guard content != last else { return nil }
        last = content
        var lines: [String]
        switch content {
        case .text(let text): lines = Self.lines(text)
        case .table(let table):
            lines = memory.lines(of: table, width: width, rows: .max, palette: palette, isReversed: false)
        }
        lines.insert("\(title)  \(clock)", at: 0)
        return lines.map { $0 + "\n" }.joined()
    }

    /// `line` with the words that `old` has otherwise shown in reverse. A line with another beginning is another line and
    /// marked as a whole.
    static func marked(_ line: String, since old: String) -> String {
        guard line != old else { return line }
        let (new, known) = (words(of: line), words(of: old))
        var result = ""
        for (index, word) in new.enumerated() {
            let isSame = word.allSatisfy(\.isWhitespace) || (index < known.count && known[index] == word)
            result += isSame ? word : reversed(word)
        }
        return result
    }

    /// `text` in reverse, but for the spaces around it.
    static func reversed(_ text: String) -> String {
        let words = words(of: text)
        guard let first = words.firstIndex(where: { !$0.allSatisfy(\.isWhitespace) }),
            let last = words.lastIndex(where: { !$0.allSatisfy(\.isWhitespace) })
        else { return text }
        return words[..<first].joined() + "\u{1B}[7m\(words[first...last].joined())\u{1B}[27m"
            + words[(last + 1)...].joined()
    }

    /// The title, as many of its parts as have room, and the time at the right edge.
    private static func head(_ title: String, _ clock: String, _ columns: Int) -> String {
        let room = columns - clockColumns - 1
        guard room > 0 else { return clock }
        var parts = title.split(separator: " · ")
        while parts.count > 1, DisplayText.width(parts.joined(separator: " · ")) > room { parts.removeLast() }
        let title = parts.joined(separator: " · ")
        return DisplayText.padded(DisplayText.clipped(title, to: room), to: room) + " " + clock
    }

    private static func lines(_ text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return lines.last == "" ? lines.dropLast() : lines
    }

    /// Words and the spaces between them, by turns.
    private static func words(of line: String) -> [String] {
        var words: [String] = []
        var isSpace: Bool?
        for character in line {
            if isSpace == character.isWhitespace, let last = words.indices.last {
                words[last].append(character)
            } else {
                words.append(String(character))
                isSpace = character.isWhitespace
            }
        }
        return words
    }
}
