import JSON

/// Reads JSON, relaxed, from tokens: words and keys without quotes, texts in single quotes, a comma before the end.
struct TokenReader {
    private let tokens: [Token]
    private(set) var index = 0
    /// Where each value stands, by JSON Pointer.
    private(set) var places: [String: Range<Int>] = [:]

    init(_ tokens: [Token], from index: Int = 0) {
        self.tokens = tokens
        self.index = index
    }

    var peek: Token? { tokens.indices.contains(index) ? tokens[index] : nil }

    mutating func skip() { index += 1 }

    /// What a quoted token says.
    static func text(of token: Token) throws(SyntaxError) -> String {
        guard token.kind != .unclosed else {
            throw .malformed("a quote \(token.quote.map(String.init) ?? "") is not closed", at: token.range)
        }
        if token.quote == "'" {
            return token.text.replacing("''", with: "'")
        }
        guard token.quote != nil else { return token.text }
        guard let text = JSONReading.parse("\"\(token.text)\"")?.string else {
            throw .malformed("\"\(token.text)\" is not a JSON string", at: token.range)
        }
        return text
    }

    /// The value that begins here.
    mutating func value(at pointer: String) throws(SyntaxError) -> JSONValue {
        guard let token = peek else { throw .incomplete }
        skip()
        places[pointer] = token.range
        switch token.kind {
        case .quoted: return .string(try Self.text(of: token))
        case .unclosed: throw .incomplete
        case .word: return Self.word(token.text)
        case .open:
            let value = token.text == "{" ? try object(at: pointer) : try array(at: pointer)
            places[pointer] = token.range.lowerBound..<tokens[index - 1].range.upperBound
            return value
        default: throw .malformed("a value is missing before '\(token.text)'", at: token.range)
        }
    }

    private mutating func array(at pointer: String) throws(SyntaxError) -> JSONValue {
        var elements: [JSONValue] = []
        while true {
            if try closes(with: "]") { return .array(elements) }
            elements.append(try value(at: "\(pointer)/\(elements.count)"))
            try separator(before: "]")
        }
    }

    private mutating func object(at pointer: String) throws(SyntaxError) -> JSONValue {
        var object = JSONObject()
        while true {
            if try closes(with: "}") { return .object(object) }
            guard let token = peek else { throw .incomplete }
            guard token.kind == .key else {
                throw token.kind == .unclosed
                    ? .incomplete : .malformed("a member's name is missing before '\(token.text)'", at: token.range)
            }
            let key = try Self.text(of: token)
            guard object[key] == nil else { throw .malformed("\(key) is given twice", at: token.range) }
            skip()
            guard let colon = peek else { throw .incomplete }
            guard colon.kind == .colon else { throw .malformed("a ':' is missing after \(key)", at: colon.range) }
            skip()
            object[key] = try value(at: pointer + "/" + Self.escaped(key))
            try separator(before: "}")
        }
    }

    private mutating func closes(with bracket: String) throws(SyntaxError) -> Bool {
        skipComments()
        guard let token = peek else { throw .incomplete }
        guard token.kind == .close else { return false }
        guard token.text == bracket else {
            throw .malformed("'\(token.text)' closes what another bracket opened", at: token.range)
        }
        skip()
        return true
    }

    private mutating func separator(before bracket: String) throws(SyntaxError) {
        skipComments()
        guard let token = peek else { throw .incomplete }
        if token.kind == .comma { return skip() }
        guard token.kind == .close else {
            throw .malformed("a ',' is missing before '\(token.text)'", at: token.range)
        }
    }

    private mutating func skipComments() {
        while peek?.kind == .comment { skip() }
    }

    /// A number, `true`, `false`, `null`, or else a text.
    private static func word(_ text: String) -> JSONValue {
        switch JSONReading.parse(text) {
        case .some(let literal): literal
        case nil: .string(text)
        }
    }

    /// A name as a step of a JSON Pointer.
    static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
