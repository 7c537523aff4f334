import JSON
import Postgres
import PricingTestSupport
import Testing

@testable import Pricing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct NamedQueryTests {
    @Test
    func `There are at least the original's eighteen, each with its own name and a title`() {
        #expect(Report.all.count >= 18)
        #expect(Set(Report.all.map(\.name)).count == Report.all.count)
        for report in Report.all {
            #expect(report.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil)
            #expect(report.title.hasSuffix("."), "\(report.name): \(report.title)")
            #expect(report.query.hasPrefix("select") || report.query.hasPrefix("with"), "\(report.name)")
            #expect(!report.query.contains(";"), "\(report.name)")
            #expect(!report.query.contains("password"), "\(report.name)")
        }
    }

    @Test
    func `Each runs on an empty shop and names its columns`() async throws {
        try await Shop.with { shop in
            for report in Report.all {
                let pages = try await run(report, shop)
                #expect(pages.first?.columns.isEmpty == false, "\(report.name)")
                #expect(pages.count == 1)
            }
        }
    }

    @Test
    func `Each runs on the demo shop and finds something, but for the one that must find nothing`() async throws {
        try await Shop.withEmptyDatabase { shop in
            _ = try await Migrator.migrate(shop.connection, wantsDemo: true)
            for report in Report.all {
                let rows = try await run(report, shop).compactMap(\.cells)
                #expect(rows.isEmpty == (report.name == "oversold"), "\(report.name)")
                #expect(rows.count <= 5)
            }
            let totals = try #require(Report.all.first { $0.name == "order_totals" })
            let agree = try await run(totals, shop, limit: 1000)
            #expect(agree.allSatisfy { $0.cells?.last == true })
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `A query script is read by its headings`() {
        let reports = Report.parse(
            """
            --! queries
            -- About.
            -- name: first
            -- The first.
            select 1;

            -- name: second
            -- The second.
            -- More of it.
            select 2
            from x;
            """
        )
        #expect(
            reports == [
                Report(name: "first", title: "The first.", query: "select 1"),
                Report(name: "second", title: "The second.", query: "select 2\nfrom x"),
            ]
        )
        #expect(Report.parse("") == [])
    }

    private func run(_ report: Report, _ shop: Shop, limit: Int64 = 5) async throws -> [Report.Page] {
        try await shop.connection.run { (session) throws(PostgresError) in
            try session.all(report.statement, [.int(limit)])
        }
    }
}
