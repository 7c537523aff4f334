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
    }

    /// The word before the cursor and what it may become.
    struct Answer: Equatable {
        /// The text before the cursor that a candidate replaces.
        var word = ""
        var candidates: [Candidate] = []
        /// Set when the server may know values; `candidates` is empty then.
        var live: LiveQuery?
    }

    var catalogue: MethodCatalogue

    /// Everything that may follow `text`, the line up to the cursor.
    func answer(for text: String) -> Answer {
        let line = text.drop(while: \.isWhitespace)
        if line.hasPrefix("\\") { return backslash(line) }
        guard let space = line.firstIndex(where: \.isWhitespace) else {
            let words = catalogue.methods.map { Candidate($0.name + " ", label: $0.name) }
            return matching(line, words + [Candidate("help "), Candidate("quit")])
        }
        let method = String(line[..<space])
        if method == "help" { return matching(lastWord(line), methodNames) }
        return parameter(of: method, after: line[space...])
    }

    /// The parameters that `line` still lacks, required ones first; nil when there is nothing to say.
    func hint(for line: String) -> String? {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard let name = words.first, let method = catalogue[String(name)] else { return nil }
        guard line.last?.isWhitespace == true || words.count == 1 else { return nil }
        if words.contains(where: { $0.hasPrefix("{") }) { return nil }
        let used = usedNames(in: words.dropFirst())
        let missing = method.parameters.filter { parameter in
            !used.contains(parameter.name) && parameter.name != "_meta"
                && !(parameter.substitute.map(used.contains) ?? false)
        }
        let parts =
            missing.filter(\.isRequired).map { "\($0.name)=<\($0.schema.shape)>" }
            + missing.filter { !$0.isRequired }.map { "[\($0.name)=]" }
        guard !parts.isEmpty else { return nil }
        let hint = parts.joined(separator: " ")
        return line.last?.isWhitespace == true ? hint : " " + hint
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

    private func backslash(_ line: Substring) -> Answer {
        let words = line.dropFirst().split(
            maxSplits: 1,
            omittingEmptySubsequences: false,
            whereSeparator: \.isWhitespace
        )
        guard words.count == 2, let name = words.first else {
            return matching(
                line,
                BackslashCommand.allCases.map {
                    Candidate("\\" + $0.rawValue + ($0.arguments.isEmpty ? "" : " "), label: "\\" + $0.rawValue)
                }
            )
        }
        let rest = words[1]
        switch BackslashCommand(named: String(name)) {
        case .help: return matching(lastWord(rest), methodNames)
        case .watch:
            guard let space = rest.firstIndex(where: \.isWhitespace) else { return Answer() }
            return answer(for: String(rest[space...]))
        case .some(let command): return matching(rest, command.words.map { Candidate($0) })
        case nil: return Answer()
        }
    }

    private func parameter(of name: String, after text: Substring) -> Answer {
        guard let method = catalogue[name], !text.contains("{") else { return Answer() }
        let word = lastWord(text)
        guard let equals = word.firstIndex(of: "=") else {
            let used = usedNames(in: text.split(whereSeparator: \.isWhitespace))
            let free = method.parameters.filter { !used.contains($0.name) }
            return matching(
                word,
                free.map { Candidate($0.name + "=", label: $0.name + "=" + ($0.isRequired ? "*" : "")) }
            )
        }
        let key = String(word[..<equals])
        let value = word[word.index(after: equals)...]
        guard let schema = catalogue.schema(method: name, path: key.split(separator: ".").map(String.init)) else {
            return Answer()
        }
        if !schema.values.isEmpty { return matching(value, schema.values.map { Candidate($0 + " ", label: $0) }) }
        guard catalogue["server.complete"] != nil, !key.contains(".") else { return Answer() }
        let prefix = String(value.drop { $0 == "\"" || $0 == "'" })
        return Answer(word: String(value), live: LiveQuery(method: name, parameter: key, prefix: prefix))
    }

    private func matching(_ word: Substring, _ candidates: [Candidate]) -> Answer {
        Answer(word: String(word), candidates: candidates.filter { $0.text.hasPrefix(word) })
    }

    private func usedNames(in words: some Sequence<Substring>) -> Set<String> {
        Set(words.compactMap { word in word.firstIndex(of: "=").map { String(word[..<$0]) } })
    }

    private func lastWord(_ text: Substring) -> Substring {
        guard let space = text.lastIndex(where: \.isWhitespace) else { return text }
        return text[text.index(after: space)...]
    }
}
