/// How the bytes of a file are read as text where no byte order mark says it: as UTF-8, unless somebody names another.
package enum TextEncoding: String, CaseIterable, Sendable {
    case latin1
    case windows1252 = "windows-1252"

    /// The text of a file. A byte order mark, of UTF-8 or UTF-16, says more than what was asked for, and is taken off.
    /// - Throws: for the first byte that is none of the encoding's.
    package static func text(of bytes: [UInt8], as asked: TextEncoding?) throws(CSVTable.Malformed) -> String {
        switch (bytes.first, bytes.dropFirst().first) {
        case (0xFF, 0xFE): return try utf16(bytes) { UInt16($1) << 8 | UInt16($0) }
        case (0xFE, 0xFF): return try utf16(bytes) { UInt16($0) << 8 | UInt16($1) }
        case (0xEF, 0xBB) where bytes.dropFirst(2).first == 0xBF:
            return try decoded(Array(bytes.dropFirst(3)), UTF8.self, Self.noUTF8)
        default:
            guard let asked else { return try decoded(bytes, UTF8.self, Self.noUTF8) }
            return try decoded(bytes.map { asked.scalar($0) ?? Self.none }, UTF32.self, asked.noLetter)
        }
    }

    /// No character at all.
    private static let none: UInt32 = 0xFFFF_FFFF

    private static let noUTF8 = """
        is no UTF-8; name the encoding: --encoding latin1, or --encoding windows-1252 for what older spreadsheets on Windows \
        write
        """

    private var noLetter: String {
        switch self {
        case .latin1: "is no letter of Latin-1; --encoding windows-1252 has more"
        case .windows1252: "is no letter of windows-1252"
        }
    }

    private static func utf16(
        _ bytes: [UInt8],
        _ unit: (UInt8, UInt8) -> UInt16
    ) throws(CSVTable.Malformed) -> String {
        let units = stride(from: 2, to: bytes.count - 1, by: 2).map { unit(bytes[$0], bytes[$0 + 1]) }
        // Half a unit at the end becomes half a pair, which is told like any other.
        return try decoded(units + (bytes.count % 2 == 0 ? [] : [0xD800]), UTF16.self, "is no UTF-16")
    }

    /// What stands where Latin-1 has control characters, from 0x80.
    private static let windows: [UInt32?] = [
        0x20AC, nil, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, nil,
        0x017D,
        nil, nil, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, nil,
        0x017E, 0x0178,
    ]

    private func scalar(_ byte: UInt8) -> UInt32? {
        guard (0x80...0x9F).contains(byte) else { return UInt32(byte) }
        return self == .windows1252 ? Self.windows[Int(byte) - 0x80] : nil
    }

    private static func decoded<Encoding: Unicode.Encoding>(
        _ units: [Encoding.CodeUnit],
        _ encoding: Encoding.Type,
        _ problem: String
    ) throws(CSVTable.Malformed) -> String {
        var parser = Encoding.ForwardParser()
        var input = units.makeIterator()
        var text = String.UnicodeScalarView()
        var (line, column) = (1, 1)
        while true {
            switch parser.parseScalar(from: &input) {
            case .emptyInput: return String(text)
            case .error: throw .init(line: line, problem: "what stands at column \(column) \(problem)")
            case .valid(let encoded):
                let scalar = Encoding.decode(encoded)
                if scalar.value == 0 {
                    let problem = "a zero stands at column \(column): this is no text, or UTF-16 without its mark"
                    throw .init(line: line, problem: problem)
                }
                if scalar == "\n", text.last == "\r" {
                    column = 1
                } else if scalar == "\n" || scalar == "\r" {
                    (line, column) = (line + 1, 1)
                } else {
                    column += 1
                }
                text.append(scalar)
            }
        }
    }
}
