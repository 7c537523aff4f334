import Postgres
import Pricing
import PricingProtocol
import PricingTestSupport
import Testing

/// The rows of `strategy`: they come with the code, and nothing else says what they say.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct StrategyTableTests {
    @Test
    func `The protocol's strategies are the table's, and the functions that price see its rows`() async throws {
        try await Shop.with { shop in
            let names = try await shop.rows("select name from strategy order by name")
            #expect(names == Strategies.names.sorted())
            #expect(
                try await shop.rows("select name from strategy s where strategy_facts(name) is distinct from s") == []
            )
            #expect(try await shop.value("select strategy_facts('none') is null") == "t")
        }
    }

    @Test
    func `Each has a target of its own kind, and an active rule of its name`() async throws {
        try await Shop.with { shop in
            let untargeted = try await shop.rows(
                """
                select name from strategy
                where case when basis = 'demand'
                           then strategy_target(name, 9, 100, 40, 0, 2, 1, 30, 30, true, 0.01, 5) is null
                                or strategy_target(name, 9, 100, null, 0, 2, 1, 30, 30, false, 0, 0) is null
                           else level_target(name, 100, 0.1, 0.1, 0::smallint) is null end
                """
            )
            #expect(untargeted == [])
            let ruled = try await shop.rows(
                "select strategy from rule where name = strategy and version = 1 and status = 'active' order by 1"
            )
            #expect(ruled == Strategies.names.sorted())
        }
    }

    @Test
    func `An older shop gets new strategies and facts with the code, and keeps a rule that has the name`() async throws
    {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            let whole = "select concat_ws(' ', s) from strategy s order by name"
            let before = try await shop.rows(whole)
            // As if an earlier version had known neither strategy, and the shop had a rule of one's name.
            try await shop.run(
                """
                set session_replication_role = replica;
                delete from rule where name in ('markdown', 'cover');
                delete from strategy where name in ('markdown', 'cover');
                update strategy set learns = false, summary = 'as it was' where name = 'learn';
                insert into rule (name, version, strategy, status) values ('cover', 1, 'bands', 'retired');
                reset session_replication_role;
                update schema_script set sha256 = 'of an earlier version' where name = 'code';
                """
            )
            let plan = try await Migrator.migrate(shop.connection)
            #expect(plan.steps == ["code"])
            #expect(try await shop.rows(whole) == before)
            #expect(
                try await shop.rows(
                    "select concat_ws(' ', name, strategy, status) from rule where name in ('cover', 'markdown') order by 1"
                ) == ["cover bands retired", "markdown markdown active"]
            )
        }
    }

    @Test
    func `By hand the table does not change, and a rule needs a strategy that it names`() async throws {
        try await Shop.with { shop in
            for sql in [
                "insert into strategy select 'mine', summary, basis, learns, awaits_goods, charges_scarcity, may_never_rise"
                    + " from strategy where name = 'bands'",
                "update strategy set learns = true where name = 'deadline'", "delete from strategy",
                "truncate strategy cascade",
            ] {
                #expect(await shop.refusal(sql)?.sqlState?.code == "PR903", "\(sql)")
            }
            let unknown = await shop.refusal("insert into rule (name, version, strategy) values ('a', 1, 'magic')")
            #expect(unknown?.constraint == "rule_strategy_fkey")
        }
    }

    @Test
    func `A rule that never raises its price is for the strategies that allow it`() async throws {
        try await Shop.with { shop in
            for strategy in Strategies.names {
                let call = """
                    select rule_create('{"name": "a", "strategy": "\(strategy)", "parameters": {"neverUp": true}}')
                    """
                guard strategy != "markdown" else {
                    try await shop.run(call)
                    continue
                }
                let refusal = await shop.refusal(call)
                #expect(refusal?.sqlState?.code == "PR602", "\(strategy)")
                #expect(refusal?.message == "/parameters/neverUp: neverUp is for the strategy markdown.")
                #expect(refusal?.detail?.contains(#""path": "/parameters/neverUp""#) == true)
            }
        }
    }
}
