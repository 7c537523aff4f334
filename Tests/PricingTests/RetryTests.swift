import Postgres
import Testing

@testable import Pricing

struct RetryTests {
    private let conflict = PostgresError(.server, "conflict", sqlState: "40001")
    private let loss = PostgresError(.connectionLost, "gone")

    /// How often it was tried, and whether it succeeded, when the tries fail with these errors first.
    private func tries(_ failures: [PostgresError], limit: (PostgresError) -> Int?) async -> (
        count: Int, didSucceed: Bool
    ) {
        var count = 0
        do throws(PostgresError) {
            try await Retry.run(limit: limit) { () async throws(PostgresError) in
                count += 1
                if count <= failures.count { throw failures[count - 1] }
            }
            return (count, true)
        } catch {
            return (count, false)
        }
    }

    @Test func `what is not worth another try is tried once`() async {
        #expect(await tries([conflict]) { _ in 0 } == (1, false))
    }

    @Test func `after as many retries as the limit allows the last failure is the outcome`() async {
        #expect(await tries([conflict, conflict]) { _ in 2 } == (3, true))
        #expect(await tries([conflict, conflict, conflict]) { _ in 2 } == (3, false))
    }

    @Test func `a failure without a limit does not count towards that of others`() async {
        let outcome = await tries([loss, conflict, loss, loss, conflict, loss]) { $0.kind == .connectionLost ? nil : 2 }
        #expect(outcome == (7, true))
    }
}
