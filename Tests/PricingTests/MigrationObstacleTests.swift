import Postgres
import PricingTestSupport
import Testing

@testable import Pricing

/// What stands in a database already, and what a migration makes of it.
@Suite(.serialized, .enabled(if: TestCluster.isAvailable, needsServer))
struct MigrationObstacleTests {
    @Test func `a database that holds other tables is migrated beside them, and they stay as they were`() async throws {
        try await Shop.withEmptyDatabase { shop in
            try await shop.run(
                """
                create extension pgcrypto schema public;
                create table public.product (id integer primary key, label text);
                create table public.category (id integer primary key);
                create function public.fail(code text, message text, facts jsonb default '{}') returns void
                language sql as 'select';
                insert into public.product values (1, 'theirs'), (2, 'theirs too');
                insert into public.category values (7)
                """
            )
            let names =
                "select relname || ' ' || relnamespace from pg_class where relnamespace = 'public'::regnamespace"
            let before = try await shop.rows(names + " order by 1")
            _ = try await Migrator.migrate(shop.connection, wantsDemo: true, isSandbox: true)
            #expect(try await shop.rows(names + " order by 1") == before)
            #expect(try await shop.rows("select label from public.product order by id") == ["theirs", "theirs too"])
            #expect(try await shop.value("select count(*) from product") == "20")
            // pgcrypto is used where it was.
            #expect(
                try await shop.value(
                    #"select user_create('{"fullName": "A", "email": "a@b", "password": "correct horse"}') ->> 'email'"#
                ) == "a@b"
            )
            #expect(
                try await shop.value(
                    #"select user_authenticate('{"email": "a@b", "password": "correct horse"}') ->> 'role'"#
                ) == "customer"
            )
            #expect(try await shop.rows(Invariants.sql) == [])
            let second = try await Migrator.migrate(shop.connection)
            #expect(second.isEmpty)
        }
    }

    @Test func `what stands in the way is named, with what to do, and nothing is changed`() async throws {
        let cases: [(sql: String, object: String, hint: String)] = [
            ("create schema pricing create table mine (a integer)", "schema pricing", "rename it"),
            (
                "create schema pricing_code; create function pricing_code.mine() returns int language sql as 'select 1'",
                "schema pricing_code", "rename it"
            ),
            (
                "create table public.schema_script (number integer, name text, kind text, sha256 text)",
                "table public.schema_script", "Moving from an earlier build"
            ),
        ]
        for (sql, object, hint) in cases {
            try await Shop.withEmptyDatabase { shop in
                try await shop.run(sql)
                let count = "select count(*) from pg_class"
                let before = try await shop.value(count)
                let obstacles = await obstacles(shop)
                #expect(obstacles.map(\.object) == [object])
                #expect(obstacles.first?.hint.contains(hint) == true)
                #expect(try await shop.value(count) == before)
            }
        }
    }

    @Test func `a role that may not make schemas is told what to grant`() async throws {
        try await Shop.withEmptyDatabase { shop in
            try await shop.run("create role passer_by; set role passer_by")
            let obstacles = await obstacles(shop)
            #expect(obstacles.first?.object == "database \(shop.database.name)")
            #expect(obstacles.first?.hint.contains("grant create on database") == true)
            try await shop.run("reset role; drop role passer_by")
        }
    }

    @Test func `code is not dropped from under what others made of it`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            try await shop.run(
                """
                create schema theirs;
                create view theirs.clock as select pricing_now() as at;
                create table theirs.kept (at timestamptz default pricing_now())
                """
            )
            let obstacles = await obstacles(shop, changed())
            #expect(obstacles.count == 2)
            #expect(obstacles.contains { $0.object.contains("theirs.clock") })
            #expect(obstacles.contains { $0.object.contains("theirs.kept") })
            try await shop.run("drop schema theirs cascade")
            #expect(await self.obstacles(shop, changed()).isEmpty)
        }
    }

    @Test func `a table that is locked is waited for shortly, and the wait is told`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            let other = try await shop.another()
            let cancel = StatementCancel()
            let locking = Task {
                try await other.connection.run(cancel: cancel) { (session) throws(PostgresError) in
                    try session.script("begin; lock table pricing.inventory; select pg_sleep(20)")
                }
            }
            let isHeld =
                "select exists (select from pg_locks where relation = 'inventory'::regclass "
                + "and mode = 'AccessExclusiveLock' and granted)"
            while try await shop.value(isHeld) != "t" {}
            let obstacles = await obstacles(shop, changed())
            #expect(obstacles.first?.hint.contains("another session holds a lock") == true)
            cancel.cancel()
            _ = await locking.result
            await other.connection.close()
        }
    }

    @Test func `code is made anew under sessions that have prepared what it replaces`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection, wantsDemo: true, isSandbox: true)
            let other = try await shop.another()
            let price = Statement.bytes("price", "select price_get($1)::text")
            let ask = { () async throws(PostgresError) in
                try await other.connection.run { (session) throws(PostgresError) in
                    try session.one(price, [.json(Array(#"{"productIds": [1]}"#.utf8))])
                }
            }
            let before = try await ask()
            let plan = try await Migrator.migrate(shop.connection, scripts: changed())
            #expect(plan.steps == ["code"])
            #expect(try await ask() == before)
            try await other.run("update inventory set stock = stock - 1 where product_id = 1")
            #expect(try await shop.rows(Invariants.sql) == [])
            await other.connection.close()
        }
    }

    /// The scripts at hand, one of whose code files was edited.
    private func changed() -> [SQLScript] {
        SQLScript.embedded.compactMap { script in
            script.name == "types.sql" ? SQLScript(name: script.name, text: script.text + "-- edited\n") : script
        }
    }

    private func obstacles(
        _ shop: Shop,
        _ scripts: [SQLScript] = SQLScript.embedded
    ) async -> [MigrationPlan.Obstacle] {
        do throws(Migrator.Failure) {
            _ = try await Migrator.migrate(shop.connection, scripts: scripts)
            return []
        } catch .refused(.blocked(let obstacles)) {
            return obstacles
        } catch {
            Issue.record("\(error)")
            return []
        }
    }
}
