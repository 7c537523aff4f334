import Postgres
import Pricing
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct MigratorTests {
    @Test
    func `The first run applies everything, the second nothing`() async throws {
        try await Shop.withEmptyDatabase { shop in
            let first = try await Migrator.migrate(shop.connection)
            #expect(first.isFirst && !first.isEmpty)
            let before = try await snapshot(shop)
            let second = try await Migrator.migrate(shop.connection)
            #expect(second.isEmpty && !second.isFirst)
            #expect(try await snapshot(shop) == before)
        }
    }

    @Test
    func `Twenty at once: one applies, the others find it done, none fails`() async throws {
        for _ in 0..<(effort == 1 ? 1 : 20) { try await migrateAtOnce() }
    }

    private func migrateAtOnce() async throws {
        try await Shop.withEmptyDatabase { shop in
            let plans = try await withThrowingTaskGroup(of: MigrationPlan.self) { group in
                for _ in 0..<20 {
                    let one = try await shop.another()
                    group.addTask {
                        let plan = try await Migrator.migrate(one.connection, wantsDemo: true)
                        await one.connection.close()
                        return plan
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(plans.filter(\.isFirst).count == 1)
            #expect(plans.filter(\.isEmpty).count == 19)
            #expect(try await shop.value("select count(*) from product") == "20")
        }
    }

    @Test
    func `A once script that was edited is refused and nothing is changed`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            let before = try await snapshot(shop)
            let scripts = SQLScript.embedded.compactMap { script in
                script.name == "01_create_tables.sql"
                    ? SQLScript(name: script.name, text: script.text + "-- edited\n") : script
            }
            let refusal = await refused(shop, scripts)
            #expect(refusal == .edited("01_create_tables.sql"))
            #expect(try await snapshot(shop) == before)
        }
    }

    @Test
    func `A database ahead of the binary is refused and nothing is changed`() async throws {
        try await Shop.withEmptyDatabase { shop in
            let later = try #require(SQLScript(name: "98_later.sql", text: "--! once\ncreate table later (n integer);"))
            _ = try await Migrator.migrate(shop.connection, scripts: SQLScript.embedded + [later])
            let before = try await snapshot(shop)
            let refusal = await refused(shop, SQLScript.embedded)
            #expect(refusal == .ahead("98_later.sql"))
            #expect(try await snapshot(shop) == before)
        }
    }

    @Test
    func `A dry run plans the same and leaves nothing behind`() async throws {
        try await Shop.withEmptyDatabase { shop in
            let dry = try await Migrator.migrate(shop.connection, wantsDemo: true, isSandbox: true, isDryRun: true)
            #expect(
                try await shop.value("select count(*) from pg_class where relnamespace = to_regnamespace('pricing')")
                    == "0"
            )
            let real = try await Migrator.migrate(shop.connection, wantsDemo: true, isSandbox: true)
            #expect(dry == real)
        }
    }

    @Test
    func `A script that fails takes the whole migration with it`() async throws {
        try await Shop.withEmptyDatabase { shop in
            let bad = try #require(SQLScript(name: "98_bad.sql", text: "--! once\nselect no_such_function();"))
            await #expect(throws: Migrator.Failure.self) {
                try await Migrator.migrate(shop.connection, scripts: SQLScript.embedded + [bad])
            }
            #expect(
                try await shop.value("select count(*) from pg_class where relnamespace = to_regnamespace('pricing')")
                    == "0"
            )
        }
    }

    @Test
    func `Only a database made as a sandbox is one, and demo rows may follow later`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            _ = try await Migrator.migrate(shop.connection, wantsDemo: true, isSandbox: true)
            #expect(try await shop.value("select is_sandbox()") == "f")
            #expect(try await shop.value("select count(*) from product") == "20")
            #expect(
                await shop.refusal(#"select clock_set('{"at": "2030-01-01T00:00:00Z"}')"#)?.sqlState?.code == "PR502"
            )
            #expect(await shop.refusal("insert into virtual_clock (at) values ('2030-01-01')") != nil)
        }
    }

    /// Every relation and function with its oid, and the ledger: what a needless migration would disturb.
    private func snapshot(_ shop: Shop) async throws -> [String] {
        try await shop.rows(
            """
            select concat_ws(' ', oid, xmin, relname) from pg_class where relnamespace = 'pricing'::regnamespace
                and relkind in ('r', 'i')
            union all select concat_ws(' ', oid, xmin, proname) from pg_proc where pronamespace = 'pricing_code'::regnamespace
            union all select s::text from schema_script s
            order by 1
            """
        )
    }

    private func refused(_ shop: Shop, _ scripts: [SQLScript]) async -> MigrationPlan.Refusal? {
        do throws(Migrator.Failure) {
            _ = try await Migrator.migrate(shop.connection, scripts: scripts)
            return nil
        } catch .refused(let refusal) {
            return refusal
        } catch {
            return nil
        }
    }
}
