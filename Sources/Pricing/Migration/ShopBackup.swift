import JSON
package import Logging
package import Postgres

/// A private cluster's shop as one file, and back.
package struct ShopBackup: Sendable {
    /// Why that could not be done.
    package enum Failure: Error, Sendable {
        case database(PostgresError)
        /// What the file holds does not fit this binary.
        case refused(MigrationPlan.Refusal)
        /// There is no shop in the data folder.
        case noShop
        /// There is one, and nothing said to replace it.
        case hasShop
        /// The file is no backup of a shop.
        case notABackup
        /// The file cannot be opened, for a reason of the system's.
        case unreadable(String, Int32)
    }

    /// What the audit found in a restored shop.
    package struct Audit: Sendable {
        /// What was checked: products, movements, price changes and orders.
        package let checked: [(name: String, count: Int64)]
        package let differences: Int64
    }

    private let folder: String
    private let logger: Logger

    /// - Parameter folder: the data folder; a daemon may be running on it.
    package init(folder: String, logger: Logger) {
        self.folder = folder
        self.logger = logger
    }

    /// Writes the shop to an open file, while it trades.
    package func write(to file: Int32) async throws(Failure) {
        try await reached { (place) async throws(PostgresError) -> Result<Void, Failure> in
            guard place.hasShop else { return .failure(.noShop) }
            try await ShopFile(serverVersion: place.version).write(place.superuser, to: file)
            return .success(())
        }
    }

    /// Puts a whole copy of the cluster into its archive, while the shop trades.
    package func copy(into archive: ClusterArchive) async throws(Failure) {
        do throws(PostgresError) {
            let cluster = try PrivateCluster(dataDirectory: folder, mayJoin: true, logger: logger)
            let outcome: Result<Void, PostgresError>
            do throws(PostgresError) {
                outcome = .success(try await cluster.copy(into: archive))
            } catch {
                outcome = .failure(error)
            }
            await cluster.stop()
            try outcome.get()
        } catch {
            throw .database(error)
        }
    }

    /// Puts the shop of a file into the data folder, in one transaction, brings it up to this binary and audits it.
    /// - Parameters:
    ///   - file: open for reading; no pipe, since it is read twice.
    ///   - replaces: whether a shop that is there may go. A daemon that serves it tells its subscribers.
    package func restore(from file: Int32, replaces: Bool) async throws(Failure) -> Audit {
        try await reached { (place) async throws(PostgresError) -> Result<Audit, Failure> in
            if place.hasShop, !replaces { return .failure(.hasShop) }
            let shop = try await ShopFile(serverVersion: place.version)
            // Whatever it cannot read there is no dump of PostgreSQL's.
            let rows = try? await shop.rows(of: "schema_script", in: file)
            let scripts = rows?.map { String($0.prefix { $0 != "\t" }) } ?? []
            guard !scripts.isEmpty else { return .failure(.notABackup) }
            // Before anything is touched: a binary cannot go back.
            let known = Set(SQLScript.embedded.map(\.name)).union([MigrationPlan.codeName])
            if let stranger = scripts.first(where: { !known.contains($0) }) {
                return .failure(.refused(.ahead(stranger)))
            }
            try await shop.read(from: file, into: place.superuser, replaces: place.hasShop)
            return try await brought(place)
        }
    }

    /// Puts the shop of an archive into the data folder, which has none, as it was at a moment, and audits it.
    /// - Parameter moment: in UTC, such as `2026-11-28T09:30:00Z`; the end of the archive unless given.
    package func restore(from archive: ClusterArchive, to moment: String?) async throws(Failure) -> Audit {
        do throws(PostgresError) {
            let cluster = try PrivateCluster(dataDirectory: folder, logger: logger)
            do throws(PostgresError) {
                try await cluster.restore(archive, to: moment)
            } catch {
                await cluster.stop()
                throw error
            }
            await cluster.stop()
        } catch {
            throw .database(error)
        }
        return try await reached { (place) async throws(PostgresError) -> Result<Audit, Failure> in
            place.hasShop ? try await brought(place) : .failure(.noShop)
        }
    }

    /// A shop that was put there, up to date and audited.
    private func brought(_ place: Place) async throws(PostgresError) -> Result<Audit, Failure> {
        let connection = try await PostgresConnection.open(place.owner, name: "pg restore", logger: logger)
        do throws(Migrator.Failure) {
            _ = try await Migrator.migrate(connection)
        } catch {
            await connection.close()
            switch error {
            case .database(let error): throw error
            case .refused(let refusal): return .failure(.refused(refusal))
            }
        }
        let audit = try await audit(connection)
        await connection.close()
        return .success(audit)
    }

    private struct Place: Sendable {
        let owner: ConnectionSettings
        let version: Int
        let hasShop: Bool

        var superuser: ConnectionSettings { owner.with("user", "postgres") }
    }

    /// Reaches the cluster, runs the body and lets go of it.
    private func reached<Value: Sendable>(
        _ body: (Place) async throws(PostgresError) -> Result<Value, Failure>
    ) async throws(Failure) -> Value {
        var cluster: PrivateCluster?
        let outcome: Result<Value, Failure>
        do throws(PostgresError) {
            let (found, owner, _) = try await DatabaseHost.reach(
                .privateCluster(folder: folder),
                mayJoin: true,
                logger: logger
            )
            cluster = found
            let connection = try await PostgresConnection.open(owner, name: "pg backup", logger: logger)
            let (version, hasShop) = try await connection.run { (session) throws(PostgresError) in
                (session.serverVersion / 10_000, try session.one(MigrationStatements.registerExists))
            }
            await connection.close()
            outcome = try await body(Place(owner: owner, version: version, hasShop: hasShop))
        } catch {
            outcome = .failure(.database(error))
        }
        await cluster?.stop()
        return try outcome.get()
    }

    private func audit(_ connection: PostgresConnection) async throws(PostgresError) -> Audit {
        let statement = CallStatements.read(CallStatements.function(of: "audit.verify"), named: false)
        var params: JSONObject = [:]
        while true {
            let asked = params.serialized()
            let text = try await connection.run { (session) throws(PostgresError) in
                try session.one(statement, [.json(asked)])
            }
            let step = (try? JSONParser.parse(text))?.object ?? [:]
            guard let state = step["state"] else {
                let checked = step["reply"]?["checked"]?.object ?? [:]
                return Audit(
                    checked: checked.map { ($0.key, $0.value.integer ?? 0) },
                    differences: step["reply"]?["total"]?.integer ?? 0
                )
            }
            params["state"] = state
        }
    }
}
