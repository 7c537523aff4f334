import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer), .timeLimit(.minutes(5)))
struct PipelineTests {
    private let put = Statement.int("put", "insert into t values ($1) returning n")
    private let count = Statement.int("count", "select count(*) from t")

    @Test
    func `A failing middle statement fails alone when each commits by itself`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int unique)")
                let results = session.pipeline([(put, [1]), (put, [1]), (put, [2])])
                #expect(results.count == 3)
                #expect(try results[0].get() == [1])
                #expect(throws: PostgresError.self) { try results[1].get() }
                #expect(try results[2].get() == [2])
                if case .failure(let error) = results[1] { #expect(error.sqlState == .uniqueViolation) }
                #expect(try session.one(count) == 2)
            }
        }
    }

    @Test
    func `With one Sync a failure anywhere undoes all, and no OK is passed on`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int unique)")
                #expect(try session.pipelineTransaction([(put, [1]), (put, [2])]) == [[1], [2]])
                let error = #expect(throws: PostgresError.self) {
                    try session.pipelineTransaction([(put, [3]), (put, [1]), (put, [4])])
                }
                #expect(error?.sqlState == .uniqueViolation)
                #expect(try session.one(count) == 2)
            }
        }
    }

    @Test
    func `A deferred constraint fails at the Sync, after its OK`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int unique deferrable initially deferred)")
                let results = session.pipeline([(put, [1]), (put, [1]), (put, [2])])
                #expect(throws: PostgresError.self) { try results[1].get() }
                #expect(try results[2].get() == [2])
                #expect(try session.one(count) == 2)
                let error = #expect(throws: PostgresError.self) {
                    try session.pipelineTransaction([(put, [5]), (put, [5])])
                }
                #expect(error?.sqlState == .uniqueViolation)
                #expect(try session.one(count) == 2)
            }
        }
    }

    @Test
    func `Ten thousand statements do not block either side`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                let echo = Statement.text("echo", "select $1 || repeat('x', 1000)")
                let results = session.pipeline((0..<10_000).map { (echo, [.text("\($0)")]) })
                #expect(results.count == 10_000)
                for (index, result) in results.enumerated() {
                    #expect(try result.get().first?.hasPrefix("\(index)x") == true)
                }
                #expect(session.pipeline([(Statement<Int64>, [Binding])]()).isEmpty)
            }
        }
    }

    @Test
    func `What was acknowledged before a loss stays acknowledged, the rest is unknown`() async throws {
        try await withDatabase { database, observer in
            try await observer.run { session throws(PostgresError) in try session.script("create table t (n int)") }
            let connection = try await PostgresConnection.open(database.settings, logger: TestCluster.silence)
            let slow = Statement.int("slow", "insert into t select $1 from pg_sleep($2) returning n")
            async let cut = connection.run { session throws(PostgresError) in
                session.pipeline([(slow, [1, 0]), (slow, [2, 30]), (slow, [3, 0])])
            }
            try await terminate(awaitWaiting("PgSleep", observer), observer)
            let results = try await cut
            #expect(try results[0].get() == [1])
            for result in results.dropFirst() {
                let error = #expect(throws: PostgresError.self) { try result.get() }
                #expect(error?.kind == .connectionLost)
                #expect(error?.outcomeUnknown == true)
            }
        }
    }
}
