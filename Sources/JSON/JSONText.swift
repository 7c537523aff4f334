/// JSON text that is already serialized and compact: one value, no line feed, ready to be written into a line.
package struct JSONText: Sendable, Equatable {
    /// The text in UTF-8.
    package let bytes: [UInt8]

    /// Takes text that the caller knows to be compact JSON.
    package init(verbatim bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The text of an object.
    package init(_ object: JSONObject) {
        bytes = object.serialized()
    }

    /// Strips white space that stands outside strings from JSON text which PostgreSQL made.
    /// The text is trusted: broken JSON stays broken.
    package init(compacting text: [UInt8]) {
        var compact = text
        var end = 0
        var inString = false
        var escaped = false
        for byte in text {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                inString = true
            } else if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
                continue
            }
            compact[end] = byte
            end += 1
        }
        compact.removeSubrange(end...)
        bytes = compact
    }

    /// `{}`.
    package static let emptyObject = JSONText(verbatim: Array("{}".utf8))
}
