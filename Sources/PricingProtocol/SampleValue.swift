package import JSON

extension Schema {
    /// A plain value that fits the schema, for the result of an example in the document.
    package var sample: JSONValue {
        switch self {
        case .any: [:]
        case .boolean: true
        case .integer(let range): .integer(min(max(1, range.lowerBound), range.upperBound))
        case .number(let range): .decimal("\(min(max(0.5, range.lowerBound), range.upperBound))")
        case .money, .sum: "12.50"
        case .text(let range), .name(let range), .bytes(let range): .string(Self.word(range))
        case .time: "2030-01-31T12:00:00.000Z"
        case .choice(let values): values.first.map { .string($0) } ?? .null
        case .list(let element, let range): .array(range.upperBound > 0 ? [element.sample] : [])
        case .object(let shape): .object(JSONObject(shape.fields.map { ($0.name, $0.schema.sample) }))
        case .nullable(let schema): schema.sample
        }
    }

    private static func word(_ length: ClosedRange<Int>) -> String {
        let word = "text".prefix(length.upperBound)
        return word + String(repeating: "t", count: max(0, length.lowerBound - word.count))
    }
}
