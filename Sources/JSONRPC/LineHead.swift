/// What most requests begin with, `{"jsonrpc":"2.0","id":…,"method":"…",`, read without parsing the line. Under overload
/// a call of which no more need be known is refused by it, at a part of what a parsed one costs. Whether the rest of the
/// line is sound is not known then.
package struct LineHead: Sendable, Equatable {
    package let id: RequestID
    package let method: String

    /// Nil when the line begins otherwise, or says more about how the call is to be carried out: it holds `_meta`.
    package init?(_ line: ArraySlice<UInt8>, limits: TransportLimits = .defaults) {
        var rest = Rest(bytes: line)
        guard rest.skip("{"), rest.text() == "jsonrpc", rest.skip(":"), rest.text() == "2.0", rest.skip(","),
            rest.text() == "id", rest.skip(":"), let id = rest.id(limit: limits.idBytes), rest.skip(","),
            rest.text() == "method", rest.skip(":"), let method = rest.text(), rest.skip(","), !rest.holdsMeta
        else { return nil }
        self.id = id
        self.method = method
    }

    /// What has not been read yet.
    private struct Rest {
        private static let meta = Array("_meta".utf8)
        /// So many digits are an integer that every peer's numbers can hold.
        private static let digits = 15

        var bytes: ArraySlice<UInt8>

        mutating func skip(_ wanted: Unicode.Scalar) -> Bool {
            skipSpace()
            guard bytes.first == UInt8(ascii: wanted) else { return false }
            bytes.removeFirst()
            return true
        }

        /// A string of printable ASCII without escapes.
        mutating func text() -> String? {
            guard skip("\""), let end = bytes.firstIndex(where: { $0 == UInt8(ascii: "\"") }) else { return nil }
            let text = bytes[..<end]
            guard text.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }) else { return nil }
            bytes = bytes[(end + 1)...]
            return String(decoding: text, as: UTF8.self)
        }

        mutating func id(limit: Int) -> RequestID? {
            skipSpace()
            if bytes.first == UInt8(ascii: "\"") {
                return text().flatMap { $0.utf8.count <= limit ? .string($0) : nil }
            }
            let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...min(Self.digits, limit)).contains(digits.count),
                digits.count == 1 || digits.first != UInt8(ascii: "0")
            else { return nil }
            bytes = bytes[digits.endIndex...]
            return .integer(digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) })
        }

        var holdsMeta: Bool {
            var rest = bytes
            while let place = rest.firstIndex(of: UInt8(ascii: "_")) {
                if rest[place...].starts(with: Self.meta) { return true }
                rest = rest[(place + 1)...]
            }
            return false
        }

        private mutating func skipSpace() {
            while bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        }
    }
}
