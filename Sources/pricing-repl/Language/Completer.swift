/// What may stand at the cursor. Pure; values that only the server knows are asked for by the caller.
struct Completer {
    /// One possible word.
    struct Candidate: Equatable {
        /// What is inserted in place of the word.
        var text: String
        /// What people read in the list; often more than the text.
        var label: String

        init(_ text: String, label: String? = nil) {
            self.text = text
            self.label = label ?? text
        }
    }

    /// A question for the server's `server.complete`.
    struct LiveQuery: Equatable {
        var method: String
        var parameter: String
        var prefix: String
        /// What stands before the id in a deed.
        var word = ""
    }

    /// The word before the cursor and what it may become.
    struct Answer: Equatable {
        /// The text before the cursor that a candidate replaces.
        var word = ""
        var candidates: [Candidate] = []
        /// Asked where the server may know values; `candidates` is empty then.
        var live: [LiveQuery] = []
        /// Whether what the server knows is named in a deed: by id, its title behind it for the eye.
        var isReference = false
    }

    var catalogue: MethodCatalogue

    /// Everything that may follow `text`, the line up to the cursor.
    func answer(for text: String) -> Answer {
        let context = CursorContext(text)
        switch context.place {
        case .command: return first(context.word)
        case .word where context.command.hasPrefix("\\"): return backslash(context)
        case .word where context.command == "help": return matching(context.word, methodNames)
        case .word:
            guard let deed = DeedWord(rawValue: context.command) else { return Answer() }
            return answer(for: deed, context)
        case .key: return key(context)
        case .value: return value(context)
        }
    }

    /// The parameters that `line` still lacks, required ones first; nil when there is nothing to say.
    func hint(for line: String) -> String? {
        let context = CursorContext(line)
        if context.place == .command {
            return (hint(for: context.word, context) ?? deedHint(context.word)).map { " " + $0 }
        }
        if context.place == .word, context.words.isEmpty, context.word.isEmpty { return deedHint(context.command) }
        guard context.place == .key, context.depth == 0, context.word.isEmpty else { return nil }
        return hint(for: context.command, context)
    }

