import HTTPTypes
import HummingbirdCore
import JSON
import Markup

/// What a room answers; the gate adds the headers that every answer has.
struct Answer: Sendable {
    typealias Writing = @Sendable @concurrent (_ writer: inout any ResponseBodyWriter) async throws -> Void

    enum Body: Sendable {
        case bytes([UInt8])
        /// Written as long as the reader stays; the second is told when they left.
        case stream(Writing, gone: @Sendable () -> Void)
    }

    var status: Int
    var headers: [(HTTPField.Name, String)]
    let body: Body

    init(_ status: Int = 200, _ type: String, _ bytes: [UInt8], _ headers: [(HTTPField.Name, String)] = []) {
        self.status = status
        self.headers = [(.contentType, type)] + headers
        body = .bytes(bytes)
    }

    /// A page, or a part of one.
    static func html(_ html: HTML, status: Int = 200) -> Answer {
        Answer(status, "text/html; charset=utf-8", Array(html.text.utf8), [(.cacheControl, "no-store")])
    }

    static func json(_ object: JSONObject, status: Int = 200) -> Answer {
        Answer(status, "application/json", object.serialized(), [(.cacheControl, "no-store")])
    }

    static func text(_ text: String, status: Int = 200) -> Answer {
        Answer(status, "text/plain; charset=utf-8", Array(text.utf8))
    }

    /// After a form was carried out: the browser gets another page, and going back sends nothing again.
    static func redirect(_ path: String, cookie: String? = nil) -> Answer {
        var answer = Answer(303, "text/plain; charset=utf-8", [], [(.location, path), (.cacheControl, "no-store")])
        if let cookie { answer.headers.append((.setCookie, cookie)) }
        return answer
    }

    /// Something of any length, written piece by piece.
    static func stream(
        _ type: String,
        gone: @escaping @Sendable () -> Void = {},
        _ write: @escaping Writing
    ) -> Answer {
        Answer(stream: .stream(write, gone: gone), type)
    }

    private init(stream: Body, _ type: String) {
        status = 200
        headers = [(.contentType, type), (.cacheControl, "no-store")]
        body = stream
    }

    /// A path of this site that a form named, so that nobody is sent elsewhere.
    static func local(_ path: String?, else other: String) -> String {
        guard let path, path.hasPrefix("/"), !path.hasPrefix("//"), !path.contains("\\"),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return other }
        return path
    }
}
