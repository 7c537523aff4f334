import HTTPTypes
import JSON
import JSONRPC
import Markup
import PricingProtocol

/// The doors for programs: the line protocol's messages at `/rpc`, and a path for every method under `/api`.
struct APIDoors: Sendable {
    /// What belongs to one connection of the socket has no meaning here.
    static let connectionBound: Set = ["session.hello", "events.subscribe", "events.unsubscribe"]

    let site: Site

    func add(to routes: inout Routes) {
        routes.post("/rpc") { try await rpc($0) }
        routes.any("/api/{method}") { try await call($0) }
        routes.get("/healthz") { _ in .text("ok\n") }
        routes.get("/readyz") { _ in
            site.daemon.awaySince == nil ? .text("ready\n") : .text("the daemon does not answer\n", status: 503)
        }
    }

    // MARK: /api

    private func call(_ visit: Visit) async throws -> Answer {
        let name = visit.parameters.first ?? ""
        guard let method = AllMethods.byName[name], !APIDoors.connectionBound.contains(name) else {
            throw ErrorCode.methodNotFound.error(
                nil,
                ["method": .string(name), "didYouMean": .array(AllMethods.near(name).map { .string($0) })]
            )
        }
        let allowed = method.effect == .read ? ["GET", "POST"] : ["POST"]
        guard allowed.contains(visit.method) else {
            let reason = visit.method == "GET" ? "changes something: POST it" : "does not take \(visit.method)"
            throw Refusal(405, "\(name) \(reason).", [(.allow, allowed.joined(separator: ", "))])
        }
        var params = try visit.method == "GET" ? Typed.params(method, visit.query) : APIDoors.object(visit.body)
        var meta = params[CallMeta.member]?.object ?? [:]
        params[CallMeta.member] = nil
        if let key = visit.headers[.idempotencyKey] { meta["idempotencyKey"] = .string(key) }
        if let dryRun = visit.query["dryRun"] {
            // A misspelt one must not be the deed itself.
            guard ["true", "false"].contains(dryRun) else {
                throw RPCError.invalidRequest("dryRun is true or false.")
            }
            if dryRun == "true" { meta["dryRun"] = true }
        }
        return .json(try await site.daemon.call(name, params, login: visit.token, meta: meta))
    }

    /// The parameters in a body; none in an empty one.
    private static func object(_ body: [UInt8]) throws -> JSONObject {
        guard !body.isEmpty else { return [:] }
        do {
            guard let object = try JSONParser.parse(body).object else {
                throw RPCError.invalidRequest("The body is a JSON object of the method's parameters.")
            }
            return object
        } catch let error as JSONSyntaxError {
            throw RPCError.parseError(error)
        }
    }

    // MARK: /rpc

    private func rpc(_ visit: Visit) async throws -> Answer {
        let message = Message(line: visit.body)
        let replies: [[UInt8]]
        var isBatch = false
        switch message {
        case .batch(let messages):
            isBatch = true
            replies = try await all(messages, visit)
        default: replies = try await all([message], visit)
        }
        guard !replies.isEmpty else { return Answer(204, "application/json", []) }
        let body: [UInt8]
        if isBatch {
            body =
                [UInt8(ascii: "[")] + replies.map { $0.dropLast() }.joined(separator: [UInt8(ascii: ",")])
                + [UInt8(ascii: "]")]
        } else {
            body = replies.flatMap { $0.dropLast() }
        }
        return Answer(200, "application/json", body, [(.cacheControl, "no-store")])
    }

    private func all(_ messages: [Message], _ visit: Visit) async throws -> [[UInt8]] {
        try await withThrowingTaskGroup(of: (Int, [UInt8]?).self) { group in
            for (index, message) in messages.enumerated() {
                group.addTask { (index, await reply(message, visit)) }
            }
            var replies: [(Int, [UInt8])] = []
            for try await case let (index, line?) in group { replies.append((index, line)) }
            return replies.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func reply(_ message: Message, _ visit: Visit) async -> [UInt8]? {
        switch message {
        case .request(let request):
            do {
                let result = try await run(request.method, request.params, visit)
                return Envelope.result(request.id, JSONText(result))
            } catch {
                return Envelope.error(request.id, Failure.rpcError(error))
            }
        case .notification(let method, let params):
            _ = try? await run(method, params, visit)
            return nil
        case .malformed(let id, let error): return Envelope.error(id, error)
        case .batch, .response, .ignored: return nil
        }
    }

    private func run(_ method: String, _ params: JSONObject, _ visit: Visit) async throws -> JSONObject {
        guard !APIDoors.connectionBound.contains(method) else {
            throw ErrorCode.methodNotFound.error(
                "This belongs to a connection of the socket; events are at /api/events."
            )
        }
        let meta = params[CallMeta.member]?.object ?? [:]
        return try await site.daemon.call(method, params.removing(CallMeta.member), login: visit.token, meta: meta)
    }
}
