import Foundation
import Postgres
import PricingTestSupport
import Synchronization
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer), .timeLimit(.minutes(5)))
struct ConnectionPoolTests {
    private let pid = Statement.int("pid", "select pg_backend_pid()")

    private func pool(_ database: TestDatabase, capacity: Int, maxWaiting: Int = 100) -> ConnectionPool {
        ConnectionPool(database.settings, capacity: capacity, maxWaiting: maxWaiting, logger: TestCluster.silence)
    }

    @Test
    func `Many callers share few connections, and closing drains`() async throws {
        try await withDatabase { database, _ in
            let pool = pool(database, capacity: 3)
            let pids = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 1...60 {
                    group.addTask { try await pool.run { session throws(PostgresError) in try session.one(pid) } }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect((1...3).contains(pids.count))
            #expect(pool.status.busy == 0)
            #expect(pool.status.idle == pids.count)
            await pool.close()
            #expect(pool.status.open == 0)
            let error = await #expect(throws: PostgresError.self) {
                try await pool.run { session throws(PostgresError) in try session.one(pid) }
            }
            #expect(error?.kind == .closed)
        }
    }

    @Test
    func `The queue of waiters is bounded`() async throws {
        try await withDatabase { database, _ in
            let pool = pool(database, capacity: 1, maxWaiting: 0)
            try await pool.withConnection { (_) async throws(PostgresError) in
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.run { session throws(PostgresError) in try session.one(pid) }
                }
                #expect(error?.kind == .poolExhausted)
            }
            await pool.close()
        }
    }

    @Test
    func `A connection that the server ended is replaced before the next caller sees it`() async throws {
        try await withDatabase { database, observer in
            let pool = pool(database, capacity: 1)
            let first = try await pool.run { session throws(PostgresError) in try session.one(pid) }
            try await terminate(Int32(truncatingIfNeeded: first), observer)
            let second = try await pool.run { session throws(PostgresError) in try session.one(pid) }
            #expect(second != first)
            #expect(pool.status.open == 1)
            await pool.close()
        }
    }

    @Test
    func `Cancelling the task cancels the statement, and the connection is not used again`() async throws {
        try await withDatabase { database, observer in
            let pool = pool(database, capacity: 1)
            let task = Task { try await pool.run { session throws(PostgresError) in _ = try session.run(sleeping) } }
            let old = try await awaitWaiting("PgSleep", observer)
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.kind == .cancelled)
            let new = try await pool.run { session throws(PostgresError) in try session.one(pid) }
            #expect(new != Int64(old))
            await pool.close()
        }
    }

    @Test
    func `A cancel reaches its own run only`() async throws {
        try await withDatabase { database, observer in
            let pool = pool(database, capacity: 1)
            let cancel = StatementCancel()
            let sleeper = Task {
                try await pool.run(cancel: cancel) { session throws(PostgresError) in _ = try session.run(sleeping) }
            }
            _ = try await awaitWaiting("PgSleep", observer)
            cancel.cancel()
            let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
            #expect(error?.kind == .cancelled)
            async let other = pool.run { session throws(PostgresError) in
                cancel.cancel()
                return try session.one(pid)
            }
            #expect(try await other > 0)
            await pool.close()
        }
    }

    @Test
    func `A run that was cancelled before it began is not begun`() async throws {
        try await withDatabase { database, _ in
            let pool = pool(database, capacity: 1)
            let cancel = StatementCancel()
            cancel.cancel()
            let error = await #expect(throws: PostgresError.self) {
                try await pool.run(cancel: cancel) { session throws(PostgresError) in try session.one(pid) }
            }
            #expect(error?.kind == .cancelled)
            #expect(pool.status.open == 0)
            await pool.close()
        }
    }

    @Test
    func `A waiter that is cancelled leaves the queue`() async throws {
        try await withDatabase { database, _ in
            let pool = pool(database, capacity: 1)
            try await pool.withConnection { (_) async throws(PostgresError) in
                for cancelsTask in [true, false] {
                    let cancel = StatementCancel()
                    let waiter = Task {
                        try await pool.run(cancel: cancel) { session throws(PostgresError) in try session.one(pid) }
                    }
                    while pool.status.waiting == 0 { await Task.yield() }
                    if cancelsTask { waiter.cancel() } else { cancel.cancel() }
                    let error = await #expect(throws: PostgresError.self) { try await waiter.value }
                    #expect(error?.kind == .cancelled)
                    #expect(pool.status.waiting == 0)
                }
            }
            await pool.close()
        }
    }

    @Test
    func `While the server is away calls fail at once, the patient wait, and a try tells when it is back`() async throws
    {
        let heard = Mutex(0)
        let folder = try TemporaryFolder()
        let link = folder.path + "/server"
        let settings = try await TestCluster.shared().settings
        let pool = ConnectionPool(
            settings.with("host", link),
            capacity: 2,
            logger: TestCluster.silence,
            onUnreachable: { heard.withLock { $0 += 1 } }
        )
        func fail() async {
            let error = await #expect(throws: PostgresError.self) {
                try await pool.run { session throws(PostgresError) in try session.one(pid) }
            }
            #expect(error?.kind == .connectionFailed)
        }
        await fail()
        #expect(heard.withLock { $0 } == 1)
        let took = await ContinuousClock().measure { await fail() }
        #expect(heard.withLock { $0 } == 1, "a call does not connect")
        #expect(took < .seconds(1), "and does not wait for one")
        #expect(pool.status.isServerDown)
        let patient = Task {
            try await pool.run(isPatient: true) { session throws(PostgresError) in try session.one(pid) }
        }
        while pool.status.waiting == 0 { await Task.yield() }
        let pause = try #require(await pool.tryAgain())
        #expect((.milliseconds(25)...(.milliseconds(50))).contains(pause))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: try #require(settings.host))
        #expect(await pool.tryAgain() == nil)
        #expect(try await patient.value > 0)
        #expect(!pool.status.isServerDown)
        await pool.close()
    }

    @Test
    func `A connect to a server that says nothing ends when its caller is cancelled, and says nothing of the server`()
        async throws
    {
        try await withSilentServer { silent in
            let pool = ConnectionPool(silent, capacity: 1, logger: TestCluster.silence)
            let caller = Task { try await pool.run { session throws(PostgresError) in try session.one(pid) } }
            while pool.status.opening == 0 { await Task.yield() }
            let took = await ContinuousClock().measure {
                caller.cancel()
                let error = await #expect(throws: PostgresError.self) { try await caller.value }
                #expect(error?.kind == .cancelled)
            }
            #expect(took < .milliseconds(2500), "not the whole connect timeout of 3 s")
            #expect(!pool.status.isServerDown)
            #expect(pool.status.opening == 0)
            await pool.close()
        }
    }
}
