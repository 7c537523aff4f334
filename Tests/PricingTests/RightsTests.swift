import Foundation
import Pricing
import PricingTestSupport
import Testing

/// Every right of the role that the daemon serves as, so that one more is read in a review as one line.
@Suite(.serialized, .enabled(if: TestCluster.isAvailable, needsServer))
struct RightsTests {
    private static let snapshot = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "rights.txt")

    private static let rights = """
        with kinds (kind, privileges) as (values
            ('table', array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']),
            ('column', array['update']), ('sequence', array['usage', 'select', 'update'])
        ), relation as (
            select c.*, n.nspname || '.' || relname as full_name from pg_class c join pg_namespace n on n.oid = relnamespace
            where nspname in ('pricing', 'pricing_code') and relkind in ('r', 'p', 'v', 'm', 'S')
        ), line (place, text) as (
            select 1, 'role: ' || concat_ws(', ', case when rolsuper then 'superuser' end,
                case when rolcreaterole then 'makes roles' end, case when rolcreatedb then 'makes databases' end,
                case when rolreplication then 'replicates' end, case when rolbypassrls then 'bypasses policies' end,
                'owns ' || (select count(*) from pg_shdepend where refobjid = r.oid and deptype = 'o'),
                'in ' || (select count(*) from pg_auth_members where member = r.oid) || ' roles')
            from pg_roles r where rolname = 'pricingd'
            union all
            select 2, format('schema %s: %s', nspname, (
                select string_agg(p, ', ') from unnest(array['usage', 'create']) p
                where has_schema_privilege('pricingd', n.oid, p)))
            from pg_namespace n where nspname in ('pricing', 'pricing_code')
            union all
            select 3, format('%s %s: %s', kind, full_name, (
                select string_agg(p, ', ' order by n) from unnest(privileges) with ordinality as u (p, n)
                where case when kind = 'sequence' then has_sequence_privilege('pricingd', c.oid, p)
                           else has_table_privilege('pricingd', c.oid, p) end))
            from relation c join kinds on kind = case relkind when 'S' then 'sequence' else 'table' end
            union all
            select 4, format('columns of %s: update (%s)', full_name, string_agg(attname, ', ' order by attnum))
            from relation c join pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped
            where relkind in ('r', 'p') and not has_table_privilege('pricingd', c.oid, 'update')
              and has_column_privilege('pricingd', c.oid, attnum, 'update')
            group by full_name
            union all
            select 5, format('function %s: %s%s', p.oid::regprocedure, case when prosecdef then 'with its owner''s rights, ' end,
                case when has_function_privilege('public', p.oid, 'execute') then 'everybody''s' else 'the daemon''s alone' end)
            from pg_proc p join pg_namespace n on n.oid = pronamespace
            where nspname in ('pricing', 'pricing_code') and has_function_privilege('pricingd', p.oid, 'execute')
              and (prosecdef or not has_function_privilege('public', p.oid, 'execute'))
        )
        select text from line where text not like '%: ' order by place, text collate "C"
        """

    /// After a change that is meant, `PRICINGD_WRITE_SCHEMA=1` writes the file anew; review the difference.
    @Test func `the daemon's rights are those that were reviewed`() async throws {
        try await Shop.withEmptyDatabase { shop in
            try await shop.run(
                "do $$ begin create role pricingd; exception when duplicate_object then null; end $$"
            )
            _ = try await Migrator.migrate(shop.connection)
            let rights = try await shop.rows(Self.rights)
            if ProcessInfo.processInfo.environment["PRICINGD_WRITE_SCHEMA"] == "1" {
                let text = rights.joined(separator: "\n") + "\n"
                try text.write(to: Self.snapshot, atomically: true, encoding: .utf8)
            }
            // Any role that may connect could call them, and they do what their owner may.
            #expect(rights.filter { $0.hasSuffix("with its owner's rights, everybody's") } == [])
            let reviewed = try String(contentsOf: Self.snapshot, encoding: .utf8).split(separator: "\n").map(
                String.init
            )
            #expect(rights.difference(from: reviewed).isEmpty)
        }
    }
}
