package import Logging
package import Postgres

/// Where the shop's database is.
package enum DatabaseSource: Sendable {
    /// A cluster of our own in a data folder.
    case privateCluster(folder: String)
    /// A server that somebody else runs.
    case configured(ConnectionSettings)
}

/// A database that is there and at the schema of this binary.
package struct DatabaseHost: Sendable {
    /// Why there is none.
    package enum Failure: Error, Sendable {
        /// The server cannot be reached, or was refused by another daemon.
        case database(PostgresError)
        /// The scripts and the database contradict each other.
        case refused(MigrationPlan.Refusal)
        /// A configured database lacks these scripts, and nobody told us to migrate it.
        case outOfStep([String])
        /// `--sandbox` was asked of a database that was not made as one.
        case notASandbox
    }

    /// Our own cluster; nil for a configured server.
    package let cluster: PrivateCluster?
    /// For serving.
    let settings: ConnectionSettings
    /// What the database's register calls the code of this binary.
    let codeHash: String
    let isSandbox: Bool

    /// Starts a private cluster or names a configured server, of several hosts the one that accepts writes: nothing here is
    /// of use on any other, whatever `target_session_attrs` was given.
    package static func reach(
        _ source: DatabaseSource,
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
        case .privateCluster(let folder):
            let cluster = try PrivateCluster(dataDirectory: folder, logger: logger)
            let logins = try await cluster.prepare(
                database: "pricing",
                owner: "pricing",
                runtime: "pricingd",
                searchPath: MigrationStatements.searchPath
            )
            return (cluster, primary(logins.owner), primary(logins.runtime))
        }
    }

    /// A database to serve from. A private cluster is migrated by itself, a configured one must be in step already.
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
            let host = try await migrated(connection, cluster, runtime, isSandbox)
            await connection.close()
            return host
        } catch {
            await reached?.stop()
            throw error
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
        let (madeAsSandbox, codeHash) = try await rethrowing { () async throws(PostgresError) in
            try await connection.run { (session) throws(PostgresError) in
                _ = try session.one(DaemonStatements.settleTransactions)
                return (try session.one(MigrationStatements.isSandbox), try session.one(MigrationStatements.codeHash))
            }
        }
        if isSandbox, !madeAsSandbox { throw .notASandbox }
        return DatabaseHost(cluster: cluster, settings: runtime, codeHash: codeHash, isSandbox: madeAsSandbox)
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
