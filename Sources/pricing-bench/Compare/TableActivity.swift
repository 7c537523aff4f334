import JSON

/// How PostgreSQL fared with one of the tables that orders write.
struct TableActivity: Sendable, Equatable {
    let name: String
    /// Rows updated since the database was made, and those of them whose new version stayed on its page.
    let updates: Int64
    let hotUpdates: Int64
    /// Dead rows that wait for autovacuum, how often it came, and when last.
    let dead: Int64
    let autovacuums: Int64
    let lastAutovacuum: String?

    /// A row of `tables.sql`; nil when it is none.
    init?(_ row: [String]) {
        guard row.count == 6, let updates = Int64(row[1]), let hot = Int64(row[2]), let dead = Int64(row[3]),
            let autovacuums = Int64(row[4])
        else { return nil }
        name = row[0]
        self.updates = updates
        hotUpdates = hot
        self.dead = dead
        self.autovacuums = autovacuums
        lastAutovacuum = row[5].isEmpty ? nil : row[5]
    }

    /// Of a database, every table that orders write.
    static func read(_ database: BenchDatabase) async throws -> [TableActivity] {
        try await database.psql(.tables).compactMap { TableActivity($0) }
    }

    /// The share of updates that stayed on their page; nil without any.
    var hotShare: Double? { updates == 0 ? nil : Double(hotUpdates) / Double(updates) }

    /// As JSON.
    var json: JSONValue {
        [
            "name": .string(name), "updates": .integer(updates), "hotUpdates": .integer(hotUpdates),
            "hotShare": hotShare.map { .number($0) } ?? nil, "deadRows": .integer(dead),
            "autovacuums": .integer(autovacuums), "lastAutovacuum": lastAutovacuum.map { .string($0) } ?? nil,
        ]
    }

    /// Rows of a Markdown table, head included.
    static func table(_ tables: [TableActivity]) -> [String] {
        ["| table | updates | HOT | dead rows | autovacuums | last |", "|---|---|---|---|---|---|"]
            + tables.map { table in
                "| \(table.name) | \(table.updates) | \(table.hotShare.map { "\(JSONValue.number($0 * 100)) %" } ?? "-") "
                    + "| \(table.dead) | \(table.autovacuums) | \(table.lastAutovacuum ?? "-") |"
            }
    }
}
