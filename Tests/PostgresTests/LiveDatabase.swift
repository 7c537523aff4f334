import Postgres
import PricingTestSupport
import Testing

/// Runs a test on a connection to a database of its own, dropped afterwards.
func withDatabase(_ body: (TestDatabase, PostgresConnection) async throws -> Void) async throws {
    let database = try await TestCluster.shared().database()
    let connection = try await PostgresConnection.open(database.settings, logger: TestCluster.silence)
    do {
        try await body(database, connection)
    } catch {
        await connection.close()
        try await database.drop()
        throw error
    }
    await connection.close()
    try await database.drop()
}

/// Asks until somebody else's session in this database waits for something of this name: an event, not a time.
func awaitWaiting(_ event: String, _ observer: PostgresConnection) async throws -> Int32 {
    let waiting = Statement.int(
        "test_waiting",
        """
        select pid from pg_stat_activity where wait_event = $1 and datname = current_database() and state <> 'idle'
        """
    )
    while true {
        try Task.checkCancellation()
        let pid = try await observer.run { session throws(PostgresError) in
            try session.first(waiting, [.text(event)])
        }
        if let pid { return Int32(truncatingIfNeeded: pid) }
        await Task.yield()
    }
}

/// Ends a server process.
func terminate(_ pid: Int32, _ observer: PostgresConnection) async throws {
    try await observer.run { session throws(PostgresError) in
        // The second argument waits for its end.
        let statement = Statement.bool("test_terminate", "select pg_terminate_backend($1, 5000)")
        _ = try session.one(statement, [.int(Int64(pid))])
    }
}

let isLive = Comment(rawValue: "needs PostgreSQL's server programs")
let sleeping = Statement.none("test_sleep", "select pg_sleep(30)")
