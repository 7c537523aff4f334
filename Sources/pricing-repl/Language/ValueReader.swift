import JSON

/// Decides the JSON type of a value that was typed by hand: an id is a number, money stays a string.
struct ValueReader {
    /// What the server says of the value; nil when it says nothing.
    var schema: Schema?

    func value(_ raw: CommandLexer.RawValue) -> JSONValue {
        switch raw {
        case .json(let value, let text):
            return allows("array") || allows("object") ? fitted(value) : .string(text)
        case .quoted(let text):
            if !allows("string"), let value = JSONReading.parse(text), isStructure(value) { return fitted(value) }
            return .string(text)
        case .bare(let text): return word(text)
        }
    }

    /// `value` with numbers made strings wherever the schema wants text (`"price": 12.50` in a JSON object).
    func fitted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .integer(let number) where !allowsNumber && allows("string"): return .string(String(number))
        case .decimal(let digits) where !allowsNumber && allows("string"): return .string(digits)
        case .array(let elements):
            let reader = ValueReader(schema: schema?.items)
            return .array(elements.map(reader.fitted))
        case .object(let object):
            var result = JSONObject()
            for (key, member) in object { result[key] = ValueReader(schema: schema?.property(key)).fitted(member) }
            return .object(result)
        default: return value
        }
    }

    /// A word without quotes. What does not fit is sent as text: the server's answer says best what it wants.
    private func word(_ text: String) -> JSONValue {
        let literal = JSONReading.parse(text)
        switch literal {
        case .integer? where allowsNumber: return literal ?? .string(text)
        case .decimal? where allows("number") && schema?.types.isEmpty == false: return literal ?? .string(text)
        case .bool? where allows("boolean"): return literal ?? .string(text)
        case .null? where allows("null"): return .null
        default: break
        }
        if let types = schema?.types, types.contains("array"), !types.contains("string") {
            let reader = ValueReader(schema: schema?.items)
            return .array(text.split(separator: ",").map { reader.word(String($0)) })
        }
        return .string(text)
    }

    /// Without a schema any type may be meant.
    private func allows(_ type: String) -> Bool {
        guard let types = schema?.types, !types.isEmpty else { return true }
        return types.contains(type)
    }

    private var allowsNumber: Bool { allows("integer") || allows("number") }

    private func isStructure(_ value: JSONValue) -> Bool {
        switch value {
        case .array, .object: true
        default: false
        }
    }
}
