/// What the words of a line are, while it is typed. Pure.
enum LineStyle: Character {
    case plain = " "
    case command = "c"
    case reference = "r"
    case number = "n"
    case unknown = "u"

    /// Words that say what comes next; a thing is named behind these.
    private static let introducing: Set = ["to", "in", "cat", "category", "user", "order", "rule", "product"]
    private static let joining: Set = [
        "at", "since", "until", "on", "under", "over", "every", "price", "stock", "orders", "low", "high", "pinned",
        "change", "all",
    ]

    /// A style for each Unicode scalar of `text`.
    static func styles(of text: String, catalogue: MethodCatalogue) -> String {
        var styles = Array(repeating: LineStyle.plain, count: text.unicodeScalars.count)
        var tokens = Tokenizer.tokens(text)[...]
        while let first = tokens.first {
            let isLast = first.range.upperBound == styles.count
            let style = style(ofCommand: first.text, isTyped: isLast, catalogue)
            for index in first.range where first.kind != .message && first.kind != .comment { styles[index] = style }
            tokens = tokens.dropFirst()
            // A command of which the first word is said by another.
            guard style == .command, let next = tokens.first,
                first.text == "try" || first.text == "watch" && Tokenizer.isCommand(next, isLast: tokens.count == 1)
            else {
                let deed = DeedWord(rawValue: first.text)
                for (token, style) in words(tokens, deed, catalogue[first.text], end: styles.count) {
                    for index in token.range { styles[index] = style }
                }
                break
            }
        }
        return String(styles.map(\.rawValue))
    }

    /// - Parameter isTyped: whether it may become another word yet.
    private static func style(ofCommand word: String, isTyped: Bool, _ catalogue: MethodCatalogue) -> LineStyle {
        if Reference.plain(word) != nil { return .reference }
        let commands = DeedWord.allCases.map(\.rawValue) + Tokenizer.plainCommands
        if word.hasPrefix("\\") {
            let name = String(word.dropFirst())
            if BackslashCommand(named: name) != nil { return .command }
            let isBegun = BackslashCommand.allCases.contains { $0.rawValue.hasPrefix(name) }
            return isTyped && isBegun ? .plain : .unknown
        }
        if commands.contains(word) || catalogue[word] != nil { return .command }
        // Before the daemon has told of its methods none is unknown.
        guard !catalogue.methods.isEmpty, !word.hasPrefix("{"), !word.hasPrefix("[") else { return .plain }
        let isBegun = commands.contains { $0.hasPrefix(word) } || catalogue.methods.contains { $0.name.hasPrefix(word) }
        return isTyped && isBegun ? .plain : .unknown
    }

    private static func words(
        _ tokens: ArraySlice<Token>,
        _ deed: DeedWord?,
        _ method: MethodCatalogue.Method?,
        end: Int
    ) -> [(Token, LineStyle)] {
        guard let deed else {
            return tokens.map { token in
                switch token.kind {
                case .quoted, .unclosed: return (token, .reference)
                case .word: return (token, DeedReader.isAmount(token.text) ? .number : .plain)
                case .key where token.depth == 0 && token.range.upperBound < end:
                    let name = token.text.prefix { $0 != "." }
                    let isKnown = method?.parameters.contains { $0.name == name } ?? true
                    return (token, isKnown || name == "_meta" ? .plain : .unknown)
                default: return (token, .plain)
                }
            }
        }
        // A thing may have a number for its name, and behind it a number is an amount.
        var (isNamed, isFirst) = (deed != .find, true)
        return tokens.map { token in
            let word = token.text.lowercased().trimmingComma
            let isEnd = token.text.hasSuffix(",")
            switch token.kind {
            case .quoted:
                defer { isNamed = isNamed && deed != .halt }
                return (token, isNamed ? .reference : .plain)
            case .comma: (isNamed, isFirst) = (true, true)
            case .word where introducing.contains(word): (isNamed, isFirst) = (true, true)
            case .word where joining.contains(word): isNamed = false
            case .word:
                let isThing = isNamed && (isFirst && Reference.plain(word) != nil || !DeedReader.isAmount(word))
                let isNumber = !isThing && DeedReader.isAmount(word)
                isFirst = isEnd
                // Without quotes the reason of a halt begins at the second word.
                isNamed = isEnd || (isNamed && !isNumber && deed != .halt)
                return (token, isThing ? .reference : isNumber ? .number : .plain)
            default: break
            }
            return (token, .plain)
        }
    }
}

extension String {
    fileprivate var trimmingComma: String { hasSuffix(",") ? String(dropLast()) : self }
}
