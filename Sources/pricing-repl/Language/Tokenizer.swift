/// Cuts what was typed into tokens: parser, completion, hint and the mark under a mistake all read these.
///
/// Every text has tokens, a broken one too: what is wrong with it is the parser's to say.
struct Tokenizer {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var tokens: [Token] = []
    /// The open brackets; of an object whether a key comes next.
    private var open: [(isObject: Bool, wantsKey: Bool)] = []

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// Words that are commands of the shell without a backslash too.
    static let plainCommands = ["help", "quit", "exit"]

    /// Whether a command begins with `first` after `watch`, and not the name of a product.
    static func isCommand(_ first: Token, isLast: Bool) -> Bool {
        guard first.kind != .message, !first.text.hasPrefix("\\") else { return true }
        return first.text.contains(".") ? first.text != "." : !isLast && DeedWord(rawValue: first.text) != nil
    }

    static func tokens(_ text: String) -> [Token] {
        var tokenizer = Tokenizer(text)
        tokenizer.run()
        return tokenizer.tokens
    }

    private mutating func run() {
        skipSpaces()
        guard let first = peek else { return }
        if first == "#" { return comment() }
        if first == "{" || first == "[" { return add(.message, position..<trimmedEnd) }
        let start = position
        skipWord()
        add(.command, start..<position)
        if first == "\\" || Self.plainCommands.contains(string(start..<position)) {
            skipSpaces()
            if position < trimmedEnd { add(.rest, position..<trimmedEnd) }
            return
        }
        while true {
            skipSpaces()
            guard peek != nil else { return }
            next()
        }
    }

    /// One token, which begins here.
    private mutating func next() {
        guard let scalar = peek else { return }
        // `#18` names a product.
        if scalar == "#", !(open.isEmpty && isDigit(at: position + 1)) { return comment() }
        if scalar == "'" || scalar == "\"" { return quoted(scalar) }
        if scalar == "{" || scalar == "[" { return bracket(isObject: scalar == "{") }
        guard open.isEmpty else { return inBrackets(scalar) }
        if scalar == "?", position + 1 >= trimmedEnd { return add(.mark, position..<(position + 1)) }
        let start = position
        while let scalar = peek, scalar != "=", !isSpace(scalar) { position += 1 }
        guard peek == "=", position > start else {
            skipWord()
            // `restock 18 +20?`: a number has no question mark.
            let isAsked = position >= trimmedEnd && position > start + 1 && scalars[position - 1] == "?"
            guard isAsked, "+-".unicodeScalars.contains(scalars[start]) || isDigit(at: start) else {
                return add(.word, start..<position)
            }
            add(.word, start..<(position - 1))
            return add(.mark, (position - 1)..<position)
        }
        add(.key, start..<position)
        add(.equals, position..<(position + 1))
        guard let first = peek, !isSpace(first) else { return add(.word, position..<position) }
        guard !"'\"[{".unicodeScalars.contains(first) else { return next() }
        let value = position
        skipWord()
        add(.word, value..<position)
    }

    private mutating func inBrackets(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "]", "}":
            open.removeLast()
            add(.close, position..<(position + 1))
        case ",":
            if let last = open.indices.last { open[last].wantsKey = open[last].isObject }
            add(.comma, position..<(position + 1))
        case ":":
            if let last = open.indices.last { open[last].wantsKey = false }
            add(.colon, position..<(position + 1))
        default:
            let start = position
            let isKey = open.last?.wantsKey == true
            while let scalar = peek, !isSpace(scalar), !",[]{}\"'".unicodeScalars.contains(scalar),
                !(isKey && scalar == ":")
            { position += 1 }
            add(isKey ? .key : .word, start..<position)
        }
    }

    private mutating func bracket(isObject: Bool) {
        add(.open, position..<(position + 1))
        open.append((isObject, isObject))
    }

    /// `'text'`, in which a quote is written twice, as in SQL; `"text"` with JSON's escapes.
    private mutating func quoted(_ quote: Unicode.Scalar) {
        let start = position
        position += 1
        while let scalar = peek {
            position += 1
            if scalar == "\\", quote == "\"" {
                position = min(position + 1, scalars.count)
            } else if scalar == quote {
                guard quote == "'", peek == "'" else {
                    return add(.quoted, start..<position, inner: (start + 1)..<(position - 1), quote)
                }
                position += 1
            }
        }
        add(.unclosed, start..<position, inner: (start + 1)..<position, quote)
    }

    private mutating func comment() {
        let start = position
        while let scalar = peek, scalar != "\n" { position += 1 }
        add(.comment, start..<position)
    }

    private mutating func add(
        _ kind: Token.Kind,
        _ range: Range<Int>,
        inner: Range<Int>? = nil,
        _ quote: Unicode.Scalar? = nil
    ) {
        var token = Token(kind: kind, range: range, text: string(inner ?? range), depth: open.count, quote: quote)
        if quote != nil, open.last?.wantsKey == true, kind == .quoted { token.kind = .key }
        tokens.append(token)
        position = range.upperBound
    }

    private mutating func skipWord() {
        while let scalar = peek, !isSpace(scalar) { position += 1 }
    }

    private mutating func skipSpaces() {
        while let scalar = peek, isSpace(scalar) { position += 1 }
    }

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    /// Where the text ends without the spaces behind it.
    private var trimmedEnd: Int { (scalars.lastIndex { !isSpace($0) } ?? -1) + 1 }

    private func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    private func isDigit(at place: Int) -> Bool {
        scalars.indices.contains(place) && (0x30...0x39).contains(scalars[place].value)
    }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range.clamped(to: 0..<scalars.count)])
        return String(view)
    }
}
