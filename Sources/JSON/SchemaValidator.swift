/// Where and how a value breaks its schema.
package struct Violation: Sendable, Equatable {
    /// JSON Pointer to the value, from the parameters' root.
    package let path: String
    /// The rule's name: `type`, `required`, `oneOf`, `unknown`, `minimum`, `maximum`, `length`, `characters`, `choice`,
    /// `format`.
    package let rule: String
    /// One sentence for people.
    package let message: String
    package let expected: JSONValue?
    package let got: JSONValue?

    package init(path: String, rule: String, message: String, expected: JSONValue? = nil, got: JSONValue? = nil) {
        self.path = path
        self.rule = rule
        self.message = message
        self.expected = expected
        self.got = got
    }

    package var json: JSONValue {
        var object: JSONObject = ["path": .string(path), "rule": .string(rule), "message": .string(message)]
        if let expected { object["expected"] = expected }
        if let got { object["got"] = got }
        return .object(object)
    }
}

/// Checks values against schemas and reports every violation, not the first alone.
package struct SchemaValidator: Sendable {
    package private(set) var violations: [Violation] = []

    package init() {}

    /// Checks an object's members: required ones present, unknown ones refused unless the shape is open.
    /// - Parameter path: where the object stands; made only for a violation.
    package mutating func check(_ object: JSONObject, _ shape: ObjectShape, at path: @autoclosure () -> String = "") {
        var known = 0
        for field in shape.fields {
            if let value = object[field.name] {
                known += 1
                check(value, field.schema, at: "\(path())/\(field.name)")
                if let other = field.standsFor, !field.mayAccompany, object[other] != nil {
                    report("\(path())/\(field.name)", "oneOf", "give \(other) or \(field.name), not both")
                }
            } else if field.isRequired {
                let substitutes = shape.isOpen ? [] : field.substitutes
                if substitutes.contains(where: { object[$0.name]?.isNull == false }) { continue }
                let names = ([field] + substitutes).map(\.name).joined(separator: " or ")
                report("\(path())/\(field.name)", "required", "\(names) is missing")
            }
        }
        guard !shape.isOpen, known < object.count else { return }
        for (key, _) in object where !shape.fields.contains(where: { $0.name == key }) {
            let names = shape.fields.map(\.name)
            report("\(path())/\(escaped(key))", "unknown", "there is no such member", .array(names.map { .string($0) }))
        }
    }

    package mutating func check(_ value: JSONValue, _ schema: Schema, at path: @autoclosure () -> String = "") {
        switch (schema, value) {
        case (.any, _):
            if value.containsNUL { report(path(), "characters", "U+0000 is not allowed") }
        case (.nullable, .null), (.boolean, .bool): break
        case (.nullable(let schema), _): check(value, schema, at: path())
        case (.integer(let range), .integer(let number)):
            checkRange(number, range, path)
        case (.integer, .decimal(let text)):
            report(path(), "type", "must be a whole number", "integer", .decimal(text))
        case (.number(let range), .integer(let number)):
            checkNumber(Double(number), range, path, value)
        case (.number(let range), .decimal(let text)):
            checkNumber(Double(text) ?? .infinity, range, path, value)
        case (.money(let least), .string(let text)): checkMoney(text, least, path)
        case (.sum, .string(let text)):
            if !isDecimal(text) {
                report(path(), "format", "must be a decimal string such as \"12.50\"", "decimal", value)
            }
        case (.text(let range), .string(let text)): checkText(text, range, path)
        case (.name(let range), .string(let text)): checkName(text, range, path)
        case (.bytes(let range), .string(let text)): checkBytes(text, range, path)
        case (.time, .string(let text)):
            if !isTime(text) { report(path(), "format", "must be an RFC 3339 time", "date-time", value) }
        case (.choice(let choices), .string(let text)):
            if !choices.contains(text) {
                report(path(), "choice", "is not one of the choices", .array(choices.map { .string($0) }), value)
            }
        case (.list(let element, let range), .array(let elements)):
            if !range.contains(elements.count) {
                report(
                    path(),
                    "length",
                    "must have \(range.lowerBound) to \(range.upperBound) elements",
                    nil,
                    .integer(Int64(elements.count))
                )
            } else {
                for (index, item) in elements.enumerated() { check(item, element, at: "\(path())/\(index)") }
            }
        case (.object(let shape), .object(let object)): check(object, shape, at: path())
        default: report(path(), "type", "must be \(schema.typeName)", .string(schema.typeName), value.short)
        }
    }

    private mutating func checkRange(_ number: Int64, _ range: ClosedRange<Int64>, _ path: () -> String) {
        if number < range.lowerBound {
            report(path(), "minimum", "is too small", .integer(range.lowerBound), .integer(number))
        } else if number > range.upperBound {
            report(path(), "maximum", "is too large", .integer(range.upperBound), .integer(number))
        }
    }

    private mutating func checkNumber(
        _ number: Double,
        _ range: ClosedRange<Double>,
        _ path: () -> String,
        _ value: JSONValue
    ) {
        if number < range.lowerBound {
            report(path(), "minimum", "is too small", .decimal("\(range.lowerBound)"), value)
        } else if number > range.upperBound {
            report(path(), "maximum", "is too large", .decimal("\(range.upperBound)"), value)
        }
    }

    /// The largest amount of money, in hundredths.
    private static let largestMoney: Int64 = 999_999_999_999

    private mutating func checkMoney(_ text: String, _ least: Int64, _ path: () -> String) {
        // More digits than fit are a number all the same.
        let isLong = isDecimal(text)
        guard let amount = hundredths(text) ?? (isLong ? (text.hasPrefix("-") ? .min : .max) : nil) else {
            report(path(), "format", "must be a decimal string such as \"12.50\"", "decimal", .string(text))
            return
        }
        if amount < least {
            report(path(), "minimum", "is too small", .string(decimalText(least)), .string(text))
        } else if amount > Self.largestMoney {
            report(path(), "maximum", "is too large", .string(decimalText(Self.largestMoney)), .string(text))
        }
    }

    private mutating func checkText(_ text: String, _ range: ClosedRange<Int>, _ path: () -> String) {
        checkLength(text.unicodeScalars.count, range, path)
        if text.utf8.contains(0) { report(path(), "characters", "U+0000 is not allowed") }
    }

    private mutating func checkLength(_ count: Int, _ range: ClosedRange<Int>, _ path: () -> String) {
        if !range.contains(count) {
            report(
                path(),
                "length",
                "must have \(range.lowerBound) to \(range.upperBound) characters",
                nil,
                .integer(Int64(count))
            )
        }
    }

    private mutating func checkBytes(_ text: String, _ range: ClosedRange<Int>, _ path: () -> String) {
        let count = text.utf8.count
        if text.utf8.allSatisfy({ $0 < 0x80 }), !range.contains(count) {
            let message = "must have \(range.lowerBound) to \(range.upperBound) bytes of UTF-8"
            report(path(), "length", message, nil, .integer(Int64(count)))
        }
        if text.utf8.contains(0) { report(path(), "characters", "U+0000 is not allowed") }
    }

    private mutating func checkName(_ text: String, _ range: ClosedRange<Int>, _ path: () -> String) {
        checkLength(text.trimmedName.unicodeScalars.count, range, path)
        let forbidden = text.unicodeScalars.contains { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
        }
        if forbidden {
            report(path(), "characters", "control and bidirectional override characters are not allowed")
        }
    }

    private mutating func report(
        _ path: String,
        _ rule: String,
        _ message: String,
        _ expected: JSONValue? = nil,
        _ got: JSONValue? = nil
    ) {
        violations.append(Violation(path: path, rule: rule, message: message, expected: expected, got: got))
    }
}

