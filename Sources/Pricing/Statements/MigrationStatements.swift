import Postgres

/// The migrator's own SQL: the ledger and the lock.
enum MigrationStatements {
    static let lock = Statement.none(
        "migration_lock",
        "select pg_advisory_xact_lock(hashtext('pricingd migration'))"
    )

    static let ledgerExists = Statement.bool(
        "migration_ledger_exists",
        "select to_regclass('schema_script') is not null"
    )

    static let createLedger = """
        create table schema_script (
            number integer constraint schema_script_pkey primary key,
            name text not null,
            kind text not null,
            sha256 text not null,
            applied_at timestamptz not null default now()
        )
        """

    static let ledger = Statement<MigrationPlan.Applied>(
        "migration_ledger",
        "select number, name, kind, sha256 from schema_script order by number"
    ) { row throws(PostgresError) in
        MigrationPlan.Applied(
            number: Int(try row.int(0)),
            name: try row.text(1),
            kind: try row.text(2),
            hash: try row.text(3)
        )
    }

    static let hash = Statement.text("migration_hash", "select encode(sha256(convert_to($1, 'UTF8')), 'hex')")

    static let record = Statement.none(
        "migration_record",
        """
        insert into schema_script (number, name, kind, sha256) values ($1, $2, $3, $4)
        on conflict (number) do update set name = excluded.name, kind = excluded.kind, sha256 = excluded.sha256,
            applied_at = now()
        """
    )

    static let markSandbox = Statement.none(
        "migration_mark_sandbox",
        "insert into setting (name, value) values ('sandbox', 'true') on conflict do nothing"
    )

    static let isSandbox = Statement.bool("migration_is_sandbox", "select is_sandbox()")
}
