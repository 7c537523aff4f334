import JSON

/// Values that only the server knows (ids, names), for completion.
enum LiveValues {
    /// The candidates in a reply of `server.complete`, quoted where the language needs it.
    static func candidates(in reply: JSONObject, word: String) -> [Completer.Candidate] {
        (reply["values"]?.array ?? []).compactMap { entry in
            let value = Grid.Cell(entry["value"] ?? entry).text
            guard !value.isEmpty else { return nil }
            let label = entry["label"].map { Grid.Cell($0).text } ?? value
            return Completer.Candidate(quoted(value, word) + " ", label: label == value ? value : "\(value)  \(label)")
        }
    }

    /// The same for a deed: `18·Yoga_mat`, of which the id counts and the rest is for the eye.
    /// - Parameter word: what stands before it.
    static func references(in reply: JSONObject, after word: String = "") -> [Completer.Candidate] {
        (reply["values"]?.array ?? []).compactMap { entry in
            let value = Grid.Cell(entry["value"] ?? entry).text
            guard !value.isEmpty else { return nil }
            let label = DisplayText.safe(entry["label"].map { Grid.Cell($0).text } ?? "")
            let name = String(label.split(separator: ",").first ?? "").split(whereSeparator: \.isWhitespace)
            let seen = label.isEmpty || label == value ? value : "\(value)·\(name.joined(separator: "_"))"
            return Completer.Candidate(word + seen + " ", label: word + (label == value ? value : "\(value)  \(label)"))
        }
    }

    private static func quoted(_ value: String, _ word: String) -> String {
        let isPlain = value.allSatisfy { !$0.isWhitespace && $0 != "'" && $0 != "\"" && $0 != "{" && $0 != "[" }
        if isPlain, !word.hasPrefix("'"), !word.hasPrefix("\"") { return value }
        if word.hasPrefix("\"") { return JSONValue.string(value).description }
        return "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}

extension Completer.LiveQuery {
    /// The parameters of `server.complete`.
    func parameters(limit: Int) -> JSONObject {
        [
            "method": .string(method), "param": .string(parameter), "prefix": .string(prefix),
            "limit": .integer(Int64(limit)),
        ]
    }
}
