/// A strict parser of one JSON text (RFC 8259): nothing is repaired, nothing is guessed.
///
/// Refused beyond the grammar: invalid UTF-8, lone surrogates, duplicate keys, nesting beyond the limit. A byte order
/// mark is a syntax error. U+0000 is accepted in strings; see `JSONValue.containsNUL`. Recursion is bounded by the
/// nesting limit, so hostile depth cannot overflow the stack.
package struct JSONParser {
    /// No configured nesting limit goes beyond this, which keeps the recursion within any thread's stack.
    package static let deepestNesting = 512

    private var position = 0
    private let nesting: Int
    private var scratch: [UInt8] = []

    /// The value of a JSON text.
    /// - Parameter nesting: How many arrays and objects may stand in each other, 1 to `deepestNesting`.
    package static func parse(_ text: Span<UInt8>, nesting: Int = 64) throws(JSONSyntaxError) -> JSONValue {
        do {
            _ = try UTF8Span(validating: text)
        } catch {
            throw JSONSyntaxError(kind: .invalidUTF8, byteOffset: error.byteOffsets.lowerBound)
        }
        var parser = JSONParser(nesting: min(max(nesting, 1), deepestNesting))
        return try parser.document(text)
    }

    /// The value of a JSON text.
    package static func parse(_ text: [UInt8], nesting: Int = 64) throws(JSONSyntaxError) -> JSONValue {
        try parse(text.span, nesting: nesting)
    }

    private init(nesting: Int) {
        self.nesting = nesting
    }

    private mutating func document(_ text: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        skipSpace(text)
        let value = try value(text, depth: 1)
        skipSpace(text)
        guard position == text.count else { throw broken() }
        return value
    }

    private mutating func value(_ text: Span<UInt8>, depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard position < text.count else { throw broken() }
        switch text[position] {
        case UInt8(ascii: "{"):
            guard depth <= nesting else { throw fault(.tooDeep(limit: nesting)) }
            return .object(try object(text, depth: depth))
        case UInt8(ascii: "["):
            guard depth <= nesting else { throw fault(.tooDeep(limit: nesting)) }
            return .array(try array(text, depth: depth))
        case UInt8(ascii: "\""):
            return .string(try string(text))
        case UInt8(ascii: "t"):
            try word("true", text)
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false", text)
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null", text)
            return .null
        default:
            return try number(text)
        }
    }

    private mutating func object(_ text: Span<UInt8>, depth: Int) throws(JSONSyntaxError) -> JSONObject {
        position += 1
        var members: [(key: String, value: JSONValue)] = []
        var index: Set<JSONKey> = []
        skipSpace(text)
        if consume(UInt8(ascii: "}"), text) { return JSONObject() }
        members.reserveCapacity(4)
        repeat {
            skipSpace(text)
            let keyStart = position
            guard peek(text) == UInt8(ascii: "\"") else { throw broken() }
            let key = try string(text)
            guard isNew(key, among: members, index: &index) else {
                throw JSONSyntaxError(kind: .duplicateKey(key), byteOffset: keyStart)
            }
            skipSpace(text)
            guard consume(UInt8(ascii: ":"), text) else { throw broken() }
            skipSpace(text)
            members.append((key, try value(text, depth: depth + 1)))
            skipSpace(text)
        } while consume(UInt8(ascii: ","), text)
        guard consume(UInt8(ascii: "}"), text) else { throw broken() }
        return JSONObject(distinct: members)
    }

    /// Compares each key with all others while there are few, and uses a set for many, so that 100,000 keys take linear time.
    private func isNew(
        _ key: String,
        among members: [(key: String, value: JSONValue)],
        index: inout Set<JSONKey>
    ) -> Bool {
        guard members.count >= 16 else {
            return !members.contains { JSONObject.same($0.key, key) }
        }
        if index.isEmpty {
            for member in members {
                index.insert(JSONKey(text: member.key))
            }
        }
        return index.insert(JSONKey(text: key)).inserted
    }

    private mutating func array(_ text: Span<UInt8>, depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        skipSpace(text)
        if consume(UInt8(ascii: "]"), text) { return elements }
        repeat {
            skipSpace(text)
            elements.append(try value(text, depth: depth + 1))
            skipSpace(text)
        } while consume(UInt8(ascii: ","), text)
        guard consume(UInt8(ascii: "]"), text) else { throw broken() }
        return elements
    }
}

// MARK: strings

