import Postgres

/// Runs a statement again after a failure that may be over the next time.
enum Retry {
    /// - Parameters:
    ///   - limit: how often to run again after failures of this kind; nil for no limit.
    ///   - attempt: one try.
    static func run<Value>(
        limit: (PostgresError) -> Int?,
        _ attempt: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        var retries = 0
        while true {
            do throws(PostgresError) {
                return try await attempt()
            } catch {
                if let limit = limit(error) {
                    guard retries < limit else { throw error }
                    retries += 1
                }
                await pause(retries)
            }
        }
    }

    /// A pause of random length before the next try, longer after more of them.
    static func pause(_ retries: Int) async {
        try? await Task.sleep(for: .milliseconds(Int64.random(in: 1...20) * Int64(max(1, retries))))
    }
}
