import JSON

/// Cuts the text of one command into its parts, without knowing any method.
struct CommandLexer {
    /// A parameter's value as it was written.
    enum RawValue: Equatable {
        /// A JSON array or object.
        case json(String)
        /// What stood between quotes, unescaped.
        case quoted(String)
        /// A word without quotes.
        case bare(String)
    }

    /// `key=value`.
    struct Pair: Equatable {
        var key: String
        var value: RawValue
    }

    /// The parts of one command.
    enum Line: Equatable {
        /// Nothing, or a comment.
        case empty
        /// A whole JSON-RPC message, to be sent as it is.
        case message(String)
        /// `\name rest`; also `help`, `quit` and `exit` without the backslash.
        case backslash(name: String, rest: String)
        /// `noun.verb {…}`.
        case callWithObject(method: String, json: String)
        /// `noun.verb key=value …`.
        case call(method: String, pairs: [Pair])

        /// Whether it is read better with the server's description at hand.
        var needsCatalogue: Bool {
            switch self {
            case .empty, .message: false
            case .backslash(let name, _): [.help, .methods, .watch, .asCode].contains(BackslashCommand(named: name))
            case .callWithObject: true
            case .call(_, let pairs): !pairs.isEmpty
            }
        }
    }

    private let scalars: [Unicode.Scalar]
    private var position = 0

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// - Throws: `SyntaxError.incomplete` when another line may finish the command.
    static func lex(_ text: String) throws(SyntaxError) -> Line {
        var lexer = CommandLexer(text)
        return try lexer.line()
    }

    private mutating func line() throws(SyntaxError) -> Line {
        skipSpaces()
        guard let first = peek, first != "#" else { return .empty }
        if first == "{" || first == "[" { return .message(trimmed(from: position)) }
        if first == "\\" {
            position += 1
            let name = word()
            return .backslash(name: name, rest: trimmed(from: position))
        }
        let method = word()
        if ["help", "quit", "exit"].contains(method) {
            return .backslash(name: method, rest: trimmed(from: position))
        }
        skipSpaces()
        if peek == "{" {
            let json = try bracketed()
            skipSpaces()
            guard peek == nil else { throw .malformed("nothing may follow the object after \(method)") }
            return .callWithObject(method: method, json: json)
        }
        var pairs: [Pair] = []
        while peek != nil {
            let pair = try pair()
            if pairs.contains(where: { $0.key == pair.key }) { throw .malformed("\(pair.key) is given twice") }
            pairs.append(pair)
            skipSpaces()
        }
        return .call(method: method, pairs: pairs)
    }

    private mutating func pair() throws(SyntaxError) -> Pair {
        let start = position
        while let scalar = peek, scalar != "=", !isSpace(scalar) { position += 1 }
        let key = string(start..<position)
        guard peek == "=", !key.isEmpty else { throw .malformed("expected key=value, found '\(key)'") }
        position += 1
        guard let first = peek, !isSpace(first) else { return Pair(key: key, value: .bare("")) }
        let value: RawValue
        switch first {
        case "[", "{": value = .json(try bracketed())
        case "'": value = .quoted(try singleQuoted())
        case "\"": value = .quoted(try doubleQuoted())
        default: value = .bare(word())
        }
        if let next = peek, !isSpace(next) { throw .malformed("a space is missing after the value of \(key)") }
        return Pair(key: key, value: value)
    }

    /// A JSON array or object with its brackets; strings inside may hold brackets.
    private mutating func bracketed() throws(SyntaxError) -> String {
        let start = position
        var depth = 0
        var isInString = false
        while let scalar = peek {
            position += 1
            if isInString {
                if scalar == "\\" { position += 1 } else if scalar == "\"" { isInString = false }
                continue
            }
            switch scalar {
            case "\"": isInString = true
            case "[", "{": depth += 1
            case "]", "}": depth -= 1
            default: break
            }
            if depth == 0 { return string(start..<position) }
        }
        throw .incomplete
    }

    /// `'text'`; a quote inside is written twice, as in SQL.
    private mutating func singleQuoted() throws(SyntaxError) -> String {
        position += 1
        var text = String.UnicodeScalarView()
        while let scalar = peek {
            position += 1
            if scalar == "'" {
                guard peek == "'" else { return String(text) }
                position += 1
            }
            text.append(scalar)
        }
        throw .malformed("a quote ' is not closed")
    }

    /// `"text"` with JSON's escapes.
    private mutating func doubleQuoted() throws(SyntaxError) -> String {
        let start = position
        position += 1
        while let scalar = peek {
            position += 1
            if scalar == "\\" {
                position += 1
            } else if scalar == "\"" {
                let literal = string(start..<position)
                guard let text = JSONReading.parse(literal)?.string else {
                    throw .malformed("\(literal) is not a JSON string")
                }
                return text
            }
        }
        throw .malformed("a quote \" is not closed")
    }

    private mutating func word() -> String {
        let start = position
        while let scalar = peek, !isSpace(scalar) { position += 1 }
        return string(start..<position)
    }

    private mutating func skipSpaces() {
        while let scalar = peek, isSpace(scalar) { position += 1 }
    }

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

    private func trimmed(from start: Int) -> String {
        var range = start..<scalars.count
        while let first = range.first, isSpace(scalars[first]) { range = range.dropFirst() }
        while let last = range.last, isSpace(scalars[last]) { range = range.dropLast() }
        return string(range)
    }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range.clamped(to: 0..<scalars.count)])
        return String(view)
    }
}
