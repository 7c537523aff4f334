import JSON

/// Text to commands. Pure: the server's own description of its methods decides the type of each value.
struct CommandLanguage {
    /// The methods of the server; empty before the first connection.
    var catalogue: MethodCatalogue
    /// How times are read.
    var times = HumanTime()

    /// - Throws: `SyntaxError.incomplete` when another line may finish the command.
    func parse(_ text: String) throws(SyntaxError) -> Command {
        try command(try CommandLexer.lex(text))
    }

    /// What is looked at again and again: a command, or what `watch` names itself. Places are those in `statement(of:)`.
    func watched(_ text: String) throws(SyntaxError) -> Command {
        let tokens = Tokenizer.tokens(text)
        if let first = tokens.first, Tokenizer.isCommand(first, isLast: tokens.count == 1) {
            let inner = try parse(text)
            switch inner {
            case .call, .message: return inner
            case .deed(let deed) where deed.word.isReading && !deed.isAttempt: return inner
            default: throw .malformed("watch repeats a look or a call, as in watch why 18")
            }
        }
        let words = Array(Tokenizer.tokens(Self.statement(of: text)).dropFirst())
        if let broken = words.first(where: { $0.kind == .unclosed }) { _ = try TokenReader.text(of: broken) }
        return .deed(try DeedGrammar(catalogue: catalogue, times: times).read(.watch, words))
    }

    /// In what the places of a watched text are counted.
    static func statement(of watched: String) -> String {
        let tokens = Tokenizer.tokens(watched)
        guard let first = tokens.first, !Tokenizer.isCommand(first, isLast: tokens.count == 1) else { return watched }
        return "\(DeedWord.watch) \(watched)"
    }

    /// Where each value of a call stands, by its JSON Pointer; of a deed, those of the call that it becomes.
    func places(in text: String) -> [String: Range<Int>] {
        if case .deed(let deed)? = try? parse(text) { return deed.places }
        return CommandLexer.places(in: text)
    }

    private func command(_ line: CommandLexer.Line) throws(SyntaxError) -> Command {
        switch line {
        case .empty: return .nothing
        case .message(let line): return .message(line)
        case .backslash(let name, let rest): return try backslash(name, rest)
        case .deed(let deed, let words):
            return .deed(try DeedGrammar(catalogue: catalogue, times: times).read(deed, words))
        case .attempt(let inner):
            switch try command(inner) {
            case .call(let method, let parameters): return .attempt(method: method, parameters: parameters)
            case .deed(var deed):
                deed.isAttempt = true
                return .deed(deed)
            default: throw .malformed("only what changes something can be tried, as in try restock 18 +20")
            }
        case .callWithObject(let method, let object):
            return .call(method: method, parameters: typed(object, for: method))
        case .call(let method, let pairs):
            guard method.unicodeScalars.allSatisfy({ $0 != "=" }) else {
                throw .malformed("expected a method first, as in product.get productId=1")
            }
            if !method.contains(".") { throw CommandLexer.unknown(method) }
            return .call(method: method, parameters: try parameters(pairs, of: method))
        }
    }

    private func typed(_ object: JSONObject, for method: String) -> JSONObject {
        var result = JSONObject()
        for (key, value) in object {
            let reader = ValueReader(schema: catalogue.schema(method: method, path: [key]))
            result[key] = reader.fitted(value)
        }
        return result
    }

    func parameters(_ pairs: [CommandLexer.Pair], of method: String) throws(SyntaxError) -> JSONObject {
        var result = JSONObject()
        for pair in pairs {
            let path = pair.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard path.allSatisfy({ !$0.isEmpty }) else {
                throw .malformed("'\(pair.key)' is not a parameter's name", at: pair.range)
            }
            let value = ValueReader(schema: catalogue.schema(method: method, path: path)).value(pair.value)
            guard let merged = Self.setting(value, at: path[...], in: result) else {
                throw .malformed("\(pair.key) is given twice", at: pair.range)
            }
            result = merged
        }
        return result
    }

    /// `object` with `value` at `path`; nil when something else already stands there.
    private static func setting(_ value: JSONValue, at path: ArraySlice<String>, in object: JSONObject) -> JSONObject? {
        guard let key = path.first else { return nil }
        var result = object
        if path.count == 1 {
            guard object[key] == nil else { return nil }
            result[key] = value
            return result
        }
        var inner = JSONObject()
        if let present = object[key] {
            guard case .object(let known) = present else { return nil }
            inner = known
        }
        guard let merged = setting(value, at: path.dropFirst(), in: inner) else { return nil }
        result[key] = .object(merged)
        return result
    }

    private func backslash(_ name: String, _ rest: String) throws(SyntaxError) -> Command {
        guard let command = BackslashCommand(named: name) else {
            throw .malformed("there is no \\\(name); \\? lists what there is")
        }
        let argument = rest.isEmpty ? nil : rest
        switch command {
        case .quit: return .quit
        case .help: return .help(topic: argument)
        case .expanded: return .expanded(try choice(argument, of: command))
        case .format: return .format(try choice(argument, of: command))
        case .timing: return .timing(try isOn(argument, command))
        case .include:
            guard let argument else { throw usage(of: command) }
            return .include(path: argument)
        case .connect: return .connect(path: argument)
        case .methods: return .methods(pattern: rest)
        case .watch:
            guard let order = WatchOrder(rest) else {
                throw .malformed(
                    "a look, a pause of 0.1 s or more and a condition are wanted, as in watch 18 every 5s until stock<5"
                )
            }
            _ = try watched(order.command)
            return .watch(order)
        case .edit: return .edit(text: argument)
        case .mute: return .mute(try isOn(argument, command))
        case .wire: return .wire(try isOn(argument, command))
        case .tour: return .tour
        case .explain: return .explain(reason: argument)
        case .set:
            guard let argument else { return .listSet }
            let parts = argument.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard let name = parts.first, parts.count == 2 else { throw usage(of: command) }
            return .set(name: String(name), value: String(parts[1]))
        case .asCode:
            let parts = rest.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard let name = parts.first, let language = CallCode(rawValue: String(name)) else {
                throw usage(of: command)
            }
            return .asCode(language, text: parts.count == 2 ? String(parts[1]) : nil)
        }
    }

    private func isOn(_ argument: String?, _ command: BackslashCommand) throws(SyntaxError) -> Bool? {
        guard let argument else { return nil }
        guard command.words.contains(argument) else { throw usage(of: command) }
        return argument == "on"
    }

    private func choice<Choice: RawRepresentable<String>>(
        _ argument: String?,
        of command: BackslashCommand
    ) throws(SyntaxError) -> Choice? {
        guard let argument else { return nil }
        guard let choice = Choice(rawValue: argument) else { throw usage(of: command) }
        return choice
    }

    private func usage(of command: BackslashCommand) -> SyntaxError {
        .malformed("usage: \\\(command.rawValue) \(command.arguments)")
    }
}
