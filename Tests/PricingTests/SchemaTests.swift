import Foundation
import Postgres
import Pricing
import PricingTestSupport
import Testing

/// The schema as pg_dump tells it, so that a change of it is read in a review as one text.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct SchemaTests {
    private static let snapshot = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "schema.sql")

    /// After a change that is meant, `PRICINGD_WRITE_SCHEMA=1` writes the file anew; review the difference.
    @Test(.enabled(if: isDumpVersion15, "the snapshot is what pg_dump 15 writes"))
    func `the schema is the one that was reviewed`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection)
            let schema = Self.normalized(try await dump(shop.database.settings.description))
            if ProcessInfo.processInfo.environment["PRICINGD_WRITE_SCHEMA"] == "1" {
                try schema.write(to: Self.snapshot, atomically: true, encoding: .utf8)
            }
            let reviewed = try String(contentsOf: Self.snapshot, encoding: .utf8)
            let difference = schema.split(separator: "\n").difference(from: reviewed.split(separator: "\n"))
            #expect(difference.isEmpty)
        }
    }

    /// Grants stand apart: which there are depends on the roles of the cluster (GrantTests).
    private func dump(_ database: String) async throws -> [String] {
        let program = try ChildProgram(
            "/usr/bin/env",
            ["pg_dump", "--schema-only", "--no-owner", "--no-privileges", "--dbname", database]
        )
        var lines: [String] = []
        while let line = await program.line() { lines.append(line) }
        let errors = await program.errorText()
        #expect(await program.exit() == 0, "\(errors)")
        return lines
    }

    /// Without comments, session settings and functions, which are read where they are written.
    private static func normalized(_ lines: [String]) -> String {
        var kept = ""
        var isFunction = false
        for line in lines {
            if line.hasPrefix("CREATE FUNCTION") { isFunction = true }
            if isFunction {
                if line.wholeMatch(of: /.*\$[a-z_]*\$;|END;| +RETURN .*;/) != nil { isFunction = false }
                continue
            }
            let isNoise =
                line.isEmpty
                || ["--", "SET ", "SELECT pg_catalog.set_config", "\\", "COMMENT ON EXTENSION"]
                    .contains { line.hasPrefix($0) }
            if !isNoise { kept += line + "\n" }
        }
        return kept
    }
}

/// Whether pg_dump is of the version that wrote the snapshot.
private let isDumpVersion15: Bool = {
    let program = Process()
    program.executableURL = URL(filePath: "/usr/bin/env")
    program.arguments = ["pg_dump", "--version"]
    let output = Pipe()
    program.standardOutput = output
    guard (try? program.run()) != nil else { return false }
    return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).contains(" 15.")
}()
