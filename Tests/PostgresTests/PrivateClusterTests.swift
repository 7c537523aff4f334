import Foundation
import Glibc
import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer), .serialized, .timeLimit(.minutes(5)))
struct PrivateClusterTests {
    private let postmaster = Statement.int(
        "postmaster",
        "select split_part(pg_read_file('postmaster.pid'), e'\\n', 1)::bigint"
    )

    private func cluster(_ path: String) throws -> PrivateCluster {
        try PrivateCluster(
            dataDirectory: path,
            serverSettings: TestCluster.quickSettings,
            logger: TestCluster.silence
        )
    }

    private func ask<Value>(_ settings: ConnectionSettings, _ statement: Statement<Value>) async throws -> Value {
        let connection = try await PostgresConnection.open(settings, logger: TestCluster.silence)
        let value = try await connection.run { session throws(PostgresError) in try session.one(statement) }
        await connection.close()
        return value
    }

    private func mode(_ path: String) -> mode_t {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? facts.st_mode & 0o7777 : 0
    }

    @Test
    func `The first start makes a cluster below a folder that only we may enter, without changing its mode`()
        async throws
    {
        let folder = try TemporaryFolder()
        let cluster = try cluster(folder.path + "/deep/data")
        let first = try await ContinuousClock().measure { _ = try await cluster.start() }
        #expect(first < .seconds(60))
        let again = try await cluster.start()
        #expect(try await ask(again, .text("tcp", "show listen_addresses")) == "")
        #expect(try await ask(again, .text("jit", "show jit")) == "off")
        #expect(try await ask(again, .text("sync", "show recovery_init_sync_method")) == "syncfs")
        #expect(try await ask(again, .text("checksums", "show data_checksums")) == "on")
        #expect(try await ask(again, .text("collation", "show lc_collate")) == "C.UTF-8")
        #expect(mode(folder.path) == 0o700)
        #expect(mode(folder.path + "/deep") == 0o700)
        #expect(mode(folder.path + "/deep/data") == 0o700)
        #expect(mode(folder.path + "/deep/data/run") == 0o700)
        await cluster.stop()
        #expect(unsafe access(folder.path + "/deep/data/cluster/postmaster.pid", F_OK) != 0)
        let second = try await ContinuousClock().measure { _ = try await cluster.start() }
        #expect(second < .seconds(20))
        print("private cluster: first start \(first), later start \(second)")
        await cluster.stop()
    }

