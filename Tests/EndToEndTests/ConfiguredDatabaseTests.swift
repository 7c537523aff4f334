import JSON
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// A database that somebody else runs: served when it is in step, refused with a sentence when not.
    @Suite
    struct ConfiguredDatabaseTests {
        private static func url(_ database: TestDatabase) -> String {
            database.settings.keywords.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'" }.joined(
                separator: " "
            )
        }

        private func pricingd(_ arguments: String...) throws -> ChildProgram {
            try ChildProgram(TestDaemon.program("pricingd"), arguments)
        }

        @Test func `it is migrated only when told`() async throws {
            let database = try await TestCluster.shared().database()
            let url = Self.url(database)

            let early = try pricingd("--stdio", "--database-url", url)
            #expect(await early.exit() == 78)
            #expect(await early.errorText().contains("pricingd migrate"))

            let dry = try pricingd("migrate", "--dry-run", "--database-url", url)
            #expect(await dry.line()?.hasPrefix("would apply 01_") == true)
            #expect(await dry.exit() == 0)
            let stillEarly = try pricingd("--stdio", "--database-url", url)
            #expect(await stillEarly.exit() == 78)

            let migration = try pricingd("migrate", "--database-url", url)
            #expect(await migration.exit() == 0)
            let again = try pricingd("migrate", "--database-url", url)
            #expect(await again.line() == "nothing to apply")

            let daemon = try pricingd("--stdio", "--database-url", url)
            try daemon.write(#"{"jsonrpc":"2.0","id":1,"method":"server.status"}"#)
            let status = try JSONParser.parse(Array(try #require(await daemon.line()).utf8))
            #expect(status["result"]?["database"]?["kind"] == "configured")
            #expect(status["result"]?["database"]?["name"] == .string(database.name))
            #expect(status["result"]?["sandbox"] == false)
            try daemon.closeInput()
            #expect(await daemon.exit() == 0)

            let sandbox = try pricingd("--stdio", "--sandbox", "--database-url", url)
            #expect(await sandbox.exit() == 78)
            #expect(await sandbox.errorText().contains("--sandbox"))
            try await database.drop()
        }

        @Test func `a wrong command line is its own exit code`() async throws {
            let both = try pricingd("--stdio", "--socket", "/tmp/x.sock")
            #expect(await both.exit() == 64)
            let unknown = try pricingd("--frobnicate")
            #expect(await unknown.exit() == 64)
        }
    }
}
