import HTTPTypes
import Hummingbird
import HummingbirdCore
import JSONRPC
import Logging
import Markup
import NIOCore

/// Where a request came from.
struct Arrival: Sendable, InitializableFromSource {
    let address: String
    let hangUp: @Sendable () -> Void

    init(source: ApplicationRequestContextSource) {
        let channel = source.channel
        address = channel.remoteAddress?.ipAddress ?? "unknown"
        hangUp = { channel.close(promise: nil) }
    }
}

/// The one door: every request passes it on its way in, every answer on its way out.
struct Gate: HTTPResponder {
    /// The longest body of a form, in bytes.
    static let formBytes = 64 * 1024
    /// The longest body of `POST /rpc` and of an imported file, in bytes.
    static let lineBytes = 1024 * 1024
    private static let long: Set<[String]> = [["rpc"], ImportPages.parts]
    /// How long a body may take.
    static let bodyTime = Duration.seconds(10)

    let origins: Origins
    let routes: Routes
    let site: Site

    @concurrent
    func respond(to request: Request, context: Arrival) async throws -> Response {
        var answer: Answer
        let path = request.uri.path.split(separator: "/").map { Link.unescaped($0.replacing("+", with: "%2B")) }
        let form: Form = path.first == "api" || path.first == "rpc" ? .json : .page
        do {
            answer = try await answered(try await admit(request, path, context), form)
        } catch {
            answer = Failure.answer(error, form, nil, site)
        }
        site.requests.add(answer.status)
        return response(answer, to: request)
    }

    /// How a failure is told: as a page or as JSON.
    enum Form {
        case page
        case json
    }

    private func answered(_ visit: Visit, _ form: Form) async throws -> Answer {
        var visit = visit
        do {
            if visit.token != nil, form == .page, visit.path.first != "assets" {
                visit.person = try await site.person(visit)
            }
            return try await routes.answer(visit)
        } catch {
            return Failure.answer(error, form, visit, site)
        }
    }

    // MARK: in

    private func admit(_ request: Request, _ path: [String], _ arrival: Arrival) async throws -> Visit {
        guard let host = request.head.authority, origins.isOurs(host) else {
            throw Refusal(421, "This host is not served here.")
        }
        let bearer = request.headers[.authorization].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        let isUnsafe = request.method != .get && request.method != .head
        if isUnsafe, bearer == nil, let refusal = origins.refusal(request.headers, host: host) {
            throw Refusal(403, refusal)
        }
        let body =
            isUnsafe ? try await read(request, upTo: Gate.long.contains(path) ? Gate.lineBytes : Gate.formBytes) : []
        return Visit(
            method: request.method == .head ? "GET" : request.method.rawValue,
            path: path,
            rawPath: request.uri.path,
            query: Fields(request.uri.query ?? ""),
            headers: request.headers,
            body: body,
            address: site.address(arrival.address, request.headers),
            origin: origins.own(host),
            token: bearer ?? SignInCookie.token(request.headers, isSecure: origins.isSecure),
            hangUp: arrival.hangUp,
            isBearer: bearer != nil
        )
    }

    private func read(_ request: Request, upTo limit: Int) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit {
            throw Refusal(413, "This is longer than \(limit) bytes.", [(.connection, "close")])
        }
        return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                for try await part in request.body {
                    bytes.append(contentsOf: part.readableBytesView)
                    guard bytes.count <= limit else {
                        throw Refusal(413, "This is longer than \(limit) bytes.", [(.connection, "close")])
                    }
                }
                return bytes
            }
            group.addTask {
                try await Task.sleep(for: Gate.bodyTime)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let bytes = first else {
                throw Refusal(408, "The request took too long to arrive.", [(.connection, "close")])
            }
            return bytes
        }
    }

    // MARK: out

    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    private func response(_ answer: Answer, to request: Request) -> Response {
        let isHead = request.method == .head
        var headers = HTTPFields()
        for (name, value) in answer.headers { headers.append(HTTPField(name: name, value: value)) }
        headers[.securityPolicy] = Gate.policy
        headers[.contentTypeOptions] = "nosniff"
        headers[.referrerPolicy] = "same-origin"
        headers[.openerPolicy] = "same-origin"
        let status = HTTPResponse.Status(code: answer.status)
        switch answer.body {
        case .bytes(let bytes):
            headers[.contentLength] = String(bytes.count)
            return Response(
                status: status,
                headers: headers,
                body: isHead ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            )
        case .stream(let write, let gone):
            guard !isHead else { return Response(status: status, headers: headers) }
            return Response(
                status: status,
                headers: headers,
                body: ResponseBody { writer in
                    // A reader who leaves says so on their side alone, and nothing might be written for long.
                    try await request.body.consumeWithInboundCloseHandler { _ in
                        try await write(&writer)
                    } onInboundClosed: {
                        gone()
                    }
                    try await writer.finish(nil)
                }
            )
        }
    }
}