    private func hint(for name: String, _ context: CursorContext) -> String? {
        guard let method = catalogue[name] else { return nil }
        let missing = method.parameters.filter { parameter in
            !context.used.contains(parameter.name) && parameter.name != "_meta"
                && !(parameter.substitute.map(context.used.contains) ?? false)
        }
        let parts =
            missing.filter(\.isRequired).map { "\($0.name)=<\($0.schema.shape)>" }
            + missing.filter { !$0.isRequired }.map { "[\($0.name)=]" }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    private func deedHint(_ word: String) -> String? {
        guard let deed = DeedWord(rawValue: word), !catalogue.methods.isEmpty else { return nil }
        return deed.arguments
    }

    /// The longest text that all candidates of `answer` begin with; nil when it adds nothing to the word.
    static func commonText(of answer: Answer) -> String? {
        guard var common = answer.candidates.first?.text else { return nil }
        for candidate in answer.candidates.dropFirst() {
            common = String(zip(common, candidate.text).prefix { $0 == $1 }.map(\.0))
        }
        return common.count > answer.word.count || answer.candidates.count == 1 ? common : nil
    }

    private var methodNames: [Candidate] { catalogue.methods.map { Candidate($0.name) } }

    private func first(_ word: String) -> Answer {
        if word.hasPrefix("\\") {
            let commands = BackslashCommand.allCases.map {
                Candidate("\\" + $0.rawValue + ($0.arguments.isEmpty ? "" : " "), label: "\\" + $0.rawValue)
            }
            return matching(word, commands)
        }
        let methods = catalogue.methods.map { Candidate($0.name + " ", label: $0.name) }
        let deeds = DeedWord.allCases.map { Candidate($0.rawValue + " ", label: $0.rawValue) }
        return matching(word, deeds + methods + [Candidate("help "), Candidate("quit")])
    }

    private func backslash(_ context: CursorContext) -> Answer {
        switch BackslashCommand(named: String(context.command.dropFirst())) {
        case .help: return matching(context.word, methodNames)
        case .watch:
            guard !context.words.isEmpty else { return Answer() }
            return answer(for: (context.words.dropFirst() + [context.word]).joined(separator: " "))
        case .some(let command): return matching(context.word, command.words.map { Candidate($0) })
        case nil: return Answer()
        }
    }

    /// A deed's first words name a thing; what kind of thing, an introducing word may say.
    private func answer(for deed: DeedWord, _ context: CursorContext) -> Answer {
        guard catalogue["server.complete"] != nil else { return Answer() }
        if deed == .rule, !context.words.isEmpty {
            let names = catalogue.schema(method: "rule.revise", path: ["parameters"])?.members.map(\.name) ?? []
            return matching(context.word, names.map { Candidate($0 + "=") })
        }
        if deed == .watch || deed == .tail, context.words.isEmpty {
            let looks = deed == .watch ? DeedWord.allCases.filter(\.isReading).map(\.rawValue) : []
            let words = ["price", "stock", "orders"] + looks
            let answer = matching(context.word, words.map { Candidate($0 + " ", label: $0) })
            if !answer.candidates.isEmpty { return answer }
        }
        let named = context.words.last.flatMap { Reference.Kind(word: $0) }
        let kinds = named.map { [$0] } ?? deed.kinds(after: context.words)
        let live = kinds.map { kind in
            // A bare number is a product.
            let isNamed = kinds.count == 1 || kind == .product
            return LiveQuery(
                method: kind.method,
                parameter: kind.parameter,
                prefix: context.word,
                word: isNamed ? "" : kind.word + " "
            )
        }
        return Answer(word: context.word, live: live, isReference: true)
    }

    private func key(_ context: CursorContext) -> Answer {
        let quote = context.quote.map(String.init) ?? ""
        guard let method = catalogue[context.command] else { return Answer() }
        guard !context.path.isEmpty || context.depth > 0 else {
            let free = method.parameters.filter { !context.used.contains($0.name) }
            return matching(
                context.word,
                free.map { Candidate($0.name + "=", label: $0.name + "=" + ($0.isRequired ? "*" : "")) }
            )
        }
        let names =
            context.path.isEmpty
            ? method.parameters.map(\.name)
            : catalogue.schema(method: context.command, path: context.path)?.members.map(\.name) ?? []
        let free = names.filter { !context.used.contains($0) }
        return matching(quote + context.word, free.map { Candidate(quote + $0 + quote + ": ", label: $0) })
    }

    private func value(_ context: CursorContext) -> Answer {
        guard let schema = catalogue.schema(method: context.command, path: context.path) else { return Answer() }
        let quote = context.quote.map(String.init) ?? ""
        let end = context.depth > 0 ? "" : " "
        if !schema.values.isEmpty {
            let candidates = schema.values.map { Candidate(quote + $0 + quote + end, label: $0) }
            return matching(quote + context.word, candidates)
        }
        guard catalogue["server.complete"] != nil, let live = live(context) else { return Answer() }
        return Answer(word: quote + context.word, live: [live])
    }

    /// A member inside a parameter has the values of the parameter of its name, whichever method has it.
    private func live(_ context: CursorContext) -> LiveQuery? {
        guard let name = context.path.last(where: { Int($0) == nil }) else { return nil }
        if context.path.count == 1 {
            return LiveQuery(method: context.command, parameter: name, prefix: context.word)
        }
        let known = catalogue.methods.first { $0.parameters.contains { $0.name == name } }
        return known.map { LiveQuery(method: $0.name, parameter: name, prefix: context.word) }
    }

    private func matching(_ word: String, _ candidates: [Candidate]) -> Answer {
        Answer(word: word, candidates: candidates.filter { $0.text.hasPrefix(word) })
    }
}
