/// One parameter of a statement; sent as text, typed by the server from the statement.
package enum Binding: Sendable, Hashable {
    /// SQL null.
    case null
    /// Text, or any type's text form; must hold no NUL.
    case text(String)
    /// A 64-bit integer.
    case int(Int64)
    /// A truth value.
    case bool(Bool)
    /// JSON or other text as UTF-8 bytes, sent without being made a `String` first; must hold no NUL.
    case json([UInt8])
    /// `int[]` or `bigint[]`.
    case intArray([Int64])
    /// `text[]`, or any element type's text form.
    case textArray([String])
    /// `text[]` whose elements may be null.
    case optionalTextArray([String?])

    /// A parameter from an optional integer; nil is null.
    package static func int(ifPresent value: Int64?) -> Binding { value.map { .int($0) } ?? .null }

    /// A parameter from an optional string; nil is null.
    package static func text(ifPresent value: String?) -> Binding { value.map { .text($0) } ?? .null }
}

extension Binding: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    /// Text.
    package init(stringLiteral value: String) { self = .text(value) }
    /// An integer.
    package init(integerLiteral value: Int64) { self = .int(value) }
    /// A truth value.
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    /// Null.
    package init(nilLiteral: ()) { self = .null }
}

extension CStrings {
    /// The parameters as libpq wants them.
    init(_ bindings: [Binding], statement: String) throws(PostgresError) {
        self.init()
        for (index, binding) in bindings.enumerated() where !append(binding) {
            throw PostgresError(.binding, "parameter $\(index + 1) holds a NUL byte", statement: statement)
        }
    }

    private mutating func append(_ binding: Binding) -> Bool {
        switch binding {
        case .null:
            appendNull()
            return true
        case .text(let text): return append(text.utf8)
        case .int(let value): return append(String(value).utf8)
        case .bool(let value): return append(CollectionOfOne(value ? UInt8(ascii: "t") : UInt8(ascii: "f")))
        case .json(let bytes): return append(bytes)
        case .intArray(let values): return append(arrayLiteral(values))
        case .textArray(let values): return append(arrayLiteral(values))
        case .optionalTextArray(let values): return append(arrayLiteral(values))
        }
    }
}

/// `{1,2,-3}`.
func arrayLiteral(_ values: [Int64]) -> [UInt8] {
    var literal: [UInt8] = [UInt8(ascii: "{")]
    for value in values {
        if literal.count > 1 { literal.append(UInt8(ascii: ",")) }
        literal.append(contentsOf: String(value).utf8)
    }
    literal.append(UInt8(ascii: "}"))
    return literal
}

/// `{"a","b\"c",NULL}`: every element is quoted, so that no text can mean null, a brace or a comma.
func arrayLiteral(_ values: [String?]) -> [UInt8] {
    var literal: [UInt8] = [UInt8(ascii: "{")]
    for value in values {
        if literal.count > 1 { literal.append(UInt8(ascii: ",")) }
        guard let value else {
            literal.append(contentsOf: "NULL".utf8)
            continue
        }
        literal.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { literal.append(UInt8(ascii: "\\")) }
            literal.append(byte)
        }
        literal.append(UInt8(ascii: "\""))
    }
    literal.append(UInt8(ascii: "}"))
    return literal
}

/// An identifier as SQL text.
func quoted(_ identifier: String) -> String {
    "\"" + identifier.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