extension JSONParser {
    private mutating func string(_ text: Span<UInt8>) throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "\"") {
                let slice = text.extracting(start..<position)
                position += 1
                // The whole text was validated, and both ends stand beside ASCII bytes.
                return unsafe String(copying: UTF8Span(unchecked: slice))
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(text, from: start) }
            guard byte >= 0x20 else { throw broken() }
            position += 1
        }
        throw broken()
    }

    /// A string with at least one escape; `position` stands on the first.
    private mutating func escapedString(_ text: Span<UInt8>, from start: Int) throws(JSONSyntaxError) -> String {
        scratch.removeAll(keepingCapacity: true)
        for place in start..<position {
            scratch.append(text[place])
        }
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return String(decoding: scratch, as: UTF8.self)
            }
            guard byte >= 0x20 else { throw broken() }
            if byte == UInt8(ascii: "\\") {
                try escape(text)
            } else {
                scratch.append(byte)
                position += 1
            }
        }
        throw broken()
    }

    private mutating func escape(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        let start = position
        position += 1
        guard let letter = peek(text) else { throw broken() }
        let plain: UInt8
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = letter
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"):
            position += 1
            let scalar = try escapedScalar(text, from: start)
            scratch.append(contentsOf: Character(scalar).utf8)
            return
        default: throw broken()
        }
        scratch.append(plain)
        position += 1
    }

    /// The scalar of `XXXX` or `XXXX\uXXXX`; `position` stands behind the first `\u`.
    private mutating func escapedScalar(
        _ text: Span<UInt8>,
        from start: Int
    ) throws(JSONSyntaxError) -> Unicode.Scalar {
        let alone = JSONSyntaxError(kind: .loneSurrogate, byteOffset: start)
        let first = try fourHexDigits(text)
        guard (0xD800..<0xDC00).contains(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw alone }
            return scalar
        }
        guard consume(UInt8(ascii: "\\"), text), consume(UInt8(ascii: "u"), text) else { throw alone }
        let second = try fourHexDigits(text)
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw alone }
        return scalar
    }

    private mutating func fourHexDigits(_ text: Span<UInt8>) throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(text) else { throw broken() }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw broken()
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

// MARK: numbers, words and single bytes

extension JSONParser {
    private mutating func number(_ text: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        let start = position
        let negative = consume(UInt8(ascii: "-"), text)
        let digitsStart = position
        var exact: Int64? = 0
        while let digit = digit(text) {
            let (tens, overflow) = (exact ?? 0).multipliedReportingOverflow(by: 10)
            let (sum, beyond) = tens.subtractingReportingOverflow(Int64(digit))
            // Gathered as a negative number, so that the smallest 64-bit integer fits too.
            exact = exact == nil || overflow || beyond ? nil : sum
            position += 1
        }
        let digits = position - digitsStart
        guard digits > 0 else { throw broken() }
        if digits > 1, text[digitsStart] == UInt8(ascii: "0") {
            throw JSONSyntaxError(kind: .syntax, byteOffset: digitsStart + 1)
        }
        var isInteger = true
        if consume(UInt8(ascii: "."), text) {
            isInteger = false
            try digitsHere(text)
        }
        if consume(UInt8(ascii: "e"), text) || consume(UInt8(ascii: "E"), text) {
            isInteger = false
            if !consume(UInt8(ascii: "+"), text) { _ = consume(UInt8(ascii: "-"), text) }
            try digitsHere(text)
        }
        if isInteger, let exact, !(negative && exact == 0) {
            if negative { return .integer(exact) }
            if exact != .min { return .integer(-exact) }
        }
        return unsafe .decimal(String(copying: UTF8Span(unchecked: text.extracting(start..<position))))
    }

    private mutating func digitsHere(_ text: Span<UInt8>) throws(JSONSyntaxError) {
        guard digit(text) != nil else { throw broken() }
        while digit(text) != nil {
            position += 1
        }
    }

    private func digit(_ text: Span<UInt8>) -> UInt8? {
        guard position < text.count else { return nil }
        let byte = text[position]
        return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : nil
    }

    private mutating func word(_ word: StaticString, _ text: Span<UInt8>) throws(JSONSyntaxError) {
        for byte in word.description.utf8 {
            guard consume(byte, text) else { throw broken() }
        }
    }

    private func peek(_ text: Span<UInt8>) -> UInt8? {
        position < text.count ? text[position] : nil
    }

    private mutating func consume(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace(_ text: Span<UInt8>) {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func broken() -> JSONSyntaxError {
        fault(.syntax)
    }

    private func fault(_ kind: JSONSyntaxError.Kind) -> JSONSyntaxError {
        JSONSyntaxError(kind: kind, byteOffset: position)
    }
}
