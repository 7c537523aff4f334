import Glibc
import JSONRPC
import Postgres
import PricingProtocol

/// How the daemon does, and where its database is.
struct StatusHandlers: Sendable {
    let identity: DaemonIdentity
    let database: Database
    let location: DatabaseLocation
    let intake: OrderIntake
    let feed: EventFeed

    var handlers: [String: Dispatcher.Handler] {
        ["server.status": { context async throws(PricingFailure) in try await status(context) }]
    }

    private func status(_ context: CallContext) async throws(PricingFailure) -> RPCReply {
        let (counts, version, schema) = try await database.run(context) { (session) throws(PostgresError) in
            (
                try session.one(DaemonStatements.counts), Int64(session.serverVersion),
                try session.one(DaemonStatements.schemaVersion)
            )
        }
        let pool = database.pool.status
        let reply: JSONObject = [
            "version": .string(DaemonIdentity.version),
            "instanceId": .string(identity.instanceID),
            "pid": .integer(Int64(getpid())),
            "uptimeSeconds": .integer((ContinuousClock.now - identity.started).components.seconds),
            "sandbox": .bool(identity.isSandbox),
            "database": [
                "kind": .string(location.isPrivate ? "private" : "configured"),
                "host": .string(location.host), "port": .integer(location.port), "name": .string(location.name),
                "user": .string(location.user),
                "version": .string("\(version / 10_000).\(version % 10_000)"), "schema": .integer(schema),
            ],
            "queues": [
                "orders": .integer(Int64(intake.waiting)), "database": .integer(Int64(pool.waiting)),
                "connectionsOpen": .integer(Int64(pool.open)), "connectionsBusy": .integer(Int64(pool.busy)),
                "subscriptions": .integer(Int64(feed.subscriptions)),
            ],
            "counts": (try? JSONParser.parse(counts)) ?? [:],
        ]
        return context.reply(Database.Answer(text: JSONText(reply), isReplayed: false, wouldChange: nil))
    }
}
