package import Logging
package import Postgres

/// Where the shop's database is.
package enum DatabaseSource: Sendable {
    /// A private cluster in a data folder, and where its log is kept, if anywhere.
    case privateCluster(folder: String, archive: ClusterArchive? = nil)
    /// A server that is run independently of the daemon.
    case configured(ConnectionSettings)
}

/// A database that can be reached and has the schema of this binary.
package struct DatabaseHost: Sendable {
    /// Why no such database could be opened.
    package enum Failure: Error, Sendable {
        /// The server cannot be reached, or another daemon uses the data folder.
        case database(PostgresError)
        /// The scripts and the database contradict each other.
        case refused(MigrationPlan.Refusal)
        /// A configured database lacks these scripts: it is migrated only by `pricingd migrate`.
        case outOfStep([String])
        /// `--sandbox` was given for a database that was not made as a sandbox.
        case notASandbox
        /// A pooler lends server processes for a transaction at a time.
        case noSessions
    }

    /// The private cluster; nil for a configured server.
    package let cluster: PrivateCluster?
    /// How the daemon connects to serve calls.
    let settings: ConnectionSettings
    /// The hash of this binary's SQL code, as the database keeps it.
    let codeHash: String
    let isSandbox: Bool
    /// Which database it is, the same on its standbys.
    let origin: String

    /// Starts a private cluster, or gives the settings of a configured server. Of several hosts only the one that accepts
    /// writes is used, whatever `target_session_attrs` says, since the daemon has to write.
    /// - Parameter mayJoin: whether to use the private cluster of a daemon that runs.
    package static func reach(
        _ source: DatabaseSource,
        mayJoin: Bool = false,
        logger: Logger
    ) async throws(PostgresError) -> (cluster: PrivateCluster?, owner: ConnectionSettings, runtime: ConnectionSettings)
    {
        func primary(_ settings: ConnectionSettings) -> ConnectionSettings {
            var settings = settings.with("target_session_attrs", "read-write")
            settings.searchPath = MigrationStatements.searchPath
            return settings
        }
        switch source {
        case .configured(let settings): return (nil, primary(settings), primary(settings))
        case .privateCluster(let folder, let archive):
            let cluster = try PrivateCluster(dataDirectory: folder, mayJoin: mayJoin, logger: logger)
            do throws(PostgresError) {
                if let archive { try await cluster.keepArchive(archive) }
            } catch {
                await cluster.stop()
                throw error
            }
            let logins = try await cluster.prepare(
                database: "pricing",
                owner: "pricing",
                runtime: "pricingd",
                searchPath: MigrationStatements.searchPath
            )
            return (cluster, primary(logins.owner), primary(logins.runtime))
        }
    }

    /// Opens the database to serve from. A private cluster is migrated here; a configured database must be up to date.
    package static func open(
        _ source: DatabaseSource,
        isSandbox: Bool,
        logger: Logger
    ) async throws(Failure) -> DatabaseHost {
        var reached: PrivateCluster?
        do throws(Failure) {
            let (cluster, owner, runtime) = try await rethrowing { () async throws(PostgresError) in
                try await reach(source, logger: logger)
            }
            reached = cluster
            let connection = try await rethrowing { () async throws(PostgresError) in
                try await PostgresConnection.open(
                    owner.with("application_name", "pricingd"),
                    name: "pg migrate",
                    logger: logger
                )
            }
            if cluster == nil { try await checkSessions(connection, owner, logger) }
            let host = try await migrated(connection, cluster, runtime, isSandbox)
            await connection.close()
            return host
        } catch {
            await reached?.stop()
            throw error
        }
    }

    /// Two connections that are open at once have two server processes, unless a pooler lends them a transaction at a time:
    /// then a connection finds neither its prepared statements nor its settings again.
    private static func checkSessions(
        _ connection: PostgresConnection,
        _ settings: ConnectionSettings,
        _ logger: Logger
    ) async throws(Failure) {
        let isShared = try await rethrowing { () async throws(PostgresError) in
            let other = try await PostgresConnection.open(settings, name: "pg check", logger: logger)
            var isShared = false
            // Which of its processes a pooler lends depends on who else is there.
            for _ in 0..<4 where !isShared {
                let (one, two) = (try await serverProcess(connection), try await serverProcess(other))
                isShared = one == nil || two == nil || one == two
            }
            await other.close()
            return isShared
        }
        if isShared { throw .noSessions }
    }

    /// Which process of the server answers; nil when it knows a statement of another connection, or not its own.
    private static func serverProcess(_ connection: PostgresConnection) async throws(PostgresError) -> Int64? {
        do throws(PostgresError) {
            return try await connection.run { (session) throws(PostgresError) in
                try session.one(MigrationStatements.serverProcess)
            }
        } catch {
            guard ["42P05", "26000"].contains(error.sqlState?.code) else { throw error }
            return nil
        }
    }

    private static func migrated(
        _ connection: PostgresConnection,
        _ cluster: PrivateCluster?,
        _ runtime: ConnectionSettings,
        _ isSandbox: Bool
    ) async throws(Failure) -> DatabaseHost {
        let plan: MigrationPlan
        do throws(Migrator.Failure) {
            plan = try await Migrator.migrate(
                connection,
                isSandbox: isSandbox,
                isDryRun: cluster == nil,
                looksForObstacles: cluster != nil
            )
        } catch {
            throw Failure(error)
        }
        if cluster == nil, !plan.isEmpty { throw .outOfStep(plan.steps) }
        let (madeAsSandbox, codeHash, origin) = try await rethrowing { () async throws(PostgresError) in
            try await connection.run { (session) throws(PostgresError) in
                _ = try session.one(DaemonStatements.settleTransactions)
                return (
                    try session.one(MigrationStatements.isSandbox), try session.one(MigrationStatements.codeHash),
                    try session.one(DaemonStatements.databaseOrigin)
                )
            }
        }
        if isSandbox, !madeAsSandbox { throw .notASandbox }
        return DatabaseHost(
            cluster: cluster,
            settings: runtime,
            codeHash: codeHash,
            isSandbox: madeAsSandbox,
            origin: origin
        )
    }

    private static func rethrowing<Value>(
        _ body: () async throws(PostgresError) -> Value
    ) async throws(Failure) -> Value {
        do throws(PostgresError) {
            return try await body()
        } catch {
            throw .database(error)
        }
    }
}

extension DatabaseHost.Failure {
    fileprivate init(_ failure: Migrator.Failure) {
        switch failure {
        case .database(let error): self = .database(error)
        case .refused(let refusal): self = .refused(refusal)
        }
    }
}
