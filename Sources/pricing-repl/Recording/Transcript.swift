/// A recorded session as a person reads it, and as it is run again. Pure.
///
///     # pricing-repl at the prompt, table, 80 columns
///     pricing> restock 18 +20
///       18 Yoga mat: stock 4 → 24, price 35.20 → 32.00 ▼9.1%
///     pricing> undo since 22:00
///       would move 31 prices
///     ? yes
///       31 taken back, 0 left
///
/// What was typed stands at the margin, what came of it two columns in, so that no output can be taken for a command.
struct Transcript: Equatable {
    /// One command, its answers to what was asked, and what was shown.
    struct Entry: Equatable {
        var command: String
        var answers: [String] = []
        /// What was shown, an answer being one of the lines.
        var lines: [String] = []
        /// The line of the file at which it stands.
        var place = 0
    }

    /// How the session was held, which a second run needs to be like the first.
    struct Setting: Equatable {
        var isInteractive: Bool
        var format: OutputFormat
        /// Nil where the output was no terminal.
        var columns: Int?
    }

    var setting: Setting
    var entries: [Entry] = []

    private static let more = "      .. "
    private static let answer = "? "
    private static let margin = "  "

    init(setting: Setting) { self.setting = setting }

    // MARK: writing

    var head: String {
        let columns = setting.columns.map { ", \($0) columns" } ?? ""
        let place = setting.isInteractive ? "at the prompt" : "in a script"
        return "# pricing-repl \(place), \(setting.format.rawValue)\(columns)\n"
    }

    static func text(command: String) -> String {
        let rows = command.split(separator: "\n", omittingEmptySubsequences: false)
        return rows.enumerated().map { ($0.offset == 0 ? Link.prompt : more) + $0.element + "\n" }.joined()
    }

    static func text(answer text: String) -> String { answer + text + "\n" }

    static func text(output: String) -> String {
        lines(output).map { $0.isEmpty ? "\n" : margin + $0 + "\n" }.joined()
    }

    /// The lines of an output, without colours and without the spaces at their ends.
    static func lines(_ output: String) -> [String] {
        var lines = plain(output).split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return String(line)
        }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private static func plain(_ text: String) -> String {
        var result = ""
        var isEscape = false
        for character in text {
            if character == "\u{1B}" {
                isEscape = true
            } else if isEscape {
                isEscape = !character.isLetter
            } else {
                result.append(character)
            }
        }
        return result
    }

    // MARK: reading

    /// Nil for a text that is no recording.
    init?(_ text: String) {
        var rows = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if rows.last == "" { rows.removeLast() }
        guard let head = rows.first, let setting = Self.setting(head) else { return nil }
        self.setting = setting
        for (index, row) in rows.enumerated().dropFirst() {
            if row.hasPrefix(Link.prompt) || row == "pricing>" {
                entries.append(Entry(command: String(row.dropFirst(Link.prompt.count)), place: index + 1))
                continue
            }
            guard let last = entries.indices.last else {
                guard row.isEmpty || row.hasPrefix("#") else { return nil }
                continue
            }
            if row.hasPrefix(Self.more), entries[last].lines.isEmpty, entries[last].answers.isEmpty {
                entries[last].command += "\n" + row.dropFirst(Self.more.count)
            } else if row.hasPrefix(Self.answer) || row == "?" {
                entries[last].answers.append(String(row.dropFirst(Self.answer.count)))
                entries[last].lines.append(row)
            } else if row.isEmpty || row.hasPrefix(Self.margin) {
                entries[last].lines.append(String(row.dropFirst(Self.margin.count)))
            } else if !row.hasPrefix("#") {
                return nil
            }
        }
    }

    private static func setting(_ head: String) -> Setting? {
        let parts = head.split(separator: ",").map { $0.drop(while: \.isWhitespace) }
        guard head.hasPrefix("# pricing-repl "), parts.count >= 2, let format = OutputFormat(rawValue: String(parts[1]))
        else { return nil }
        let columns = parts.count > 2 ? parts[2].split(separator: " ").first.flatMap { Int($0) } : nil
        return Setting(isInteractive: parts[0].hasSuffix("at the prompt"), format: format, columns: columns)
    }
}
