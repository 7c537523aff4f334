import JSON

/// The words of a deed, read from the left.
struct DeedReader {
    let deed: DeedWord
    private let times: HumanTime
    private var tokens: [Token]
    private var index = 0
    /// The times that were read, absolutely.
    private(set) var echoes: [String] = []
    /// Where the values stand that were read, by the JSON Pointer that they have in the call.
    private(set) var places: [String: Range<Int>] = [:]

    init(_ deed: DeedWord, _ tokens: [Token], times: HumanTime) {
        self.deed = deed
        self.times = times
        self.tokens = deed == .sell ? tokens.flatMap(Self.splitComma) : tokens
    }

    var peek: Token? { tokens.indices.contains(index) ? tokens[index] : nil }

    /// What should come next and does not: at the end it is missing, else another thing stands there.
    func wanted(_ what: String, _ example: String) -> SyntaxError {
        guard let token = peek else { return .missing(what, example: example) }
        return .malformed("'\(token.text)' stands where \(what) is wanted, such as \(example)", at: token.range)
    }

    /// Whether a text in quotes is still to come.
    var hasQuoted: Bool { tokens.dropFirst(index).contains { $0.kind == .quoted } }

    mutating func skip() { index += 1 }

    /// Takes `word` if it comes next.
    mutating func takes(_ word: String) -> Bool {
        guard let token = peek, token.kind == .word, token.text.lowercased() == word else { return false }
        index += 1
        return true
    }

    /// A thing: one word that says all, else words up to an amount or one of `stops`.
    /// - Parameters:
    ///   - kinds: what it is unless a word before it says so, the likeliest first.
    ///   - others: what a word before it may say.
    ///   - most: how many words a name without quotes may have.
    mutating func reference(
        _ kinds: [Reference.Kind],
        or others: [Reference.Kind] = [],
        stops: Set<String> = [],
        most: Int = .max
    ) throws(SyntaxError) -> Reference {
        guard var token = peek, token.kind != .word || !stops.contains(token.text.lowercased()) else {
            throw wanted(kinds, or: others)
        }
        index += 1
        var kinds = kinds
        if token.kind == .word, let kind = Reference.Kind(word: token.text), (kinds + others).contains(kind) {
            guard let next = peek else { throw wanted([kind], or: []) }
            if next.kind != .word || !stops.contains(next.text.lowercased()) {
                kinds = [kind]
                token = next
                index += 1
            }
        }
        if token.kind == .quoted {
            return Reference(what: .text(try TokenReader.text(of: token)), kinds: kinds, range: token.range)
        }
        guard token.kind == .word else {
            index -= 1
            throw wanted(kinds, or: [])
        }
        if let what = Reference.plain(token.text) { return Reference(what: what, kinds: kinds, range: token.range) }
        if token.text.contains("@"), kinds.count == 1, kinds != [.user], deed == .show { kinds = [.user] }
        var words = [token.text]
        var end = token.range.upperBound
        while words.count < most, let next = peek, next.kind == .word, !Self.isAmount(next.text),
            !stops.contains(next.text.lowercased())
        {
            words.append(next.text)
            end = next.range.upperBound
            index += 1
        }
        var text = words.joined(separator: " ")
        // `bands/2` is version 2 of bands.
        if kinds == [.rule] { text = text.replacing("/", with: " ") }
        return Reference(what: .text(text), kinds: kinds, range: token.range.lowerBound..<end)
    }

    /// What is wanted where a thing is named.
    private func wanted(_ kinds: [Reference.Kind], or others: [Reference.Kind]) -> SyntaxError {
        let what =
            kinds.map { $0.rawValue.uppercased() }
            + others.filter { !kinds.contains($0) }.map { kind in
                "\(kind.word) \(kind == .order ? "N" : "NAME")"
            }
        return wanted(what.joined(separator: " or "), kinds.map(\.example).joined(separator: " or "))
    }

    /// Units for the parameter `name`: `+20`, `-3`, `20`.
    /// - Parameter example: what they are called, and what they look like.
    mutating func units(
        _ name: String,
        signed: Bool = false,
        like example: (what: String, text: String) = ("+N", "+20")
    ) throws(SyntaxError) -> Int64 {
        guard let token = peek, token.kind == .word else { throw wanted(example.what, example.text) }
        let digits = token.text.hasPrefix("+") ? String(token.text.dropFirst()) : token.text
        guard let number = Int64(digits), number != 0, signed || number > 0 else {
            throw .malformed("'\(token.text)' is no number of units, such as \(example.text)", at: token.range)
        }
        took(1, as: name)
        return number
    }

