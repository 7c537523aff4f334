import Postgres
import PricingTestSupport
import Testing

@testable import Pricing

/// A daemon whose shop has nothing to do sleeps.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct IdleTests {
    private static let waits = [DaemonStatements.secondsToCampaign, DaemonStatements.secondsToQuote]

    private func seconds(_ statement: Statement<Double>, _ shop: Shop) async throws -> Double {
        try await shop.connection.run { (session) throws(PostgresError) in try session.one(statement) }
    }

    @Test
    func `Where nothing is to come it sleeps for good, and until the hour for the tick`() async throws {
        try await Shop.with { shop in
            _ = try await shop.product()
            for statement in Self.waits {
                #expect(try await seconds(statement, shop) == .infinity, "\(statement.name)")
            }
            #expect(try await (0.05...3600).contains(seconds(DaemonStatements.secondsToTick, shop)))
            try await shop.setDay(1)
            for statement in Self.waits + [DaemonStatements.secondsToTick] {
                #expect(try await seconds(statement, shop) == .infinity, "\(statement.name), by a clock that is set")
            }
        }
    }
}
