/// What an order leaves on disk: bytes of WAL, and bytes of tables and indexes. `footprint.sql` says how it is read.
struct Footprint: Sendable {
    /// The longest load that is measured, in seconds, so that all of its WAL is still there to be read.
    static let longest = 10

    let walBytes: Double
    let diskBytes: Double

    /// Of the orders that a load places. What is written a while after an order, such as the numbers of its events, must
    /// be there when the load returns.
    /// - Parameters:
    ///   - database: the one that the orders go to.
    ///   - schema: the one that its tables lie in.
    ///   - load: places orders; how many they were.
    static func measure(
        _ database: BenchDatabase,
        schema: String,
        _ load: () async throws -> Int64
    ) async throws -> Footprint {
        let before = try await Reading(database, ["schema": schema])
        let orders = Double(max(1, try await load()))
        let after = try await Reading(database, ["schema": schema, "since": before.position])
        return Footprint(
            walBytes: Double(after.walBytes) / orders,
            diskBytes: Double(after.diskBytes - before.diskBytes) / orders
        )
    }

    /// A row of `footprint.sql`.
    private struct Reading {
        let walBytes: Int64
        let diskBytes: Int64
        let position: String

        init(_ database: BenchDatabase, _ variables: [String: String]) async throws {
            let rows = try await database.psql(.footprint, variables)
            guard let row = rows.last, row.count == 3, let wal = Int64(row[0]), let disk = Int64(row[1]) else {
                throw BenchFailure.programFailed("psql", said: "\(rows)")
            }
            walBytes = wal
            diskBytes = disk
            position = row[2]
        }
    }
}
