extension PrivateCluster {
    /// How to log in to a database made by ``prepare(database:owner:runtime:searchPath:)``.
    package struct Logins: Sendable, Hashable {
        /// Owns the database; for migrations.
        package let owner: ConnectionSettings
        /// Owns nothing; for serving.
        package let runtime: ConnectionSettings
    }

    /// Makes the two login roles and the database, whichever are missing. No role is a superuser.
    /// - Parameter searchPath: where sessions that do not say so themselves look for names, psql's among them.
    /// - Throws: what `start` throws, or the server's refusal.
    package func prepare(
        database: String,
        owner: String,
        runtime: String,
        searchPath: String
    ) async throws(PostgresError) -> Logins {
        let settings = try await start()
        let base = settings.with("dbname", database)
        let logins = Logins(owner: base.with("user", owner), runtime: base.with("user", runtime))
        // The other process has made them.
        if isGuest { return logins }
        let connection = try await PostgresConnection.open(
            settings,
            name: "pg prepare",
            logger: logger
        )
        try await connection.run { session throws(PostgresError) in
            let role = Statement.bool("role_exists", "select exists (select from pg_roles where rolname = $1)")
            for name in [owner, runtime] where try !session.one(role, [.text(name)]) {
                try session.script("create role \(quoted(name)) login", name: "create_role")
            }
            let exists = Statement.bool("db_exists", "select exists (select from pg_database where datname = $1)")
            if try !session.one(exists, [.text(database)]) {
                try session.script(
                    "create database \(quoted(database)) owner \(quoted(owner))",
                    name: "create_database"
                )
            }
            try session.script(
                """
                revoke all on database \(quoted(database)) from public;
                grant connect on database \(quoted(database)) to \(quoted(runtime));
                alter database \(quoted(database)) set search_path = \(searchPath);
                """,
                name: "grant_connect"
            )
        }
        await connection.close()
        return logins
    }
}

/// The server's settings for its archive.
enum ArchiveStatements {
    static let mode = Statement.text("archive_mode", "show archive_mode")
    static let system = Statement.text(
        "system_identifier",
        "select system_identifier::text from pg_control_system()"
    )

    /// Puts each file of the log into the archive, at least once a minute.
    static func keep(_ archive: ClusterArchive) -> [String] {
        [
            "alter system set archive_mode = on", "alter system set archive_timeout = 60",
            "alter system set archive_command = '\(archive.storing)'", "select pg_reload_conf()",
        ]
    }

    /// What stands in the configuration of a cluster that is to be put back.
    static func recovery(_ archive: ClusterArchive, _ moment: String?) -> String {
        // The names of time zones are not read yet where this is.
        let target = moment.map { $0.replacing("T", with: " ").replacing("Z", with: "+00") }
        return """
            restore_command = '\(archive.fetching)'
            hot_standby = off
            archive_mode = off
            recovery_target_action = 'promote'
            \(target.map { "recovery_target_time = '\($0)'" } ?? "")

            """
    }

    /// Takes that out again, and keeps no archive until a daemon is told to.
    static let recovered = [
        "restore_command", "hot_standby", "archive_mode", "archive_timeout", "archive_command",
        "recovery_target_action",
        "recovery_target_time",
    ].map { "alter system reset \($0)" }
}
