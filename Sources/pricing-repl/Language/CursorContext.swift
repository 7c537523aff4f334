/// What is being typed at the cursor: a method, a parameter's name, a value, also deep inside JSON.
struct CursorContext: Equatable {
    enum Place: Equatable {
        /// The first word.
        case command
        /// A member's name; `path` is the object in which it stands.
        case key
        /// A value; `path` leads to it.
        case value
        /// A word of a deed or of a command with a backslash.
        case word
    }

    var place = Place.command
    /// The first word, once it is finished.
    var command = ""
    /// The steps from the parameters' root.
    var path: [String] = []
    /// What was typed of the word; the text before the cursor that a candidate replaces.
    var word = ""
    /// The quote that is open, or that the word begins with.
    var quote: Unicode.Scalar?
    /// The names that stand already in the innermost object.
    var used: [String] = []
    /// How many brackets are open.
    var depth = 0
    /// Of a deed or a command with a backslash: the words before this one.
    var words: [String] = []

    /// The context at the end of `text`.
    init(_ text: String) {
        var tokens = Tokenizer.tokens(text).filter { $0.kind != .comment }
        let isWatch =
            tokens.first?.text == "watch" && tokens.count > 1
            && Tokenizer.isCommand(tokens[1], isLast: tokens[1].range.upperBound == text.unicodeScalars.count)
        if tokens.first?.text == "try" || isWatch {
            tokens.removeFirst()
            if !tokens.isEmpty { tokens[0].kind = .command }
        }
        let end = text.unicodeScalars.count
        guard let first = tokens.first else { return }
        guard first.range.upperBound < end else {
            word = first.text
            return
        }
        command = first.text
        let isTouching = tokens.last?.range.upperBound == end
        if command.hasPrefix("\\") || Tokenizer.plainCommands.contains(command) || DeedWord(rawValue: command) != nil {
            let rest = String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(first.range.upperBound)))
            words = rest.split(whereSeparator: \.isWhitespace).map(String.init)
            place = .word
            if rest.last?.isWhitespace == false { word = words.popLast() ?? "" }
            return
        }
        walk(tokens.dropFirst(), isTouching: isTouching)
    }

    /// An open object or array: where it stands, what it has so far.
    private struct Level {
        var path: [String] = []
        var isObject = true
        var used: [String] = []
        var count = 0
    }

    private mutating func walk(_ tokens: ArraySlice<Token>, isTouching: Bool) {
        var levels = [Level()]
        var key: String?
        place = .key
        for (index, token) in tokens.enumerated() {
            let isLast = index == tokens.count - 1 && isTouching
            switch token.kind {
            case .key:
                if isLast { return typed(token, .key, levels, nil) }
                key = token.text
                levels[levels.count - 1].used.append(token.text)
            case .open:
                let inner = levels.count == 1 && key == nil ? [] : Self.path(of: levels, key)
                levels.append(Level(path: inner, isObject: token.text == "{"))
                key = nil
            case .close:
                if levels.count > 1 { levels.removeLast() }
                key = nil
            case .comma:
                levels[levels.count - 1].count += 1
                key = nil
            case .word, .quoted, .unclosed:
                let isKey = key == nil && levels.last?.isObject == true
                let isOpen = token.kind == .unclosed || (token.kind == .word && isLast)
                if isLast, isOpen { return typed(token, isKey ? .key : .value, levels, key) }
                if levels.count == 1 { key = nil }
            default: break
            }
        }
        let waits = key != nil || levels.last?.isObject == false
        finish(waits ? .value : .key, levels, key)
    }

    private mutating func typed(_ token: Token, _ place: Place, _ levels: [Level], _ key: String?) {
        word = token.text
        quote = token.quote
        finish(place, levels, key)
    }

    private mutating func finish(_ place: Place, _ levels: [Level], _ key: String?) {
        self.place = place
        depth = levels.count - 1
        used = levels.last?.used ?? []
        path = place == .key ? levels.last?.path ?? [] : Self.path(of: levels, key)
    }

    private static func path(of levels: [Level], _ key: String?) -> [String] {
        guard let level = levels.last else { return [] }
        guard level.isObject else { return level.path + [String(level.count)] }
        // At the root a name may lead deeper: `_meta.dryRun`.
        let steps = key.map { levels.count == 1 ? $0.split(separator: ".").map(String.init) : [$0] } ?? []
        return level.path + steps
    }
}
