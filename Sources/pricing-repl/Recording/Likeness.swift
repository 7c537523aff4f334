/// Whether two runs of a session show the same. Pure.
///
/// What differs by nature does not count: times, how long something took, keys, digests, cursors. An id that the shop gave
/// out in the session may be another one, as long as it is the same one from then on; an id that was typed may not.
struct Likeness {
    /// What stands in the recording, and what it is in this run.
    private var ids: [String: String] = [:]
    private var typed: Set<String> = []

    /// A piece of a line.
    private enum Piece: Equatable {
        case text(String)
        case id(String)
        /// Something that is another at each run.
        case volatile
    }

    /// Words before a number that is an id.
    private static let named: Set<String> = ["order", "delivery", "change", "quote", "sequence", "campaign", "halt"]
    /// Words before what a run has of its own.
    private static let volatile: Set<String> = [
        "cursor", "digest", "instanceId", "uptimeSeconds", "pid", "subscription", "elapsedMs",
    ]
    private static let units: Set<String> = ["ms", "s", "min", "h"]
    private static let days: Set<String> = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// A recorded command as this run must have it.
    mutating func command(_ recorded: String) -> String {
        var result = ""
        for (word, isID) in Self.marked(recorded) {
            guard isID else {
                result += word
                continue
            }
            if ids[word] == nil { typed.insert(word) }
            result += ids[word] ?? word
        }
        return result
    }

    /// The lines that differ, from the first to the last; nil where none does.
    mutating func difference(_ recorded: [String], _ now: [String]) -> (recorded: [String], now: [String])? {
        var start = 0
        while start < min(recorded.count, now.count), isSame(recorded[start], now[start]) { start += 1 }
        guard start < recorded.count || start < now.count else { return nil }
        var ends = (recorded.count, now.count)
        while ends.0 > start, ends.1 > start, isSame(recorded[ends.0 - 1], now[ends.1 - 1]) {
            ends.0 -= 1
            ends.1 -= 1
        }
        return (Array(recorded[start..<ends.0]), Array(now[start..<ends.1]))
    }

    private mutating func isSame(_ recorded: String, _ now: String) -> Bool {
        let (old, new) = (Self.pieces(recorded), Self.pieces(now))
        guard old.count == new.count else { return false }
        var met = ids
        for (old, new) in zip(old, new) where old != new {
            guard case .id(let was) = old, case .id(let become) = new, !typed.contains(was) else { return false }
            guard met[was] == nil ? !met.values.contains(become) : met[was] == become else { return false }
            met[was] = become
        }
        ids = met
        return true
    }

    /// A line in pieces, spaces and rules shortened, since an id of more digits widens its column.
    private static func pieces(_ line: String) -> [Piece] {
        var result: [Piece] = []
        let all = marked(line)
        for (index, (word, isID)) in all.enumerated() {
            let before = all[..<index].last { $0.word.first?.isLetter == true }?.word ?? ""
            let after = all[(index + 1)...].first { $0.word.first?.isWhitespace != true }?.word ?? ""
            if word.allSatisfy(\.isWhitespace) {
                result.append(.text(" "))
            } else if word.count > 2, word.allSatisfy({ $0 == "-" || $0 == "+" }) {
                result.append(.text("-"))
            } else if isTime(word) || days.contains(word) || isKey(word) || (isNumber(word) && units.contains(after))
                || (units.contains(word)
                    && isNumber(all[..<index].last { $0.word.first?.isWhitespace != true }?.word ?? ""))
                || (volatile.contains(before) && isValue(all, index))
            {
                result.append(.volatile)
            } else {
                result.append(isID ? .id(word) : .text(word))
            }
        }
        return result
    }

    /// The words of a text and what stands between them, and whether each is a number that is an id.
    private static func marked(_ text: String) -> [(word: String, isID: Bool)] {
        var words: [(word: String, isID: Bool)] = []
        for character in text {
            let isWord = character.isLetter || character.isNumber || "_-.:+".contains(character)
            if let last = words.last?.word, let end = last.last {
                let continues = last.first.map { $0.isLetter || $0.isNumber } ?? false
                // A colon or a sign belongs to a time, and not to a member's name or a rule.
                let isInside =
                    character.isLetter || character.isNumber || "_".contains(character)
                    || (last.first?.isNumber == true && ".:+-".contains(character))
                    || (last.first?.isLetter == true && character == "-")
                let isGap = !isWord && character.isWhitespace == end.isWhitespace && end.isWhitespace
                let isRule = "-+".contains(character) && "-+".contains(end) && !continues
                if (continues && isInside) || isGap || isRule {
                    words[words.count - 1].word.append(character)
                    continue
                }
            }
            words.append((String(character), false))
        }
        // What ends a sentence behind a number is no part of it.
        for index in words.indices.reversed() where words[index].word.count > 1 {
            guard words[index].word.first?.isNumber == true, let end = words[index].word.last, ".:+-".contains(end)
            else {
                continue
            }
            words[index].word.removeLast()
            words.insert((String(end), false), at: index + 1)
        }
        for index in words.indices where words[index].word.allSatisfy(\.isNumber) {
            let name = words[..<index].last { $0.word.first?.isLetter == true || $0.word.first?.isNumber == true }?.word
            words[index].isID = name.map { $0.hasSuffix("Id") || named.contains($0) } ?? false
        }
        return words
    }

    /// Whether the word at `index` is what stands behind its name, and not more words on.
    private static func isValue(_ words: [(word: String, isID: Bool)], _ index: Int) -> Bool {
        words[index].word.first.map { $0.isLetter || $0.isNumber } ?? false
    }

    private static func isNumber(_ word: String) -> Bool {
        word.first?.isNumber == true && word.allSatisfy { $0.isNumber || $0 == "." }
    }

    /// `2026-11-30`, `2026-11-30T09:00:00.000Z`, `09:00`, `09:00:05`, `+01:00`.
    private static func isTime(_ word: String) -> Bool {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        if (2...3).contains(parts.count), parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isNumber) }) {
            return true
        }
        let day = word.prefix(10).split(separator: "-")
        return word.count >= 10 && day.map(\.count) == [4, 2, 2] && day.allSatisfy { $0.allSatisfy(\.isNumber) }
    }

    /// A key of the shell's own, a UUID, a digest.
    private static func isKey(_ word: String) -> Bool {
        if word.hasPrefix("repl-"), word.count == 21 { return true }
        let isHex = word.allSatisfy { $0.isHexDigit || $0 == "-" }
        return isHex && (word.count == 64 || (word.count == 36 && word.split(separator: "-").count == 5))
    }
}
