import Glibc
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

let sleeping = Statement.none("test_sleep", "select pg_sleep(30)")

/// Runs a test on a socket where a server should be: it accepts and says nothing.
func withSilentServer(_ body: (ConnectionSettings) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array("\(folder.path)/.s.PGSQL.5432".utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
    let bound = unsafe withUnsafePointer(to: &address) { address in
        unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            unsafe bind(listener, address, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    try #require(bound == 0 && listen(listener, 5) == 0)
    try await body(ConnectionSettings(keywords: ["host": folder.path]))
}
