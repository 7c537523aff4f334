import JSON
import JSONRPC
import Postgres
import PricingProtocol
import RPCTransport

/// Subscriptions to events. Each belongs to a connection and ends with it.
struct EventHandlers: Sendable {
    let database: Database
    let feed: EventFeed
    let logins: LoginKeeper

    var handlers: [String: Dispatcher.Handler] {
        [
            "events.subscribe": { context async throws(PricingFailure) in try await subscribe(context) },
            "events.list": { context async throws(PricingFailure) in try await list(context) },
            "events.unsubscribe": { context async throws(PricingFailure) in
                let id = context.params["subscription"]?.string ?? ""
                guard await feed.end(id, of: context.call.connection) else {
                    throw .refused(.subscriptionNotFound, message: nil, facts: ["subscription": .string(id)])
                }
                return Answer(ofDaemon: [:])
            },
        ]
    }

    /// The parameters with the topics that the caller may follow, all of them where none is given.
    private static func permitted(_ params: JSONObject, _ caller: Caller) throws(PricingFailure) -> JSONObject {
        guard !caller.audience.isStaff else { return params }
        var params = params
        let open = Events.topics(for: caller.audience)
        let asked = params["topics"]?.array?.compactMap(\.string) ?? open
        guard asked.allSatisfy(open.contains) else {
            throw .refused(
                .permissionDenied,
                message: nil,
                facts: ["needRole": .string(Role.viewer.rawValue), "haveRole": .string(caller.audience.rawValue)]
            )
        }
        params["topics"] = .array(asked.map { .string($0) })
        return params
    }

    private func list(_ context: CallContext) async throws(PricingFailure) -> Answer {
        var params = try Self.permitted(context.params, context.caller)
        if let customer = context.caller.customer { params["owner"] = .integer(customer) }
        return try await database.read(context.with(params))
    }

    private func subscribe(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let params = try Self.permitted(try await database.resolvedParams(context), context.caller)
        let connection = context.call.connection
        let moment = params["fromTime"]?.string
        let (end, before) = try await database.run(context) { (session) throws(PostgresError) in
            let end = try EventFeed.currentPosition(session)
            return (
                end,
                try moment.map { (text) throws(PostgresError) in
                    try session.one(DaemonStatements.numberBefore, [.text(text)])
                }
            )
        }
        let asked = params["from"]?.integer ?? before ?? end
        let ids = params["productIds"]?.array?.compactMap(\.integer)
        let subscription = Subscription(
            id: feed.newID(on: connection),
            audience: EventAudience(context.caller),
            topics: (params["topics"]?.array?.compactMap(\.string)).map { Set($0) },
            productIds: ids.map { Set($0) },
            orderId: params["orderId"]?.integer,
            overflow: params["overflow"]?.string.flatMap { Subscription.Overflow(rawValue: $0) } ?? .gap,
            position: min(end, asked),
            limits: connection.limits
        )
        var reply: JSONObject = [
            "subscription": .string(subscription.id), "sequence": .integer(subscription.position),
        ]
        if params["snapshot"]?.bool == true {
            let filter: Binding = params["productIds"].map { .json($0.serialized()) } ?? .null
            let text = try await database.run(context) { (session) throws(PostgresError) in
                try session.one(DaemonStatements.snapshot, [filter])
            }
            reply["snapshot"] = (try? JSONParser.parse(text)) ?? []
        }
        return Answer(ofDaemon: reply) {
            feed.begin(subscription, on: connection, asked: asked)
            if subscription.audience.login != nil { logins.kick() }
        }
    }
}
