/// Any JSON value, exact: integers that fit stay integers, every other number keeps its source text.
///
/// Equality of strings is Swift's; equality of objects ignores the order of their members.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number, as it was written (`1.50`, `1e3`, `-0`, `18446744073709551616`).
    case decimal(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// 2^53: up to it every reader's numbers hold an integer exactly.
    package static let largestExactInteger: Int64 = 9_007_199_254_740_992

    /// The text, when this is a string.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The number, when this is an integer of at most 64 bits.
    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The truth value, when this is `true` or `false`.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements, when this is an array.
    package var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, when this is an object.
    package var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// Whether this is `null`.
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The member `key`, when this is an object that has one.
    package subscript(key: String) -> JSONValue? {
        object?[key]
    }

    /// Whether U+0000 stands in any string or key inside; PostgreSQL's `text` cannot hold it.
    package var containsNUL: Bool {
        switch self {
        case .null, .bool, .integer, .decimal: false
        case .string(let text): text.utf8.contains(0)
        case .array(let elements): elements.contains { $0.containsNUL }
        case .object(let object): object.containsNUL
        }
    }

    /// Compact JSON text of this value: members in order, `/` not escaped, no line feed.
    package func serialized() -> [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(nilLiteral: ()) {
        self = .null
    }

    package init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    package init(integerLiteral value: Int64) {
        self = .integer(value)
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) {
        self = .string(value)
    }
}

extension JSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

extension JSONValue: CustomStringConvertible {
    /// The compact JSON text.
    package var description: String {
        String(decoding: serialized(), as: UTF8.self)
    }
}
