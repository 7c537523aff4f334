import JSON
import Postgres
import PricingProtocol
import RPCTransport
import Synchronization

/// For operators: the list of running calls, the drain, and completion of parameters.
struct OperationHandlers: Sendable {
    let database: Database
    let feed: EventFeed
    /// The server, once it is made: it knows the calls that run.
    let server: ServerSlot

    var handlers: [String: Dispatcher.Handler] {
        [
            "server.requests": { context throws(PricingFailure) in requests(context) },
            "server.cancel": { context throws(PricingFailure) in cancel(context) },
            "server.drain": { context async throws(PricingFailure) in await drain(context) },
            "server.complete": { context async throws(PricingFailure) in try await complete(context) },
        ]
    }

    private func requests(_ context: CallContext) -> Answer {
        let calls = server.server?.calls ?? []
        let items = calls.filter { $0 !== context.call }.map { call -> JSONValue in
            [
                "request": .integer(call.number), "method": .string(call.method),
                "elapsedMs": .integer((ContinuousClock.now - call.received).milliseconds),
                "peer": [
                    "uid": .integer(Int64(call.peer.uid)), "pid": .integer(Int64(call.peer.pid)),
                    "connection": .integer(Int64(call.connection.number)),
                ],
                "actor": call.params[CallMeta.member]?["actor"] ?? .null,
            ]
        }
        return Answer(ofDaemon: ["items": .array(items)])
    }

    private func cancel(_ context: CallContext) -> Answer {
        let call = server.server?.calls.first { $0.number == context.params["request"]?.integer }
        call?.cancellation.cancel()
        return Answer(ofDaemon: ["cancelled": .bool(call != nil)])
    }

    private func drain(_ context: CallContext) async -> Answer {
        guard let server = server.server else { return Answer(ofDaemon: ["completed": 0, "cancelled": 0]) }
        let timeout = context.params["timeoutMs"]?.integer ?? CallDefault.drainMs
        let outcome = await server.drain(until: .now + .milliseconds(timeout), sparing: context.call)
        return Answer(
            ofDaemon: [
                "completed": .integer(Int64(outcome.completed)), "cancelled": .integer(Int64(outcome.cancelled)),
            ],
            afterReply: {
                feed.endAll { server.shutdown() }
            }
        )
    }

    /// Live values for one parameter of a method.
    private func complete(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let params = context.params
        let field = params["method"]?.string.flatMap { AllMethods.byName[$0] }?.parameters.fields
            .first { $0.name == params["param"]?.string }
        let prefix = params["prefix"]?.string ?? ""
        let limit = params["limit"]?.integer ?? CallDefault.completions
        guard let field else { return Answer(ofDaemon: ["values": []]) }
        if let fixed = field.schema.choices {
            let values = fixed.filter { $0.hasPrefix(prefix) }.prefix(Int(limit))
            return Answer(ofDaemon: ["values": .array(values.map { ["value": .string($0), "label": .string($0)] })])
        }
        guard let kind = field.completes else { return Answer(ofDaemon: ["values": []]) }
        if kind == "report" {
            let reports = Report.all.filter { $0.name.hasPrefix(prefix) }.prefix(Int(limit))
            return Answer(ofDaemon: [
                "values": .array(reports.map { ["value": .string($0.name), "label": .string($0.title)] })
            ])
        }
        let text = try await database.run(context) { (session) throws(PostgresError) in
            try session.one(DaemonStatements.complete, [.text(kind), .text(prefix), .int(limit)])
        }
        return Answer(ofDaemon: ["values": (try? JSONParser.parse(text)) ?? []])
    }
}

/// Holds the server for handlers, which are made before it.
final class ServerSlot: Sendable {
    private let slot = Mutex<RPCServer?>(nil)

    var server: RPCServer? { slot.withLock { $0 } }

    func fill(_ server: RPCServer) {
        slot.withLock { $0 = server }
    }
}

extension Schema {
    /// The values of a choice, or of a list of choices.
    fileprivate var choices: [String]? {
        switch self {
        case .choice(let values): values
        case .list(let element, _), .nullable(let element): element.choices
        case .boolean: ["true", "false"]
        default: nil
        }
    }
}
