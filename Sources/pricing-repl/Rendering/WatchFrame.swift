/// A result that is shown again and again in the same place, with what has changed marked. Pure.
struct WatchFrame {
    private var before: [String]?

    /// What replaces the last frame on the screen: the way back up, the lines cut to the screen, and no more.
    /// - Parameters:
    ///   - width, height: the screen's; the frame never scrolls it.
    mutating func next(_ lines: [String], width: Int, height: Int) -> String {
        var shown = lines
        if shown.count > height - 1 { shown = Array(shown.prefix(max(1, height - 2))) + ["…"] }
        shown = shown.map { DisplayText.clipped($0, to: max(1, width - 1)) }
        defer { before = shown }
        let back = before.map { $0.isEmpty ? "" : "\u{1B}[\($0.count)A\r" } ?? ""
        let text = shown.enumerated().map { index, line -> String in
            // The first line has the time, which always changes.
            guard let before, index > 0 else { return line + "\u{1B}[K\n" }
            return Self.marked(line, since: index < before.count ? before[index] : "") + "\u{1B}[K\n"
        }
        return back + text.joined() + "\u{1B}[J"
    }

    /// `line` with the words that `old` has otherwise shown in reverse. A line with another beginning is another line and
    /// marked as a whole.
    static func marked(_ line: String, since old: String) -> String {
        guard line != old else { return line }
        let (new, known) = (words(of: line), words(of: old))
        var result = ""
        for (index, word) in new.enumerated() {
            let isSame = word.allSatisfy(\.isWhitespace) || (index < known.count && known[index] == word)
            result += isSame ? word : "\u{1B}[7m\(word)\u{1B}[27m"
        }
        return result
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
