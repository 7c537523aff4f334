import HTTPTypes
import JSON
import JSONRPC
import Markup

/// One request as the rooms see it: checked by the gate, its body read.
struct Visit: Sendable {
    /// `GET`, also of a HEAD request, or another method in capitals.
    let method: String
    /// The path's parts, unescaped.
    let path: [String]
    /// The path as it was sent, without its query.
    let rawPath: String
    let query: Fields
    let headers: HTTPFields
    let body: [UInt8]
    /// Who it is that visits, by address; without a proxy's help.
    let address: String
    /// Where our pages are, such as `http://127.0.0.1:8080`.
    let origin: String
    /// What speaks for a signed-in person.
    let token: String?
    /// Ends the visitor's connection, however busy it is.
    let hangUp: @Sendable () -> Void
    /// Whether the token came as `Authorization: Bearer`, so from a program.
    let isBearer: Bool
    /// Who is signed in with a cookie.
    var person: Person?
    /// What the route's placeholders stand for.
    var parameters: [String] = []

    /// The form that was sent.
    var form: Fields { Fields(String(decoding: body, as: UTF8.self)) }

    /// The form with its files; none when it was sent as one without.
    var parts: [Multipart.Part] { Multipart(headers[.contentType], body)?.parts ?? [] }

    /// The number that a placeholder of the route stands for.
    /// - Throws: a 404 when it is none.
    func id(_ index: Int = 0) throws(Refusal) -> Int64 {
        guard parameters.indices.contains(index), let id = Int64(parameters[index]), id > 0 else {
            throw Refusal(404, "There is no such page.")
        }
        return id
    }

    /// The same page with parts of its query changed; nil takes one out.
    func link(_ changes: [(name: String, value: String?)]) -> String {
        let kept = query.pairs.filter { pair in !changes.contains { $0.name == pair.name } }
        return Link.to(rawPath, kept.map { ($0.name, $0.value) } + changes)
    }
}

/// Names and values of a query or form, in order; a name may stand several times.
struct Fields: Sendable {
    let pairs: [(name: String, value: String)]

    init(_ text: some StringProtocol) { pairs = Link.pairs(text) }

    /// The first value of a name, blanks around it off; nil when there is none or it is empty.
    subscript(name: String) -> String? {
        guard let value = pairs.first(where: { $0.name == name })?.value else { return nil }
        let trimmed = value.trimmed
        return trimmed.isEmpty ? nil : trimmed
    }

    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}

/// Why the gateway itself does not answer a request.
struct Refusal: Error, Sendable {
    let status: Int
    let sentence: String
    let headers: [(HTTPField.Name, String)]

    init(_ status: Int, _ sentence: String, _ headers: [(HTTPField.Name, String)] = []) {
        self.status = status
        self.sentence = sentence
        self.headers = headers
    }
}
