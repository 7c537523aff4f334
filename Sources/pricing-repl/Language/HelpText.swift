import JSON

/// Help made from the server's own description; nothing here is written twice.
struct HelpText {
    var catalogue: MethodCatalogue
    /// The columns of the terminal; nil when nothing need fit.
    var width: Int?

    /// The shell's commands and how to begin.
    var overview: String {
        let rows = BackslashCommand.allCases.map { ("\\\($0.rawValue) \($0.arguments)", $0.summary) }
        let deeds = DeedWord.allCases.map { ("\($0.rawValue) \($0.arguments)", $0.summary) }
        return listed(deeds)
            + wrapped("A product is a number, a SKU, words of its title, %2 (row 2 of the last table), or a dot.")
            + "\n"
            + "noun.verb key=value …    for example: product.get productId=1\n"
            + "noun.verb {\"key\": value}\n\n" + listed(rows) + "\n"
            + wrapped("Tab completes. Ctrl-C drops the line or cancels the call; Ctrl-D leaves.")
            + wrapped("\\methods lists \(catalogue.methods.count) methods, \\? METHOD explains one.")
    }

    private func wrapped(_ line: String) -> String { DisplayText.wrapped(line, to: width) + "\n" }

    /// The methods whose name or summary contains `pattern`; empty when there are none.
    func methods(matching pattern: String) -> String {
        let wanted = pattern.lowercased()
        let found = catalogue.methods.filter {
            wanted.isEmpty || contains($0.name.lowercased(), wanted) || contains($0.summary.lowercased(), wanted)
        }
        return listed(found.map { ($0.name, $0.summary) })
    }

    /// What one deed or method takes and gives; nil when it is unknown.
    func topic(_ name: String) -> String? {
        if let deed = DeedWord(rawValue: name) {
            let examples = deed.example.split(separator: " · ").map { "  \($0)\n" }.joined()
            return wrapped("\(name) \(deed.arguments)") + wrapped("  \(deed.summary)") + "for example\n" + examples
        }
        guard let method = catalogue[name] else { return nil }
        var text = method.name + (method.role.isEmpty ? "" : "  (\(method.role))") + "\n"
        if !method.summary.isEmpty { text += wrapped("  \(method.summary)") }
        if !method.parameters.isEmpty {
            text += "takes\n"
            text += listed(
                method.parameters.map {
                    let limits = $0.schema.limits.isEmpty ? "" : " (\($0.schema.limits))"
                    return ("\($0.name)=\($0.schema.shape)", ($0.isRequired ? "required. " : "") + $0.summary + limits)
                }
            )
        }
        if !method.example.isEmpty {
            text += "for example\n  \(method.name) \(JSONValue.object(method.example))\n"
        }
        let members = method.result.members
        if !members.isEmpty {
            text += "gives\n" + listed(members.map { ("\($0.name): \($0.schema.shape)", $0.schema.summary) })
        }
        return text
    }

    private func listed(_ rows: [(name: String, text: String)]) -> String {
        let most = min(40, (width ?? 80) / 2)
        let widest = rows.map { DisplayText.width($0.name) }.filter { $0 <= most }.max() ?? most
        return rows.reduce(into: "") { result, row in
            let isLong = DisplayText.width(row.name) > widest
            if isLong { result += wrapped("  \(row.name)") }
            let rows = DisplayText.wrapped(DisplayText.safe(row.text), to: width.map { max(20, $0 - widest - 4) })
            for (index, text) in rows.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                let name = index == 0 && !isLong ? row.name : ""
                var line = "  " + DisplayText.padded(name, to: widest) + "  " + text
                while line.hasSuffix(" ") { line.removeLast() }
                result += line + "\n"
            }
        }
    }

    private func contains(_ text: String, _ part: String) -> Bool {
        var rest = text[...]
        while rest.utf8.count >= part.utf8.count {
            if rest.hasPrefix(part) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
