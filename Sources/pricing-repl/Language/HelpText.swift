import JSON

/// Help made from the server's own description; nothing here is written twice.
struct HelpText {
    var catalogue: MethodCatalogue

    /// The shell's commands and how to begin.
    var overview: String {
        let rows = BackslashCommand.allCases.map { ("\\\($0.rawValue) \($0.arguments)", $0.summary) }
        let deeds = DeedWord.allCases.map { ("\($0.rawValue) \($0.arguments)", $0.summary) }
        return listed(deeds)
            + "A product is a number, a SKU, words of its title, %2 (row 2 of the last table), or a dot.\n\n"
            + "noun.verb key=value …    for example: product.get productId=1\n"
            + "noun.verb {\"key\": value}\n\n" + listed(rows) + "\n"
            + "Tab completes. Ctrl-C drops the line or cancels the call; Ctrl-D leaves.\n"
            + "\\methods lists \(catalogue.methods.count) methods, \\? METHOD explains one.\n"
    }

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
            return "\(name) \(deed.arguments)\n  \(deed.summary)\nfor example\n  \(deed.example)\n"
        }
        guard let method = catalogue[name] else { return nil }
        var text = method.name + (method.role.isEmpty ? "" : "  (\(method.role))") + "\n"
        if !method.summary.isEmpty { text += "  \(method.summary)\n" }
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
        let most = 40
        let widest = rows.map { DisplayText.width($0.name) }.filter { $0 <= most }.max() ?? most
        return rows.reduce(into: "") { result, row in
            let isLong = DisplayText.width(row.name) > widest
            if isLong { result += "  \(row.name)\n" }
            var line = "  " + DisplayText.padded(isLong ? "" : row.name, to: widest) + "  " + DisplayText.safe(row.text)
            while line.hasSuffix(" ") { line.removeLast() }
            result += line + "\n"
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
