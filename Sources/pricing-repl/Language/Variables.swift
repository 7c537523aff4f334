/// What `\set` named, put in place of `${name}` before a command is read.
struct Variables: Equatable {
    private var values: [String: String] = [:]

    /// `name=value`, one a line.
    var listing: String { values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined() }

    /// - Throws: `SyntaxError.malformed` for what is no name.
    mutating func set(_ name: String, to value: String) throws(SyntaxError) {
        guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else {
            throw .malformed("\(name) is no name: letters, digits and _ are")
        }
        values[name] = value
    }

    /// - Throws: `SyntaxError.malformed` for a name that has no value.
    func filled(_ text: String) throws(SyntaxError) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            let after = rest.index(after: dollar)
            result += rest[..<dollar]
            guard after < rest.endIndex, rest[after] == "{", let end = rest[after...].firstIndex(of: "}") else {
                result += "$"
                rest = rest[after...]
                continue
            }
            let name = String(rest[rest.index(after: after)..<end])
            guard let value = values[name] else {
                throw .malformed("${\(name)} is not set; \\set \(name) VALUE sets it")
            }
            result += value
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}