    /// `x2` for a line of an order, if it comes next; else 1.
    /// - Parameter limits: the least and the most, for people.
    mutating func multiple(line: Int, limits: String) throws(SyntaxError) -> Int64 {
        guard let token = peek, token.kind == .word, token.text.hasPrefix("x"), Self.isAmount(token.text) else {
            return 1
        }
        guard let number = Int64(token.text.dropFirst()), number > 0 else {
            let allowed = limits.isEmpty ? "x1 or more" : "x" + limits
            throw .malformed("'\(token.text)' is no number of units; allowed: \(allowed)", at: token.range)
        }
        took(1, as: "lines/\(line)/quantity")
        return number
    }

    /// `up=20%`, if it comes next: a share may be in hundredths.
    mutating func pair() throws(SyntaxError) -> (name: String, value: String)? {
        guard let key = peek, key.kind == .key else { return nil }
        guard tokens.count > index + 2, case let value = tokens[index + 2], value.kind == .word || value.kind == .quoted
        else { throw .malformed("\(key.text) has no value", at: key.range) }
        took(3, as: "parameters/" + TokenReader.escaped(key.text))
        let text = try TokenReader.text(of: value)
        return (key.text, Self.isAmount(text) && text.hasSuffix("%") ? Self.share(text) : text)
    }

    /// `20%` is 0.20, `7.5%` is 0.075.
    private static func share(_ percent: String) -> String {
        let parts = percent.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        let isNegative = parts[0].hasPrefix("-")
        var whole = String(parts[0].drop { "+-".contains($0) })
        while whole.count < 3 { whole = "0" + whole }
        let fraction = whole.suffix(2) + (parts.count > 1 ? parts[1] : "")
        return (isNegative ? "-" : "") + whole.dropLast(2) + "." + fraction
    }

    /// An amount of money for the parameter `name`.
    mutating func money(_ name: String) throws(SyntaxError) -> String {
        guard let token = peek, token.kind == .word else { throw wanted("PRICE", "35 or 35.00") }
        guard Self.isAmount(token.text), token.text.allSatisfy({ $0.isNumber || $0 == "." }) else {
            throw .malformed("'\(token.text)' is no price, such as 35 or 35.00", at: token.range)
        }
        took(1, as: name)
        return token.text
    }

    private static let times = "2h, yesterday 22:00, sunday, mon 9:00 or 2026-11-30"

    /// A time of one word or two after `word`, as the wire has it, for the parameter `name`.
    mutating func time(_ direction: HumanTime.Direction, after word: String, _ name: String) throws(SyntaxError)
        -> String
    {
        guard let first = peek, first.kind == .word else { throw wanted("WHEN", Self.times) }
        let second = tokens.indices.contains(index + 1) ? tokens[index + 1] : nil
        if let second, second.kind == .word, let moment = times.moment("\(first.text) \(second.text)", direction) {
            took(2, as: name)
            return echoed(moment, word)
        }
        guard let moment = times.moment(first.text, direction) else {
            throw .malformed("'\(first.text)' is no time, such as \(Self.times)", at: first.range)
        }
        took(1, as: name)
        return echoed(moment, word)
    }

    /// What is left, as one text; nil when nothing is.
    mutating func reason() throws(SyntaxError) -> JSONValue? {
        var words: [String] = []
        for token in tokens.dropFirst(index) { words.append(try TokenReader.text(of: token)) }
        took(words.count, as: "reason")
        return words.isEmpty ? nil : .string(words.joined(separator: " "))
    }

    func end() throws(SyntaxError) {
        guard let token = peek else { return }
        throw .malformed("'\(token.text)' is too much; usage: \(deed) \(deed.arguments)", at: token.range)
    }

    /// Goes past the next `count` tokens, which are the value of a parameter.
    mutating func took(_ count: Int, as name: String) {
        guard count > 0 else { return }
        let (first, last) = (tokens[index].range, tokens[index + count - 1].range)
        // The words of a search may stand apart.
        let start = min(first.lowerBound, places["/" + name]?.lowerBound ?? .max)
        places["/" + name] = start..<last.upperBound
        index += count
    }

    private mutating func echoed(_ moment: Int64, _ word: String) -> String {
        echoes.append("\(word) \(times.echo(moment))")
        return HumanTime.wire(moment)
    }

    /// `+20`, `-3`, `x2`, `15%`, `35`, `35.00`.
    static func isAmount(_ word: String) -> Bool {
        let body = ["+", "-", "x"].contains(String(word.prefix(1))) ? word.dropFirst() : word[...]
        let digits = body.hasSuffix("%") ? body.dropLast() : body
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    private static func splitComma(_ token: Token) -> [Token] {
        guard token.kind == .word, token.text.count > 1, token.text.hasSuffix(",") else { return [token] }
        var word = token
        word.text.removeLast()
        word.range = word.range.lowerBound..<(word.range.upperBound - 1)
        var comma = word
        comma.kind = .comma
        comma.text = ","
        comma.range = word.range.upperBound..<(word.range.upperBound + 1)
        return [word, comma]
    }
}