    @Test
    func `A running server is adopted after its daemon is gone; a second daemon is refused with the first one's id`()
        async throws
    {
        let folder = try TemporaryFolder()
        let before: Int64
        do {
            let crashed = try cluster(folder.path + "/data")
            before = try await ask(crashed.start(), postmaster)
            let refused = await #expect(throws: PostgresError.self) {
                try await cluster(folder.path + "/data").start()
            }
            #expect(refused?.kind == .dataFolderInUse(holder: getpid()))
        }
        let next = try cluster(folder.path + "/data")
        let settings = try await startWhenFree(next)
        #expect(try await ask(settings, postmaster) == before)
        await next.stop()
    }

    /// A dropped cluster lets go of its folder when its last job has returned, a moment after us.
    private func startWhenFree(_ cluster: PrivateCluster) async throws -> ConnectionSettings {
        while true {
            do {
                return try await cluster.start()
            } catch {
                guard error.kind == .dataFolderInUse(holder: getpid()) else { throw error }
                await Task.yield()
            }
        }
    }

    @Test
    func `A killed server is recovered with its data, though processes of it still run`() async throws {
        let folder = try TemporaryFolder()
        let cluster = try cluster(folder.path + "/data")
        let settings = try await cluster.start()
        let connection = try await PostgresConnection.open(settings, logger: TestCluster.silence)
        let pid = try await connection.run { [postmaster] session throws(PostgresError) in
            try session.script("create table kept as select 42 as n")
            return try session.one(postmaster)
        }
        let observer = try await PostgresConnection.open(settings, logger: TestCluster.silence)
        // A process that is busy does not notice the death of its parent.
        let busy = Task {
            try await connection.run { session throws(PostgresError) in
                try session.script("do $$ begin loop end loop; end $$")
            }
        }
        let working = Statement.int(
            "working",
            "select count(*) from pg_stat_activity where query like 'do %' and state = 'active'"
        )
        while try await observer.run({ session throws(PostgresError) in try session.one(working) }) == 0 {}
        kill(pid_t(pid), SIGKILL)
        let took = try await ContinuousClock().measure { _ = try await cluster.start() }
        #expect(took < .seconds(20))
        print("private cluster: recovered after kill -9 in \(took)")
        #expect(try await ask(settings, .int("kept", "select n from kept")) == 42)
        let error = await #expect(throws: PostgresError.self) { try await busy.value }
        #expect(error?.kind == .connectionLost)
        await cluster.stop()
    }

    /// As systemd does with what a user's processes share, once the user's service or last session has ended.
    @Test
    func `A server whose shared memory was removed is started anew with its data`() async throws {
        let folder = try TemporaryFolder()
        let cluster = try cluster(folder.path + "/data")
        let settings = try await cluster.start()
        let connection = try await PostgresConnection.open(settings, logger: TestCluster.silence)
        let pid = try await connection.run { session throws(PostgresError) in
            try session.script("create table kept as select 42 as n")
            // Statistics of so many tables need more than what every server has from its start.
            try session.script(
                "do $$ begin for n in 1..2000 loop execute 'create table t' || n || '()'; end loop; end $$"
            )
            return try session.one(Statement.int("backend", "select pg_backend_pid()"))
        }
        let maps = try String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8)
        let shared = Set(maps.matches(of: /\/dev\/shm\/PostgreSQL\.[0-9]+/).map { String($0.output) })
        #expect(!shared.isEmpty && shared.allSatisfy { unsafe unlink($0) == 0 })
        _ = try await cluster.start()
        #expect(try await ask(settings, .int("kept", "select n from kept")) == 42)
        await connection.close()
        await cluster.stop()
    }

    @Test
    func `The server survives a crashed process, a reload, a vacuum and parallel work by way of its open folder`()
        async throws
    {
        let folder = try TemporaryFolder()
        let cluster = try cluster(folder.path + "/data")
        let settings = try await cluster.start()
        let connection = try await PostgresConnection.open(settings, logger: TestCluster.silence)
        let backend = try await connection.run { session throws(PostgresError) in
            try session.script(
                "create table big as select n from generate_series(1, 200000) n; select pg_reload_conf()"
            )
            try session.script("vacuum (parallel 2, analyze) big")
            // The name of this setting changed in version 16.
            try session.script(
                "set \(session.serverVersion < 160_000 ? "force_parallel_mode" : "debug_parallel_query") = on"
            )
            #expect(try session.one(.int("big", "select count(*) from big")) == 200_000)
            return Int32(try session.one(.int("pid", "select pg_backend_pid()")))
        }
        kill(backend, SIGKILL)
        let pool = ConnectionPool(settings, capacity: 1, logger: TestCluster.silence)
        var count: Int64?
        while count == nil {
            count = try? await pool.run { session throws(PostgresError) in
                try session.one(.int("count", "select count(*) from big"))
            }
            if count == nil { _ = await pool.tryAgain() }
        }
        #expect(count == 200_000)
        await pool.close()
        await cluster.stop()
    }

    @Test
    func `A path too long for a socket address is reached all the same`() async throws {
        let folder = try TemporaryFolder()
        let long = String(repeating: "long/", count: 25)
        let cluster = try cluster(folder.path + "/" + long + "data")
        let settings = try await cluster.start()
        #expect(try await ask(settings, .int("one", "select 1")) == 1)
        await cluster.stop()
    }

    @Test
    func `Roles and database are made once; neither role is a superuser and the runtime role owns nothing`()
        async throws
    {
        let folder = try TemporaryFolder()
        let cluster = try cluster(folder.path + "/data")
        let logins = try await cluster.prepare(
            database: "shop",
            owner: "shop_owner",
            runtime: "shop_runtime",
            searchPath: "public"
        )
        #expect(
            try await cluster.prepare(
                database: "shop",
                owner: "shop_owner",
                runtime: "shop_runtime",
                searchPath: "public"
            ) == logins
        )
        let isSuper = Statement.bool(
            "super",
            "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
        )
        #expect(try await ask(logins.owner, isSuper) == false)
        #expect(try await ask(logins.runtime, isSuper) == false)
        #expect(
            try await ask(logins.owner, .text("who", "select current_user || '@' || current_database()"))
                == "shop_owner@shop"
        )
        _ = try await ask(logins.owner, .int("make", "with x as (select 1 as n) select n from x"))
        let refused = await #expect(throws: PostgresError.self) {
            try await ask(logins.runtime, .none("ddl", "create table mine (n int)"))
        }
        #expect(refused?.sqlState == "42501")
        await cluster.stop()
    }
}
