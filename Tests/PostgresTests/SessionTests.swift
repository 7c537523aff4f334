import Glibc
import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct SessionTests {
    private struct Sample: Equatable {
        let int: Int64
        let text: String
        let flag: Bool
        let double: Double
        let json: [UInt8]
        let missing: String?
    }

    @Test
    func `Rows come back typed, parameters go out typed`() async throws {
        try await withDatabase { _, connection in
            let sample = Statement(
                "sample",
                "select $1::bigint, $2::text, $3::bool, 1.5::float8, $4::jsonb, $5::text, $6::int[], $7::text[]"
            ) { row throws(PostgresError) in
                #expect(row.columnCount == 8)
                #expect(try row.text(6) == "{1,2}")
                #expect(try row.text(7) == #"{a,"b\"\\,"}"#)
                #expect(try row.isNull(5))
                return Sample(
                    int: try row.int(0),
                    text: try row.text(1),
                    flag: try row.bool(2),
                    double: try row.double(3),
                    json: try row.bytes(4),
                    missing: try row.textIfPresent(5)
                )
            }
            let bindings: [Binding] = [
                .int(.max), "grüß\n'\"", true, .json(Array(#"{"a": 1}"#.utf8)), nil, .intArray([1, 2]),
                .textArray(["a", #"b"\,"#]),
            ]
            for _ in 1...2 {
                let value = try await connection.run { session throws(PostgresError) in
                    try session.one(sample, bindings)
                }
                #expect(
                    value
                        == Sample(
                            int: .max,
                            text: "grüß\n'\"",
                            flag: true,
                            double: 1.5,
                            json: Array(#"{"a": 1}"#.utf8),
                            missing: nil
                        )
                )
            }
        }
    }

    @Test
    func `A column of another form, null, or out of range is an error that shows no value`() async throws {
        try await withDatabase { _, connection in
            for (number, sql) in [
                "select 'secret' as price", "select null::int as price", "select 99999999999999999999 as price",
            ].enumerated() {
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.run { session throws(PostgresError) in
                        try session.one(.int("bad_\(number)", sql))
                    }
                }
                #expect(error?.kind == .decoding)
                #expect(error?.description.contains("secret") == false)
                #expect(error?.message.contains("price") == true)
            }
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run { session throws(PostgresError) in
                    try session.one(Statement("wide", "select 1") { row throws(PostgresError) in try row.int(1) })
                }
            }
            #expect(error?.kind == .decoding)
        }
    }

    @Test
    func `one, first, all and run count rows`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int); insert into t values (1), (2)")
                let rows = Statement.int("rows", "select n from t order by n")
                #expect(try session.all(rows) == [1, 2])
                #expect(try session.first(rows) == 1)
                #expect(throws: PostgresError.self) { try session.one(rows) }
                #expect(try session.run(.none("more", "update t set n = n + $1"), [1]) == 2)
                #expect(try session.run(.none("gone", "delete from t")) == 2)
                #expect(try session.first(rows) == nil)
            }
        }
    }

    @Test
    func `A violation names its constraint, its statement and its code, and the connection goes on`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int constraint t_n_positive check (n > 0))")
                let error = #expect(throws: PostgresError.self) {
                    try session.run(.none("put", "insert into t values ($1)"), [-1])
                }
                #expect(error?.kind == .server)
                #expect(error?.sqlState == "23514")
                #expect(error?.constraint == "t_n_positive")
                #expect(error?.statement == "put")
                #expect(error?.outcomeUnknown == false)
                #expect(error?.detail?.isEmpty == false)
                #expect(try session.one(.int("one", "select 1")) == 1)
            }
        }
    }

    @Test
    func `A transaction commits on return, rolls back on a throw, and a dry run always rolls back`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int)")
                let put = Statement.none("put", "insert into t values (1)")
                let count = Statement.int("count", "select count(*) from t")
                try session.transaction { session throws(PostgresError) in _ = try session.run(put) }
                #expect(try session.one(count) == 1)
                #expect(throws: PostgresError.self) {
                    try session.transaction { session throws(PostgresError) in
                        try session.run(put)
                        try session.script("select 1/0")
                    }
                }
                #expect(try session.one(count) == 1)
                let seen = try session.rollingBack { session throws(PostgresError) in
                    try session.run(put)
                    return try session.one(count)
                }
                #expect(seen == 2)
                #expect(try session.one(count) == 1)
                let refused = #expect(throws: PostgresError.self) {
                    try session.transaction(.snapshot) { session throws(PostgresError) in _ = try session.run(put) }
                }
                #expect(refused?.sqlState == .readOnlyTransaction)
            }
        }
    }

    @Test
    func `A swallowed failure inside a transaction is not a success`() async throws {
        try await withDatabase { _, connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run { session throws(PostgresError) in
                    try session.transaction { session throws(PostgresError) in
                        #expect(throws: PostgresError.self) { try session.script("select 1/0") }
                    }
                }
            }
            #expect(error?.kind == .transactionAborted)
        }
    }

    @Test
    func `A statement is prepared again after DEALLOCATE and after its row type changed`() async throws {
        try await withDatabase { _, connection in
            try await connection.run { session throws(PostgresError) in
                try session.script("create table t (n int); insert into t values (7)")
                let star = Statement("star", "select * from t") { row throws(PostgresError) in row.columnCount }
                #expect(try session.one(star) == 1)
                try session.script("deallocate all")
                #expect(try session.one(star) == 1)
                try session.script("alter table t add m int")
                #expect(try session.one(star) == 2)
            }
        }
    }

    @Test
    func `A session knows its server`() async throws {
        try await withDatabase { database, connection in
            try await connection.run { session throws(PostgresError) in
                #expect(session.serverVersion >= 150_000)
                #expect(session.settings.database == database.name)
                #expect(session.settings.user == "postgres")
            }
        }
    }

    @Test
    func `COPY in a script ends in an error, not in a wait`() async throws {
        try await withDatabase { _, connection in
            let error = await #expect(throws: PostgresError.self) {
                try await connection.run { session throws(PostgresError) in
                    try session.script("create table t (n int); copy t from stdin")
                }
            }
            #expect(error?.kind == .connectionLost)
        }
    }

    @Test
    func `A wrong address fails as connectionFailed, and the next host is tried`() async throws {
        let none = ConnectionSettings(keywords: ["host": "/no/such/folder"])
        let error = await #expect(throws: PostgresError.self) {
            try await PostgresConnection.open(none, logger: TestCluster.silence)
        }
        #expect(error?.kind == .connectionFailed)
        try await withDatabase { database, _ in
            let host = try #require(database.settings.host)
            let two = database.settings.with("host", "/no/such/folder,\(host)").with("port", "5432,5432")
            for wanted in ["read-write", "prefer-standby"] {
                let connection = try await PostgresConnection.open(
                    two.with("target_session_attrs", wanted),
                    logger: TestCluster.silence
                )
                #expect(try await connection.run { session throws(PostgresError) in session.settings.host } == host)
                await connection.close()
            }
        }
    }

    @Test
    func `A server that accepts and says nothing is given up at our own deadline`() async throws {
        try await withSilentServer { silent in
            let took = await ContinuousClock().measure {
                let error = await #expect(throws: PostgresError.self) {
                    try await PostgresConnection.open(
                        silent.with("connect_timeout", "1"),
                        logger: TestCluster.silence
                    )
                }
                #expect(error?.kind == .connectionFailed)
            }
            #expect(took >= .seconds(1))
        }
    }
}
