import JSON

/// `\watch [SECONDS] COMMAND [every 2s] [until MEMBER OP VALUE]`.
struct WatchOrder: Equatable {
    var seconds: Double
    var command: String
    /// Ends the watch when it holds.
    var until: Condition?

    /// A member of the result, compared: `items.0.price>=12`, `total!=0`, `status=done`.
    struct Condition: Equatable {
        var path: [String]
        var comparison: String
        var value: String

        /// Whether it holds of a result, or of an element of the list that it is; a member that is not there equals the
        /// empty text.
        func holds(of result: JSONObject) -> Bool {
            guard let first = path.first, result[first] == nil, let items = result["items"]?.array else {
                return holds(ofOne: .object(result))
            }
            return items.contains { holds(ofOne: $0) }
        }

        private func holds(ofOne one: JSONValue) -> Bool {
            var found: JSONValue? = one
            for name in path {
                if let index = Int(name), let elements = found?.array {
                    found = elements.indices.contains(index) ? elements[index] : nil
                } else {
                    found = found?[name]
                }
            }
            let text = found.map { Grid.Cell($0).text } ?? ""
            let order: Int
            if let left = Double(text), let right = Double(value) {
                order = left < right ? -1 : left > right ? 1 : 0
            } else {
                order = text < value ? -1 : text > value ? 1 : 0
            }
            return switch comparison {
            case "=": order == 0
            case "!=": order != 0
            case "<": order < 0
            case ">": order > 0
            case "<=": order <= 0
            default: order >= 0
            }
        }

        /// Nil for another text.
        init?(_ text: String) {
            for sign in ["!=", "<=", ">=", "=", "<", ">"] {
                let characters = Array(text)
                let width = sign.count
                guard characters.count > width else { continue }
                for at in 1...(characters.count - width) where String(characters[at..<at + width]) == sign {
                    let trimmed = { (part: ArraySlice<Character>) in
                        String(part.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" })
                    }
                    path = trimmed(characters[..<at]).split(separator: ".").map(String.init)
                    comparison = sign
                    value = trimmed(characters[(at + width)...])
                    guard !path.isEmpty else { return nil }
                    return
                }
            }
            return nil
        }
    }

    private static let secondsAllowed = 0.1...86_400

    /// Nil when it is not so.
    init?(_ text: String) {
        var words = text.split(whereSeparator: \.isWhitespace)
        guard let first = words.first else { return nil }
        var rest = text.drop(while: \.isWhitespace)
        seconds = 2
        if let number = Double(first) {
            seconds = number
            rest = rest.dropFirst(first.count).drop(while: \.isWhitespace)
        }
        if let range = Self.lastWord("until", in: rest) {
            guard let condition = Condition(String(rest[range.upperBound...])) else { return nil }
            until = condition
            rest = rest[..<range.lowerBound]
        }
        words = rest.split(whereSeparator: \.isWhitespace)
        if words.count > 2, words[words.count - 2] == "every", let pause = Self.pause(words[words.count - 1]) {
            seconds = pause
            guard let range = Self.lastWord("every", in: rest) else { return nil }
            rest = rest[..<range.lowerBound]
        }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        command = String(rest)
        guard !command.isEmpty, Self.secondsAllowed.contains(seconds) else { return nil }
    }

    init(seconds: Double, command: String, until: Condition? = nil) {
        (self.seconds, self.command, self.until) = (seconds, command, until)
    }

    /// `2s`, `0.5s`, `1m`, `2`.
    private static func pause(_ text: Substring) -> Double? {
        if text.hasSuffix("ms") { return Double(text.dropLast(2)).map { $0 / 1000 } }
        if text.hasSuffix("s") { return Double(text.dropLast()) }
        if text.hasSuffix("m") { return Double(text.dropLast()).map { $0 * 60 } }
        return Double(text)
    }

    private static func lastWord(_ word: String, in text: Substring) -> Range<Substring.Index>? {
        var found: Range<Substring.Index>?
        var start = text.startIndex
        while let from = text[start...].firstIndex(where: { !$0.isWhitespace }) {
            let end = text[from...].firstIndex(where: \.isWhitespace) ?? text.endIndex
            if text[from..<end] == word, from > text.startIndex { found = from..<end }
            start = end
        }
        return found
    }
}
