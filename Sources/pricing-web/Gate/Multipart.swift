import HTTPTypes

/// The parts of a form that may carry a file, after RFC 7578.
struct Multipart: Sendable {
    struct Part: Sendable {
        let name: String
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    let parts: [Part]

    /// Reads a body; nil when its type is another.
    init?(_ type: String?, _ body: [UInt8]) {
        guard let type, type.lowercased().hasPrefix("multipart/form-data"),
            let boundary = Multipart.parameter("boundary", of: type), !boundary.isEmpty
        else { return nil }
        // Each boundary has a line's end before it, of which the first one may have none.
        let pieces = (Array("\r\n".utf8) + body).split(separator: Array("\r\n--\(boundary)".utf8))
        parts = pieces.compactMap { piece in
            let marks = piece.prefix(2)
            guard marks.elementsEqual("\r\n".utf8) else { return nil }
            return Multipart.part(piece.dropFirst(2))
        }
    }

    private static func part(_ piece: ArraySlice<UInt8>) -> Part? {
        guard let blank = piece.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let headers = String(decoding: piece[..<blank.lowerBound], as: UTF8.self)
        let disposition = headers.split(separator: "\r\n").first {
            $0.lowercased().hasPrefix("content-disposition:")
        }
        guard let disposition, let name = parameter("name", of: String(disposition)) else { return nil }
        return Part(name: name, bytes: Array(piece[blank.upperBound...]))
    }

    /// A parameter of a header, such as `name="file"`.
    private static func parameter(_ name: String, of header: String) -> String? {
        for piece in header.split(separator: ";").dropFirst() {
            let sides = piece.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard sides.count == 2, sides[0].lowercased() == name else { continue }
            let value = sides[1]
            return value.hasPrefix("\"") && value.hasSuffix("\"") && value.utf8.count > 1
                ? String(value.dropFirst().dropLast()) : value
        }
        return nil
    }
}
