/// Swift text with comments and the contents of string literals blanked out, line by line as it was.
struct SwiftCode: Sendable {
    /// The code alone; a literal is two quotation marks.
    let code: String
    /// The contents of string literals alone, each ended by U+0001.
    let literals: String

    init(_ text: String) {
        var lexer = Lexer(bytes: Array(text.utf8))
        lexer.run()
        code = String(decoding: lexer.code, as: UTF8.self)
        literals = String(decoding: lexer.literals, as: UTF8.self)
    }
}

/// Tells code, comments and literals apart, byte by byte.
private struct Lexer {
    private enum Place {
        case code
        case lineComment
        case blockComment(depth: Int)
        case string(end: [UInt8], hasEscapes: Bool)
    }

    let bytes: [UInt8]
    var code: [UInt8] = []
    var literals: [UInt8] = []
    private var place = Place.code
    private var index = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func run() {
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                code.append(byte)
                literals.append(byte)
                if case .lineComment = place { place = .code }
                index += 1
                continue
            }
            switch place {
            case .code: readCode(byte)
            case .lineComment: index += 1
            case .blockComment(let depth): readComment(depth)
            case .string(let end, let hasEscapes): readString(byte, end, hasEscapes)
            }
        }
    }

    private mutating func readCode(_ byte: UInt8) {
        var hashes = 0
        while index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "#") { hashes += 1 }
        if follows([UInt8(ascii: "/"), UInt8(ascii: "/")]) {
            place = .lineComment
            index += 2
        } else if follows([UInt8(ascii: "/"), UInt8(ascii: "*")]) {
            place = .blockComment(depth: 1)
            index += 2
        } else if index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "\"") {
            let quote = UInt8(ascii: "\"")
            let quotes = follows([quote, quote, quote], at: hashes) ? 3 : 1
            let end = Array(repeating: quote, count: quotes) + Array(repeating: UInt8(ascii: "#"), count: hashes)
            place = .string(end: end, hasEscapes: hashes == 0)
            code.append(quote)
            index += end.count
        } else {
            code.append(byte)
            index += 1
        }
    }

    private mutating func readComment(_ depth: Int) {
        if follows([UInt8(ascii: "*"), UInt8(ascii: "/")]) {
            place = depth == 1 ? .code : .blockComment(depth: depth - 1)
            index += 2
        } else if follows([UInt8(ascii: "/"), UInt8(ascii: "*")]) {
            place = .blockComment(depth: depth + 1)
            index += 2
        } else {
            index += 1
        }
    }

    private mutating func readString(_ byte: UInt8, _ end: [UInt8], _ hasEscapes: Bool) {
        if hasEscapes, byte == UInt8(ascii: "\\") {
            literals.append(UInt8(ascii: " "))
            let isLineEnd = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n")
            index += isLineEnd ? 1 : 2
        } else if follows(end) {
            place = .code
            code.append(UInt8(ascii: "\""))
            literals.append(1)
            index += end.count
        } else {
            literals.append(byte)
            index += 1
        }
    }

    private func follows(_ wanted: [UInt8], at offset: Int = 0) -> Bool {
        guard index + offset + wanted.count <= bytes.count else { return false }
        for (place, byte) in wanted.enumerated() where bytes[index + offset + place] != byte { return false }
        return true
    }
}

/// One function's place and length, its signature and closing brace included.
struct FunctionSpan: Equatable {
    let line: Int
    let length: Int

    /// The functions and initializers of formatted Swift text: a body ends at the brace that stands under its declaration.
    static func all(in swift: SwiftCode) -> [FunctionSpan] {
        let lines = swift.code.split(separator: "\n", omittingEmptySubsequences: false)
        var spans: [FunctionSpan] = []
        for (start, line) in lines.enumerated() {
            guard line.firstMatch(of: /(^|\s)(func\s|init[?<(]|deinit\s|subscript[<(])/) != nil,
                let body = bodyStart(lines, start)
            else { continue }
            let indent = line.prefix { $0 == " " }
            let end = lines[body...].firstIndex { $0.hasPrefix(indent + "}") } ?? lines.count - 1
            spans.append(FunctionSpan(line: start + 1, length: end - start + 1))
        }
        return spans
    }

    /// The line that opens the body; nil for a requirement, a call, and a body on one line.
    private static func bodyStart(_ lines: [Substring], _ start: Int) -> Int? {
        var depth = 0
        for index in start..<lines.count {
            depth += lines[index].count { $0 == "(" } - lines[index].count { $0 == ")" }
            if depth > 0 { continue }
            if lines[index].hasSuffix("{") { return index }
            let following = index + 1 < lines.count ? lines[index + 1].drop { $0 == " " } : ""
            if !following.hasPrefix("where ") && !following.hasPrefix("{") { return nil }
        }
        return nil
    }
}
