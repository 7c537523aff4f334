/// Text as a terminal shows it: how many columns it takes, and what must not reach a terminal raw.
enum DisplayText {
    /// The columns that `text` takes: two for East Asian wide characters and emoji, none for combining marks.
    static func width(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width($1) }
    }

    /// `text` with control characters written as escapes, so that no stored value can move the cursor.
    static func safe(_ text: String) -> String {
        if text.unicodeScalars.allSatisfy({ !isControl($0) }) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar): result += "\\x" + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `text` cut to at most `columns`, its loss shown by `…`.
    static func clipped(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        var result = ""
        var used = 0
        for character in text {
            let next = width(character)
            if used + next > columns - 1 { break }
            result.append(character)
            used += next
        }
        return columns > 0 ? result + "…" : ""
    }

    /// The same of a text that holds colours, which take no column.
    static func clippedStyled(_ text: String, to columns: Int) -> String {
        var (result, cut, used, isStyle) = ("", "", 0, false)
        for character in text {
            if isStyle || character == "\u{1B}" {
                isStyle = character == "\u{1B}" || !character.isLetter
            } else {
                used += width(character)
                if used >= columns, cut.isEmpty { cut = result + "…\u{1B}[0m" }
                guard used <= columns else { return text.contains("\u{1B}") ? cut : clipped(text, to: columns) }
            }
            result.append(character)
        }
        return text
    }

    /// The columns of a text that holds colours.
    private static func shownWidth(_ text: String) -> Int {
        guard text.unicodeScalars.contains("\u{1B}") else { return width(text) }
        var (used, isStyle) = (0, false)
        for character in text {
            if isStyle || character == "\u{1B}" {
                isStyle = character == "\u{1B}" || !character.isLetter
            } else {
                used += width(character)
            }
        }
        return used
    }

    /// `line` in rows of at most `columns`, broken at spaces; the further rows stand two columns to the right.
    static func wrapped(_ line: String, to columns: Int?) -> String {
        guard let columns, shownWidth(line) > columns else { return line }
        let indent = String(line.prefix { $0 == " " })
        var rows: [String] = []
        var row = indent
        for word in line.dropFirst(indent.count).split(separator: " ", omittingEmptySubsequences: false) {
            if shownWidth(row) + 1 + shownWidth(String(word)) > columns, !row.allSatisfy({ $0 == " " }) {
                rows.append(row)
                row = indent + "  " + word
            } else {
                row += (row == indent ? "" : " ") + word
            }
        }
        return (rows + [row]).joined(separator: "\n")
    }

    /// `text` filled with spaces to `columns`; never cut.
    static func padded(_ text: String, to columns: Int, right: Bool = false) -> String {
        let fill = String(repeating: " ", count: max(0, columns - width(text)))
        return right ? fill + text : text + fill
    }

    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.properties.generalCategory == .nonspacingMark || first.value == 0x200B { return 0 }
        let isWide =
            switch first.value {
            case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
                0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
                0x20000...0x3FFFD:
                true
            default: false
            }
        return isWide ? 2 : 1
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
            || (0x2066...0x2069).contains(scalar.value)
    }
}
