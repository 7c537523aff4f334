import Glibc
import Histogram
import PricingClient

/// A rival: pgbench, every statement prepared, on the daemon's own database, where it calls the very functions that the
/// daemon calls, or on the thin shop's.
struct PgBench: Sendable {
    /// What one run came to.
    struct Result: Sendable, Equatable {
        /// Transactions a second, the time to connect left out.
        let perSecond: Double
        /// Transactions in all.
        let transactions: Int64
        /// Of one transaction; nil unless it was asked for.
        var medianMs: Double?

        /// Reads what pgbench prints; nil when it does not say.
        init?(_ text: String) {
            guard let rate = text.firstMatch(of: /tps = ([0-9]+\.[0-9]+)/), let number = Double(rate.1),
                let sum = text.firstMatch(of: /actually processed: ([0-9]+)/), let count = Int64(sum.1)
            else { return nil }
            perSecond = number
            transactions = count
        }
    }

    /// Numbers of clients that an ordinary comparison tries.
    static let clientCounts = [1, 8, 32]

    let database: BenchDatabase
    let shop: ShopIDs
    let folder: WorkFolder

    /// One run.
    /// - Parameters:
    ///   - isHot: whether all of them name the first product.
    ///   - hasMedian: whether each transaction is logged, for the median.
    func run(
        _ script: BenchDatabase.Script,
        clients: Int,
        seconds: Int,
        isHot: Bool = false,
        hasMedian: Bool = false
    ) async throws -> Result {
        guard let first = shop.products.first, let last = shop.products.last,
            let buyer = shop.customers.first, let lastBuyer = shop.customers.last
        else { throw BenchFailure.lacks("product and customer") }
        let logs = hasMedian ? ["--log", "--log-prefix=\(folder.path)/log"] : []
        let text = try await database.pgbench(
            script,
            ["-c", "\(clients)", "-j", "\(min(clients, 2))", "-T", "\(seconds)"]
                + ["-D", "first=\(first)", "-D", "last=\(isHot ? first : last)"]
                + ["-D", "first_customer=\(buyer)", "-D", "last_customer=\(lastBuyer)"] + logs
        )
        guard var result = Result(text) else { throw BenchFailure.programFailed("pgbench", said: text) }
        for name in folder.names(prefix: "log.") {
            let log = "\(folder.path)/\(name)"
            result.medianMs = Self.median(log: try WorkFolder.read(log))
            unsafe _ = unlink(log)
        }
        return result
    }

    /// The median of a transaction log, in milliseconds: the third number of each line is microseconds.
    static func median(log: String) -> Double? {
        var times = Histogram<UInt64>(highestTrackableValue: 3_600_000_000)
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 2, let time = UInt64(words[2]) { times.record(time) }
        }
        return times.totalCount == 0 ? nil : Double(times.valueAtPercentile(50)) / 1000
    }
}
