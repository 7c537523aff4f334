/// Where a command's result goes beside the screen: `COMMAND > FILE` or `COMMAND | FORMAT`.
struct Redirection: Equatable {
    enum Target: Equatable {
        /// In the format that the file's ending names.
        case file(String)
        case format(OutputFormat)
    }

    /// The command without it.
    var command: String
    var target: Target?

    /// The format of a file, by its ending; nil for an ending that says nothing.
    static func format(ofFile path: String) -> OutputFormat? {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
        return OutputFormat(rawValue: String(name[name.index(after: dot)...]).lowercased())
    }

    /// - Throws: `SyntaxError.malformed` when nothing, or nothing known, follows the sign.
    static func split(_ text: String) throws(SyntaxError) -> Redirection {
        guard let first = text.first(where: { !$0.isWhitespace }), !"\\{[#".contains(first), let sign = sign(in: text)
        else { return Redirection(command: text) }
        var rest = String(text[text.index(after: sign)...].drop(while: \.isWhitespace))
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        let command = String(text[..<sign])
        if text[sign] == ">" {
            if rest.count > 1, let quote = rest.first, quote == rest.last, "'\"".contains(quote) {
                rest = String(rest.dropFirst().dropLast())
            }
            guard !rest.isEmpty else { throw .malformed("a file's name follows >") }
            return Redirection(command: command, target: .file(rest))
        }
        guard let format = OutputFormat(rawValue: rest) else {
            let known = OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw .malformed("after | comes a format: \(known)")
        }
        return Redirection(command: command, target: .format(format))
    }

    /// Where a `>` or `|` stands after a space, outside quotes and brackets.
    private static func sign(in text: String) -> String.Index? {
        var quote: Character?
        var depth = 0
        var isEscaped = false
        var isAfterSpace = false
        for index in text.indices {
            let character = text[index]
            defer { isAfterSpace = character.isWhitespace }
            if let open = quote {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\", open == "\"" {
                    isEscaped = true
                } else if character == open {
                    quote = nil
                }
                continue
            }
            switch character {
            case "'", "\"": quote = character
            case "[", "{": depth += 1
            case "]", "}": depth -= 1
            case ">", "|": if isAfterSpace, depth == 0 { return index }
            default: break
            }
        }
        return nil
    }
}