/// An amount in hundredths: digits, at most two decimals, nothing else; nil otherwise, or when it does not fit.
package func hundredths(_ text: String) -> Int64? {
    var digits = Substring(text)
    let isNegative = digits.first == "-"
    if isNegative { digits.removeFirst() }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), (1...12).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy(isDigit),
        let whole = Int64(parts[0])
    else { return nil }
    var fraction: Int64 = 0
    if parts.count == 2 {
        guard (1...2).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(isDigit), let value = Int64(parts[1])
        else { return nil }
        fraction = parts[1].utf8.count == 1 ? value * 10 : value
    }
    let amount = whole * 100 + fraction
    return isNegative ? -amount : amount
}

/// Any number of digits, and at most two decimals.
private func isDecimal(_ text: String) -> Bool {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    return (1...2).contains(parts.count) && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }
        && (parts.count == 1 || parts[1].utf8.count <= 2)
}

private func isDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte)
}

private func decimalText(_ hundredths: Int64) -> String {
    let cents = hundredths % 100
    return "\(hundredths / 100).\(cents < 10 ? "0" : "")\(cents)"
}

/// `2026-01-31T12:00:00.000Z` or with an offset; the date must exist. Leap seconds are refused.
private func isTime(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard (20...35).contains(bytes.count) else { return false }
    func number(_ range: Range<Int>) -> Int? {
        guard range.upperBound <= bytes.count, bytes[range].allSatisfy(isDigit) else { return nil }
        return bytes[range].reduce(0) { $0 * 10 + Int($1 - 48) }
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
        let minute = number(14..<16), let second = number(17..<19), bytes[4] == 45, bytes[7] == 45,
        bytes[10] == 84 || bytes[10] == 116, bytes[13] == 58, bytes[16] == 58
    else { return false }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard year >= 1, (1...12).contains(month), (1...days[month - 1]).contains(day), hour < 24, minute < 60, second < 60
    else { return false }
    var rest = bytes[19...]
    if rest.first == 46 {
        rest = rest.dropFirst()
        let fraction = rest.prefix(while: isDigit)
        guard !fraction.isEmpty, fraction.count <= 9 else { return false }
        rest = rest.dropFirst(fraction.count)
    }
    if rest.count == 1, rest.first == 90 || rest.first == 122 { return true }
    guard rest.count == 6, rest.first == 43 || rest.first == 45, rest[rest.startIndex + 3] == 58,
        let hours = number(rest.startIndex + 1..<rest.startIndex + 3),
        let minutes = number(rest.startIndex + 4..<rest.startIndex + 6)
    else { return false }
    return hours < 24 && minutes < 60
}

/// A key as a part of a JSON Pointer. By scalars: a combining mark after a slash does not make it another character.
private func escaped(_ key: String) -> String {
    var out = ""
    for scalar in key.unicodeScalars {
        switch scalar {
        case "~": out += "~0"
        case "/": out += "~1"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}

extension Schema {
    /// The schema's type in words, such as "a string".
    fileprivate var typeName: String {
        switch self {
        case .any: "any value"
        case .boolean: "true or false"
        case .integer: "an integer"
        case .number: "a number"
        case .money, .sum: "a decimal string"
        case .text, .name, .bytes, .choice: "a string"
        case .time: "a time as a string"
        case .list: "an array"
        case .object: "an object"
        case .nullable(let schema): "\(schema.typeName) or null"
        }
    }
}

extension JSONValue {
    /// The value itself when it is small, else its kind.
    fileprivate var short: JSONValue {
        switch self {
        case .array: "array"
        case .object: "object"
        case .string(let text) where text.utf8.count > 100: "string"
        default: self
        }
    }
}
