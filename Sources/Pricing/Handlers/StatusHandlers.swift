import Glibc
import JSON
import Postgres
import PricingProtocol

/// The daemon's state, and where its database is.
struct StatusHandlers: Sendable {
    let identity: DaemonIdentity
    let database: Database
    /// Whether the database is a cluster of our own.
    let isPrivate: Bool
    let intake: OrderIntake
    let feed: EventFeed

    var handlers: [String: Dispatcher.Handler] {
        ["server.status": { context async throws(PricingFailure) in try await status(context) }]
    }

    private func status(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let (counts, automation) = try await database.run(context) { (session) throws(PostgresError) in
            (try session.one(DaemonStatements.counts), try session.one(DaemonStatements.automation))
        }
        let (version, schema, place) = try await database.run(context) { (session) throws(PostgresError) in
            (Int64(session.serverVersion), try session.one(DaemonStatements.schemaVersion), session.settings)
        }
        let pool = database.pool.status
        var reply: JSONObject = [
            "version": .string(DaemonIdentity.version),
            "instanceId": .string(identity.instanceID),
            "pid": .integer(Int64(getpid())),
            "uptimeSeconds": .integer((ContinuousClock.now - identity.started).components.seconds),
            "sandbox": .bool(identity.isSandbox),
            "database": [
                "kind": .string(isPrivate ? "private" : "configured"),
                "host": .string(place.host ?? ""), "port": .integer(Int64(place.port ?? "") ?? 5432),
                "name": .string(place.database ?? ""), "user": .string(place.user ?? ""),
                "version": .string("\(version / 10_000).\(version % 10_000)"), "schema": .integer(schema),
            ],
            "queues": [
                "orders": .integer(Int64(intake.waiting)), "database": .integer(Int64(pool.waiting)),
                "connectionsOpen": .integer(Int64(pool.open)), "connectionsBusy": .integer(Int64(pool.busy)),
                "subscriptions": .integer(Int64(feed.subscriptions)),
                "slowSubscriptions": .integer(Int64(feed.slowSubscriptions)),
            ],
            "automation": (try? JSONParser.parse(automation)) ?? [:],
            "counts": (try? JSONParser.parse(counts)) ?? [:],
        ]
        reply["reports"] = database.standby.map { .object($0.figures.json) }
        return Answer(text: JSONText(reply))
    }
}
