import JSON

/// The text of one cell, and the value that it stands for.
struct ProductCell {
    let text: String
    let hasDecimalComma: Bool

    /// Checks the form alone; what a value may be, the daemon says.
    func value(_ schema: Schema) throws(ProductFile.Failure) -> JSONValue {
        switch schema {
        case .nullable(let schema): return try value(schema)
        case .money, .sum: return .string(try number())
        case .integer:
            guard let number = Int64(try number()) else { throw .init("\(trimmed) is no whole number") }
            return .integer(number)
        case .number:
            // JSON knows no leading zeros.
            let digits = try number().drop { $0 == "0" }
            let text = digits.first.map { $0 == "." } ?? true ? "0" + digits : String(digits)
            guard let number = try? JSONParser.parse(Array(text.utf8)) else { throw .init("\(trimmed) is no number") }
            return number
        case .boolean:
            switch trimmed.lowercased() {
            case "true", "yes", "1": return true
            case "false", "no", "0": return false
            default: throw .init("\(trimmed) is neither true nor false")
            }
        case .list, .object, .any:
            guard let value = try? JSONParser.parse(Array(text.utf8)) else {
                throw .init("\(trimmed) is no JSON, such as [1, 2.5]")
            }
            return value
        case .time, .choice: return .string(trimmed)
        case .text, .name, .bytes: return .string(text)
        }
    }

    private var trimmed: String { text.withoutBlanksAround }

    /// A number with a decimal point. A comma is one where that was declared, and else never: 19,99 must not be read as 1999.
    private func number() throws(ProductFile.Failure) -> String {
        let trimmed = trimmed
        let mark: Character = hasDecimalComma ? "," : "."
        if trimmed.contains(hasDecimalComma ? "." : ",") {
            throw .init(
                hasDecimalComma
                    ? "\(trimmed) has a point, and the file was declared to have decimal commas"
                    : "\(trimmed) has a comma; if it is a decimal comma, say so with --decimal comma"
            )
        }
        let digits = trimmed.hasPrefix("-") ? trimmed.dropFirst() : trimmed[...]
        let parts = digits.split(separator: mark, omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else { throw .init("\(trimmed) is no number, such as 12\(mark)50") }
        return trimmed.split(separator: mark).joined(separator: ".")
    }
}

extension String {
    var withoutBlanksAround: String {
        var text = drop(while: \.isWhitespace)
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}
