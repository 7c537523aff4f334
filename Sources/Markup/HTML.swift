/// HTML text in which everything but the program's own literals was escaped.
///
/// It is written by interpolation. A literal must be a `StaticString`, so it is in the program's text; every other value is
/// escaped, for text and for an attribute in double quotes alike; HTML in HTML stands as it is.
package struct HTML: Sendable, Equatable {
    package private(set) var text: String

    package init() { text = "" }

    /// Parts one after another.
    package init(_ parts: some Sequence<HTML>) {
        text = ""
        for part in parts { text += part.text }
    }

    package var isEmpty: Bool { text.isEmpty }

    package static func += (left: inout HTML, right: HTML) { left.text += right.text }

    package static func + (left: HTML, right: HTML) -> HTML {
        var sum = left
        sum += right
        return sum
    }

    /// HTML that is there only under a condition.
    package static func when(_ condition: Bool, _ html: @autoclosure () -> HTML) -> HTML {
        condition ? html() : HTML()
    }

    /// ` name="value"`, or nothing without a value.
    package static func attribute(_ name: StaticString, _ value: String?) -> HTML {
        guard let value else { return HTML() }
        var html = StringInterpolation(literalCapacity: 8, interpolationCount: 2)
        html.appendLiteral(" ")
        html.appendLiteral(name)
        html.appendLiteral("=\"")
        html.appendInterpolation(value)
        html.appendLiteral("\"")
        return HTML(stringInterpolation: html)
    }

    /// ` name`, or nothing.
    package static func flag(_ name: StaticString, _ isOn: Bool) -> HTML {
        guard isOn else { return HTML() }
        var html = StringInterpolation(literalCapacity: 8, interpolationCount: 0)
        html.appendLiteral(" ")
        html.appendLiteral(name)
        return HTML(stringInterpolation: html)
    }
}

extension HTML: ExpressibleByStringInterpolation {
    package init(stringLiteral value: StaticString) { text = value.description }

    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Takes the parts of a literal apart.
    package struct StringInterpolation: StringInterpolationProtocol {
        package typealias StringLiteralType = StaticString

        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        package mutating func appendLiteral(_ literal: StaticString) { text += literal.description }

        package mutating func appendInterpolation(_ value: String) { text.append(escaping: value) }
        package mutating func appendInterpolation(_ value: Substring) { text.append(escaping: String(value)) }
        package mutating func appendInterpolation(_ value: some BinaryInteger) { text += String(value) }
        package mutating func appendInterpolation(_ value: HTML) { text += value.text }
        package mutating func appendInterpolation(_ value: HTML?) { text += value?.text ?? "" }
        package mutating func appendInterpolation(_ values: [HTML]) {
            for value in values { text += value.text }
        }
        /// A coordinate of a drawing.
        package mutating func appendInterpolation(_ value: Double) { text += Decimals.text(value, 1) }
    }
}

extension String {
    /// Appends text so that it is text in HTML and in a quoted attribute, in XML too. A control character that neither may
    /// hold becomes the replacement character.
    fileprivate mutating func append(escaping value: String) {
        guard value.utf8.contains(where: String.isSpecial) else {
            self += value
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": self += "&amp;"
            case "<": self += "&lt;"
            case ">": self += "&gt;"
            case "\"": self += "&quot;"
            case "'": self += "&#39;"
            case "\t", "\n", "\r": unicodeScalars.append(scalar)
            case "\u{0}"..<" ", "\u{7F}": unicodeScalars.append("\u{FFFD}")
            default: unicodeScalars.append(scalar)
            }
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: byte < 0x20 || byte == 0x7F
        }
    }
}
