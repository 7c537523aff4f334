import Postgres
import Pricing
import PricingTestSupport
import Testing

/// Every function is read whole: bodies are unchecked when they are made, since code comes in any order.
@Suite(
    .enabled(if: TestCluster.isAvailable, needsServer),
    .enabled("needs the server's extension plpgsql_check", isCheckerThere)
)
struct CheckedFunctionTests {
    /// The functions in PL/pgSQL, a trigger's once for each table that it stands on.
    private static let functions = """
        from pg_proc f join pg_language l on l.oid = f.prolang and l.lanname = 'plpgsql'
        left join pg_trigger t on t.tgfoid = f.oid and t.tgparentid = 0
        where f.pronamespace in ('pricing'::regnamespace, 'pricing_code'::regnamespace)
        """

    /// Errors, and dynamic statements that put a text into SQL without quoting it.
    private static let findings = """
        select concat_ws(' ', function, nullif(c.lineno, 0), c.level || ':', c.message)
        from (select f.oid, f.oid::regprocedure as function, coalesce(t.tgrelid, 0::oid) as relation \(functions)) f,
        lateral public.plpgsql_check_function_tb(
            f.oid, f.relation::regclass, fatal_errors => false, other_warnings => false, extra_warnings => false,
            performance_warnings => false, security_warnings => true) c
        order by 1
        """

    /// PostgreSQL's own judgement of a function in SQL; it ends in an error at the first one that is wrong.
    private static let judgement = """
        select count(fmgr_sql_validator(f.oid)::text)
        from pg_proc f join pg_language l on l.oid = f.prolang and l.lanname = 'sql'
        where f.pronamespace in ('pricing'::regnamespace, 'pricing_code'::regnamespace)
        """

    private func withChecker(_ body: (Shop) async throws -> Void) async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            try await shop.run("create extension plpgsql_check schema public")
            try await body(shop)
        }
    }

    @Test func `every function names what is there, and quotes what it puts into SQL`() async throws {
        try await withChecker { shop in
            let count = try #require(Int(try await shop.value("select count(*) \(Self.functions)")))
            #expect(count > 150)
            #expect(try await shop.rows(Self.findings) == [])
            #expect(try #require(Int(try await shop.value(Self.judgement))) > 100)
        }
    }

    @Test func `a column that is not there, an untyped parameter and an unquoted text are found`() async throws {
        try await withChecker { shop in
            try await shop.run(
                """
                create function pricing_code.wrong_column(id bigint) returns integer language plpgsql as $$
                begin return (select stok from inventory where product_id = id); end $$;
                create function pricing_code.untyped(r record) returns integer language plpgsql as $$
                begin return r.stock; end $$;
                create function pricing_code.unquoted(name text) returns void language plpgsql as $$
                begin execute 'drop table ' || name; end $$;
                create function pricing_code.tg_wrong() returns trigger language plpgsql as $$
                begin new.titel := ''; return new; end $$;
                create trigger wrong before update on product for each row execute function pricing_code.tg_wrong();
                """
            )
            let found = try await shop.rows(Self.findings)
            for (function, level, word) in [
                ("wrong_column(bigint)", "error:", "stok"), ("untyped(record)", "error:", "not assigned"),
                ("unquoted(text)", "security:", "not sanitized"), ("tg_wrong()", "error:", "titel"),
            ] {
                #expect(found.contains { $0.hasPrefix(function) && $0.contains(level) && $0.contains(word) })
            }
            #expect(found.count == 4)
            try await shop.run(
                """
                set local check_function_bodies = off;
                create function pricing_code.wrong_query() returns integer language sql as 'select stok from inventory'
                """
            )
            #expect(await shop.refusal(Self.judgement)?.message.contains("stok") == true)
        }
    }
}

/// Whether the tests' server has plpgsql_check, or must have it.
private func isCheckerThere() async throws -> Bool {
    if TestCluster.isRequired { return true }
    var names: [String] = []
    try await Shop.withEmptyDatabase { shop in
        names = try await shop.rows("select name from pg_available_extensions where name = 'plpgsql_check'")
    }
    return !names.isEmpty
}
