import JSON

/// JSON that a person typed.
enum JSONReading {
    /// The one value that `text` holds; nil when it is not JSON by the rules of the wire.
    static func parse(_ text: String) -> JSONValue? { try? JSONParser.parse(Array(text.utf8)) }
}
