import Postgres
import Pricing
import PricingTestSupport
import Testing

/// Dumps are restored, rows copied and typed by sessions that look for names nowhere, or somewhere else first.
@Suite(.serialized, .enabled(if: TestCluster.isAvailable, needsServer))
struct SearchPathTests {
    /// Functions of ours that run when a row is written, by a call or by direct SQL.
    private static let called = """
        select distinct p.oid::regprocedure || ': ' || coalesce(array_to_string(p.proconfig, '; '), 'nothing')
        from pg_proc p
        where p.pronamespace in ('pricing'::regnamespace, 'pricing_code'::regnamespace)
            and not exists (select from pg_depend e where e.objid = p.oid and e.deptype = 'e')
            and (p.prorettype = 'trigger'::regtype or exists (
                select from pg_depend d
                where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid and (
                    d.classid in ('pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_index'::regclass)
                    or d.classid = 'pg_class'::regclass
                        and exists (select from pg_class c where c.oid = d.objid and c.relkind in ('i', 'I')))))
        """

    @Test func `what runs when a row is written looks for names in our schema alone`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection, wantsDemo: true, isSandbox: true)
            let functions = try await shop.rows(Self.called)
            #expect(functions.count >= 6, "\(functions)")
            for function in functions {
                #expect(function.contains(": search_path=pricing,"), "\(function)")
            }
            // Tables and types that would be taken instead of ours.
            try await shop.run(
                """
                create schema other;
                create table other.product (a integer); create table other.rule (a integer);
                create table other.price_change (a integer); create type other.movement_cause as (a integer);
                """
            )
            for path in ["''", "other, pricing", "other"] {
                try await shop.run("set search_path = \(path)")
                for sql in [
                    "update pricing.inventory set stock = stock - 1 where product_id = 1",
                    "update pricing.inventory set stock = 3 where product_id = 1",
                    "update pricing.inventory set price = price + 1 where product_id = 2",
                    "update pricing.product set base_price = base_price * 1.1 where product_id = 3",
                    """
                    insert into pricing.product (title, base_price, floor_price, ceiling_price, category_id, rule_id)
                    select 'New', 10, 5, 20, category_id, rule_id from pricing.product where product_id = 1
                    """,
                    "insert into pricing.virtual_clock (at) values (now()) on conflict do nothing",
                ] {
                    try await shop.run(sql)
                }
                let error = await shop.refusal("delete from pricing.price_change")
                #expect(error?.sqlState?.code == "PR903")
            }
            try await shop.run("set search_path = pricing, pricing_code")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }
}
