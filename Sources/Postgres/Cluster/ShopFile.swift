import Glibc

/// A file that holds one database of a private cluster, as PostgreSQL's own programs write and read it (`pg_dump -Fc`).
package struct ShopFile: Sendable {
    private let programs: ServerPrograms

    /// - Parameter version: the server's major version, whose programs are used.
    package init(serverVersion version: Int) async throws(PostgresError) {
        programs = try await ServerPrograms.find(version: String(version))
    }

    /// Writes the database to an open file, in one snapshot, while others use it.
    package func write(_ settings: ConnectionSettings, to file: Int32) async throws(PostgresError) {
        _ = try await programs.runClient("pg_dump", Self.place(settings) + ["--format=custom"], output: file)
    }

    /// The rows of one table in the file, which is no pipe, with tabs between columns.
    package func rows(of table: String, in file: Int32) async throws(PostgresError) -> [Substring] {
        lseek(file, 0, SEEK_SET)
        let script = try await programs.runClient(
            "pg_restore",
            ["--data-only", "--table=\(table)", "--file=-"],
            input: file
        )
        let lines = script.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("COPY ") }) else { return [] }
        return Array(lines[(start + 1)...].prefix { $0 != "\\." })
    }

    /// Puts what the file holds into the database, in one transaction.
    /// - Parameter replaces: whether the same objects are there and are dropped.
    package func read(
        from file: Int32,
        into settings: ConnectionSettings,
        replaces: Bool
    ) async throws(PostgresError) {
        lseek(file, 0, SEEK_SET)
        _ = try await programs.runClient(
            "pg_restore",
            Self.place(settings) + ["--single-transaction"] + (replaces ? ["--clean", "--if-exists"] : []),
            input: file
        )
    }

    private static func place(_ settings: ConnectionSettings) -> [String] {
        [
            "--no-password", "--host=\(settings.host ?? "")", "--port=\(settings.port ?? "")",
            "--username=\(settings.user ?? "")", "--dbname=\(settings.database ?? "")",
        ]
    }
}
