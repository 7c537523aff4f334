import Postgres

/// The migrator's own SQL: the register of what was applied, the lock, and possible obstacles.
enum MigrationStatements {
    /// The search path of every session of the daemon.
    static let searchPath = "pricing, pricing_code"

    /// Which process of the server answers.
    static let serverProcess = Statement.int("server_process", "select pg_backend_pid()")

    static let lock = Statement.none(
        "migration_lock",
        "select pg_advisory_xact_lock(hashtext('pricingd migration'))"
    )

    /// A migration that waits for a lock makes every later session on that table wait behind it, so it must not wait long.
    static let limitLocks = Statement.none("migration_limit_locks", "select set_config('lock_timeout', '5s', true)")

    /// The obstacles to a migration, and what to do about each.
    static let obstacles = Statement<MigrationPlan.Obstacle>(
        "migration_obstacles",
        """
        with ours as (
            select n.oid, n.nspname as name, n.nspowner as owner,
                to_regclass('pricing.schema_script') is not null as is_known,
                exists (select from pg_class where relnamespace = n.oid)
                    or exists (select from pg_proc where pronamespace = n.oid)
                    or exists (select from pg_type where typnamespace = n.oid) as has_objects
            from pg_namespace n where n.nspname in ('pricing', 'pricing_code')
        ), code as (
            select 'pg_proc'::regclass as class, p.oid from pg_proc p join ours n on n.oid = p.pronamespace
            where n.name = 'pricing_code'
            union all
            select 'pg_type'::regclass, t.oid from pg_type t join ours n on n.oid = t.typnamespace
            where n.name = 'pricing_code'
        ), dependent as (
            select distinct d.classid, d.objid, d.objsubid, case d.classid
                when 'pg_proc'::regclass then (select pronamespace from pg_proc where oid = d.objid)
                when 'pg_type'::regclass then (select typnamespace from pg_type where oid = d.objid)
                when 'pg_class'::regclass then (select relnamespace from pg_class where oid = d.objid)
                when 'pg_constraint'::regclass then (select connamespace from pg_constraint where oid = d.objid)
                when 'pg_trigger'::regclass then (select relnamespace from pg_trigger t
                    join pg_class c on c.oid = t.tgrelid where t.oid = d.objid)
                when 'pg_rewrite'::regclass then (select relnamespace from pg_rewrite r
                    join pg_class c on c.oid = r.ev_class where r.oid = d.objid)
                when 'pg_attrdef'::regclass then (select relnamespace from pg_attrdef a
                    join pg_class c on c.oid = a.adrelid where a.oid = d.objid) end as schema
            from pg_depend d join code on code.class = d.refclassid and code.oid = d.refobjid
        )
        select 'table public.schema_script', 'an earlier build of pricingd made this database; give this one an empty '
            'database and move the rows, as the page Operating says under "Moving from an earlier build"'
        where to_regclass('pricing.schema_script') is null
          and (select count(*) from pg_attribute where attrelid = to_regclass('public.schema_script')
               and attname in ('number', 'sha256', 'kind')) = 3
        union all
        select 'schema ' || name, 'it is not pricingd''s; rename it, or give pricingd a database of its own'
        from ours where not is_known and has_objects
        union all
        select 'schema ' || name, format('it belongs to %s; migrate as that role, or make it the owner''s member',
            owner::regrole)
        from ours where is_known and not pg_has_role(owner, 'usage')
        union all
        select 'database ' || current_database(), format('role %s may not make schemas in it; as its owner: grant create '
            'on database %I to %I', current_user, current_database(), current_user)
        where not has_database_privilege(current_database(), 'create')
        union all
        select 'database ' || datname, format('its encoding is %s; give pricingd one made with encoding ''UTF8''',
            pg_encoding_to_char(encoding))
        from pg_database where datname = current_database() and pg_encoding_to_char(encoding) <> 'UTF8'
        union all
        select 'collation und-x-icu', 'the server was built without ICU; use one that has it, as Debian''s has'
        where not exists (select from pg_collation where collname = 'und-x-icu')
        union all
        select 'extension ' || wanted.name, 'the server does not have it; install PostgreSQL''s contrib modules on its machine'
        from unnest(array['pgcrypto', 'pg_trgm']) wanted (name)
        where not exists (select from pg_extension where extname = wanted.name)
          and not exists (select from pg_available_extensions e where e.name = wanted.name)
        union all
        select pg_describe_object(classid, objid, objsubid), 'it uses a function or type of pricing_code, which is made '
            'anew with every version; drop it, or keep to the tables in schema pricing'
        from dependent where schema is null or schema not in (select oid from ours)
        """
    ) { row throws(PostgresError) in
        MigrationPlan.Obstacle(object: try row.text(0), hint: try row.text(1))
    }

    static let registerExists = Statement.bool(
        "migration_register_exists",
        "select to_regclass('pricing.schema_script') is not null"
    )

    static let createRegister = """
        create schema if not exists pricing;
        create table pricing.schema_script (
            name text constraint schema_script_pkey primary key,
            kind text not null,
            sha256 text not null,
            applied_at timestamptz not null default now()
        )
        """

    /// Tables are made and looked up in their schema; extensions are used where they are.
    static let lookInTables = Statement.none("migration_look_in_tables", look(in: searchPath))

    /// The code is dropped, with the triggers that call it, before it is made anew.
    static let createCode = """
        set local client_min_messages = warning;
        drop schema if exists pricing_code cascade;
        create schema pricing_code;
        set local check_function_bodies = off;
        \(look(in: "pricing_code, pricing"))
        """

    private static func look(in schemas: String) -> String {
        """
        select set_config('search_path', concat_ws(', ', '\(schemas)', (
            select string_agg(distinct quote_ident(nspname), ', ')
            from pg_extension e join pg_namespace n on n.oid = e.extnamespace
            where extname in ('pgcrypto', 'pg_trgm') and nspname <> 'pricing')), true)
        """
    }

    static let register = Statement<MigrationPlan.Applied>(
        "migration_register",
        "select name, sha256 from pricing.schema_script order by name"
    ) { row throws(PostgresError) in
        MigrationPlan.Applied(name: try row.text(0), hash: try row.text(1))
    }

    /// The hash of the code in the database.
    static let codeHash = Statement.text(
        "migration_code_hash",
        "select coalesce(max(sha256), '') from pricing.schema_script where name = 'code'"
    )

    static let hash = Statement.text("migration_hash", "select encode(sha256(convert_to($1, 'UTF8')), 'hex')")

    static let record = Statement.none(
        "migration_record",
        """
        insert into pricing.schema_script (name, kind, sha256) values ($1, $2, $3)
        on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()
        """
    )

    /// Makes the daemons that serve this database check that its code is still theirs.
    static let tellDaemons = Statement.none("migration_tell_daemons", "select pg_notify('\(schemaChannel)', '')")

    static let schemaChannel = "pricing_schema"

    static let markSandbox = Statement.none(
        "migration_mark_sandbox",
        "insert into pricing.setting (name, value) values ('sandbox', 'true') on conflict do nothing"
    )

    static let isSandbox = Statement.bool("migration_is_sandbox", "select is_sandbox()")
}
