import Glibc
import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer), .timeLimit(.minutes(5)))
struct LossTests {
    @Test
    func `A cancel from outside ends a statement, and its connection with it`() async throws {
        try await withDatabase { database, connection in
            let observer = try await PostgresConnection.open(database.settings, logger: TestCluster.silence)
            let cancel = StatementCancel()
            let sleeper = Task {
                try await connection.run(cancel: cancel) { session throws(PostgresError) in
                    _ = try session.run(sleeping)
                }
            }
            _ = try await awaitWaiting("PgSleep", observer)
            cancel.cancel()
            let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
            #expect(error?.kind == .cancelled)
            #expect(error?.sqlState == .queryCanceled)
            #expect(error?.statement == "test_sleep")
            #expect(!connection.isUsable)
            cancel.cancel()
        }
    }

    @Test
    func `statement_timeout is a timeout, not a cancel of ours`() async throws {
        try await withDatabase { _, connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run { session throws(PostgresError) in
                    try session.script("set statement_timeout = 10")
                    try session.run(sleeping)
                }
            }
            #expect(error?.kind == .timeout)
        }
    }

    @Test
    func `An autocommit statement cut off has an unknown outcome, one inside a transaction has not`() async throws {
        try await withDatabase { database, observer in
            for inTransaction in [false, true] {
                let connection = try await PostgresConnection.open(database.settings, logger: TestCluster.silence)
                let cut = Task {
                    try await connection.run { session throws(PostgresError) in
                        guard inTransaction else {
                            _ = try session.run(sleeping)
                            return
                        }
                        try session.transaction { session throws(PostgresError) in _ = try session.run(sleeping) }
                    }
                }
                try await terminate(awaitWaiting("PgSleep", observer), observer)
                let error = await #expect(throws: PostgresError.self) { try await cut.value }
                #expect(error?.kind == .connectionLost)
                #expect(error?.sqlState == .adminShutdown)
                #expect(error?.outcomeUnknown == !inTransaction)
                #expect(!connection.isUsable)
                let later = await #expect(throws: PostgresError.self) {
                    try await connection.run { session throws(PostgresError) in _ = try session.run(sleeping) }
                }
                #expect(later?.kind == .connectionLost)
                #expect(later?.outcomeUnknown == false, "nothing was sent")
            }
        }
    }

    @Test
    func `A connection lost during COMMIT has an unknown outcome`() async throws {
        try await withDatabase { database, observer in
            try await observer.run { session throws(PostgresError) in
                try session.script(
                    """
                    create table t (n int);
                    create function nap() returns trigger language plpgsql as
                        $$ begin perform pg_sleep(30); return null; end $$;
                    create constraint trigger nap after insert on t deferrable initially deferred
                        for each row execute function nap();
                    """
                )
            }
            let connection = try await PostgresConnection.open(database.settings, logger: TestCluster.silence)
            let cut = Task {
                try await connection.run { session throws(PostgresError) in
                    try session.transaction { session throws(PostgresError) in
                        _ = try session.run(.none("put", "insert into t values (1)"))
                    }
                }
            }
            try await terminate(awaitWaiting("PgSleep", observer), observer)
            let error = await #expect(throws: PostgresError.self) { try await cut.value }
            #expect(error?.kind == .connectionLost)
            #expect(error?.outcomeUnknown == true)
            #expect(error?.statement == "commit")
        }
    }

    @Test
    func `A cancelled call on a frozen server gives its connection up after the grace`() async throws {
        try await withDatabase { database, observer in
            let connection = try await PostgresConnection.open(database.settings, logger: TestCluster.silence)
            let cancel = StatementCancel()
            let call = Task {
                try await connection.run(cancel: cancel) { session throws(PostgresError) in
                    _ = try session.run(sleeping)
                }
            }
            let pid = try await awaitWaiting("PgSleep", observer)
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            cancel.cancel()
            let error = await #expect(throws: PostgresError.self) { try await call.value }
            #expect(error?.kind == .connectionLost)
            #expect(error?.outcomeUnknown == true)
        }
    }

    @Test
    func `A transaction left open by a closure does not reach the next`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int)")
                try session.script("begin; insert into t values (1)")
            }
            let count = try await connection.run { session throws(PostgresError) in
                try session.one(.int("count", "select count(*) from t"))
            }
            #expect(count == 0)
        }
    }
}
