import Postgres
import Testing

/// A session that holds a lock, as somebody's psql might.
package struct HeldLock: Sendable {
    private let holder: Psql
    private let watcher: PostgresConnection
    private let pid: Int64

    /// Holds a product's stock row.
    package init(row product: Int64, in daemon: TestDaemon) async throws {
        try await self.init("select from inventory where product_id = \(product) for update", in: daemon)
    }

    /// Holds what a query locks.
    package init(_ query: String, as user: String? = nil, in daemon: TestDaemon) async throws {
        holder = try await daemon.psql(as: user)
        watcher = try await daemon.database()
        let lines = try await holder.run(
            "begin; select pg_backend_pid(); \(query)"
        )
        pid = try #require(lines.first.flatMap { Int64($0) })
    }

    /// How many sessions wait for it.
    package func waiters() async throws -> Int64 {
        try await watcher.run { [pid] (session) throws(PostgresError) in
            let waiting = Statement.int(
                "test_waiters",
                "select count(*) from pg_stat_activity where $1::int = any (pg_blocking_pids(pid))"
            )
            return try session.one(waiting, [.int(pid)])
        }
    }

    /// Asks until a session waits for it: an event, not a time.
    package func awaitWaiter() async throws {
        while try await waiters() == 0 {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Cancels what they do, as an administrator might.
    package func cancelWaiters() async throws {
        _ = try await watcher.run { [pid] (session) throws(PostgresError) in
            let cancel = Statement.int(
                "test_cancel_waiters",
                "select count(pg_cancel_backend(pid)) from pg_stat_activity where $1::int = any (pg_blocking_pids(pid))"
            )
            return try session.one(cancel, [.int(pid)])
        }
    }

    package func release() async throws {
        try await holder.run("commit")
        await watcher.close()
    }
}
