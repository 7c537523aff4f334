import JSON

/// Finds the id of a request whose JSON is sound in grammar but refused as a whole, so that its sender is still told
/// which call failed.
enum RecoveredID {
    /// The one member `id` of the outermost object; nil when there is none, several, or it is no valid id.
    static func find(in line: Span<UInt8>, limit: Int) -> RequestID? {
        var depth = 0
        var position = 0
        var found: RequestID?
        while position < line.count {
            switch line[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if depth == 0, line[position] == UInt8(ascii: "[") { return nil }
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
            case UInt8(ascii: "\""):
                let end = endOfString(line, from: position)
                let isKey = depth == 1 && isID(line, position..<end)
                position = end
                guard isKey, let value = valueAfterColon(line, from: end) else { continue }
                guard found == nil, let id = id(line, value, limit: limit) else { return nil }
                found = id
                position = value.upperBound
            default:
                position += 1
            }
        }
        return found
    }

    private static func id(_ line: Span<UInt8>, _ range: Range<Int>, limit: Int) -> RequestID? {
        guard let value = try? JSONParser.parse(line.extracting(range)) else { return nil }
        return try? RequestID(value, limit: limit)
    }

    /// Behind the closing quote of the string that opens at `start`.
    private static func endOfString(_ line: Span<UInt8>, from start: Int) -> Int {
        var position = start + 1
        while position < line.count, line[position] != UInt8(ascii: "\"") {
            position += line[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position + 1, line.count)
    }

    private static func isID(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        range.count == 4 && line[range.lowerBound + 1] == UInt8(ascii: "i")
            && line[range.lowerBound + 2] == UInt8(ascii: "d")
    }

    /// The scalar behind a colon; nil when no colon follows, which makes the string before a value.
    private static func valueAfterColon(_ line: Span<UInt8>, from start: Int) -> Range<Int>? {
        var position = skipSpace(line, from: start)
        guard position < line.count, line[position] == UInt8(ascii: ":") else { return nil }
        position = skipSpace(line, from: position + 1)
        guard position < line.count else { return nil }
        if line[position] == UInt8(ascii: "\"") { return position..<endOfString(line, from: position) }
        var end = position
        while end < line.count, line[end] != UInt8(ascii: ","), line[end] != UInt8(ascii: "}") {
            end += 1
        }
        return position..<end
    }

    private static func skipSpace(_ line: Span<UInt8>, from start: Int) -> Int {
        var position = start
        while position < line.count, line[position] == 0x20 || line[position] == 0x09 || line[position] == 0x0D {
            position += 1
        }
        return position
    }
}
