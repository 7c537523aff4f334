import JSON
import PricingProtocol

/// The parts of one command, from its tokens, without knowing any method.
enum CommandLexer {
    /// A parameter's value as it was written.
    enum RawValue: Equatable {
        /// A JSON array or object, and its text.
        case json(JSONValue, String)
        /// What stood between quotes, unescaped.
        case quoted(String)
        /// A word without quotes.
        case bare(String)
    }

    /// `key=value`.
    struct Pair: Equatable {
        var key: String
        var value: RawValue
        /// Where the key stands, in Unicode scalars.
        var range: Range<Int>
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
        case callWithObject(method: String, json: JSONObject)
        /// `noun.verb key=value …`.
        case call(method: String, pairs: [Pair])
        /// A deed and the words after it.
        case deed(DeedWord, words: [Token])
        /// `COMMAND ?`
        indirect case attempt(Line)

        /// What of the server's description it is read with.
        /// - Parameter isShaped: whether the result is laid out or goes into a file, and is not written as it came.
        func need(isShaped: Bool) -> Need {
            switch self {
            case .empty, .message: .nothing
            case .backslash(let name, _):
                [.help, .methods, .watch, .asCode].contains(BackslashCommand(named: name)) ? .everything : .nothing
            case .callWithObject(let method, _): .method(method)
            case .call(let method, let pairs): pairs.isEmpty && !isShaped ? .nothing : .method(method)
            case .deed(let deed, _): deed.typingMethod.map { Need.method($0) } ?? .nothing
            case .attempt(let line): line.need(isShaped: true)
            }
        }
    }

    /// How much of the server's description is needed.
    enum Need: Equatable {
        case nothing
        case method(String)
        case everything
    }

    /// - Throws: `SyntaxError.incomplete` when another line may finish the command.
    static func lex(_ text: String) throws(SyntaxError) -> Line {
        try lex(Tokenizer.tokens(text), of: text).line
    }

    /// Where each value of a call stands, by its JSON Pointer.
    static func places(in text: String) -> [String: Range<Int>] {
        (try? lex(Tokenizer.tokens(text), of: text).places) ?? [:]
    }

    private static func lex(
        _ all: [Token],
        of text: String
    ) throws(SyntaxError) -> (line: Line, places: [String: Range<Int>]) {
        var tokens = all.filter { $0.kind != .comment }
        guard let first = tokens.first else { return (.empty, [:]) }
        if first.kind == .message { return (.message(first.text), [:]) }
        if first.text.hasPrefix("\\") || Tokenizer.plainCommands.contains(first.text) {
            let name = first.text.hasPrefix("\\") ? String(first.text.dropFirst()) : first.text
            return (.backslash(name: name, rest: tokens.count > 1 ? tokens[1].text : ""), [:])
        }
        if tokens.last?.kind == .mark {
            tokens.removeLast()
            let inner = try lex(tokens, of: text)
            return (.attempt(inner.line), inner.places)
        }
        // What names a thing, alone, shows it.
        if tokens.count == 1, Reference.plain(first.text) != nil {
            var word = first
            word.kind = .word
            return (.deed(.show, words: [word]), [:])
        }
        if let deed = DeedWord(rawValue: first.text) { return try deedLine(deed, tokens, text) }
        return try call(first, tokens, text)
    }

    private static func deedLine(
        _ deed: DeedWord,
        _ tokens: [Token],
        _ text: String
    ) throws(SyntaxError) -> (line: Line, places: [String: Range<Int>]) {
        let words = Array(tokens.dropFirst())
        if deed == .try {
            guard var next = words.first else { throw .missing(deed.arguments, example: "restock 18 +20") }
            next.kind = .command
            let inner = try lex([next] + words.dropFirst(), of: text)
            return (.attempt(inner.line), inner.places)
        }
        // The shell's own; without the seconds a product's number would be taken for them.
        if deed == .watch, let first = words.first, let last = words.last {
            let watched = string(text, first.range.lowerBound..<last.range.upperBound)
            return (.backslash(name: "watch", rest: "2 " + watched), [:])
        }
        if let broken = words.first(where: { $0.kind == .unclosed }) { _ = try TokenReader.text(of: broken) }
        return (.deed(deed, words: words), [:])
    }

    private static func call(
        _ method: Token,
        _ tokens: [Token],
        _ text: String
    ) throws(SyntaxError) -> (line: Line, places: [String: Range<Int>]) {
        var reader = TokenReader(tokens, from: 1)
        var pairs: [Pair] = []
        if let token = reader.peek, token.kind == .open, token.text == "{" {
            let value = try reader.value(at: "")
            if let next = reader.peek {
                throw .malformed("nothing may follow the object after \(method.text)", at: next.range)
            }
            return (.callWithObject(method: method.text, json: value.object ?? [:]), reader.places)
        }
        while let key = reader.peek {
            guard key.kind == .key else {
                // No method: that is what is wrong, and not what follows.
                if !method.text.contains(".") { return (.call(method: method.text, pairs: []), [:]) }
                throw .malformed("expected key=value, found '\(key.text)'", at: key.range)
            }
            if pairs.contains(where: { $0.key == key.text }) {
                throw .malformed("\(key.text) is given twice", at: key.range)
            }
            reader.skip()
            reader.skip()
            guard let first = reader.peek else { throw .malformed("\(key.text) has no value", at: key.range) }
            let steps = key.text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            let pointer = steps.map { "/" + TokenReader.escaped($0) }.joined()
            // A text of one line ends with it; in a bracket another line may close its quote.
            if first.kind == .unclosed { _ = try TokenReader.text(of: first) }
            let value = try reader.value(at: pointer)
            let place = reader.places[pointer] ?? first.range
            let raw: RawValue =
                switch first.kind {
                case .open: .json(value, Self.string(text, place))
                case .quoted: .quoted(value.string ?? "")
                default: .bare(first.text)
                }
            pairs.append(Pair(key: key.text, value: raw, range: key.range))
            if let next = reader.peek, next.range.lowerBound == place.upperBound {
                throw .malformed("a space is missing after the value of \(key.text)", at: next.range)
            }
        }
        return (.call(method: method.text, pairs: pairs), reader.places)
    }

    /// A first word that is neither a deed nor a method.
    static func unknown(_ word: String) -> SyntaxError {
        let near = NearNames.of(word, among: DeedWord.allCases.map(\.rawValue) + Tokenizer.plainCommands, within: 2)
        let found = near.isEmpty ? "\\? lists what there is" : "did you mean " + near.joined(separator: " or ") + "?"
        return .malformed("there is no '\(word)'; \(found)", at: 0..<word.unicodeScalars.count)
    }

    private static func string(_ text: String, _ range: Range<Int>) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(range.lowerBound).prefix(range.count)))
    }
}
