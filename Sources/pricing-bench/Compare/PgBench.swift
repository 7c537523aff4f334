import Glibc
import Histogram
import JSONRPC
import Subprocess
import SystemPackage

/// The rival: pgbench on the daemon's own database, calling the very functions that the daemon calls, prepared.
struct PgBench: Sendable {
    /// A script inside `pricingd`, by number.
    enum Script: Int, CaseIterable {
        case orders = 40
        case price = 41
    }

    /// What one run came to.
    struct Result: Sendable, Equatable {
        /// Transactions a second, the time to connect left out.
        let perSecond: Double
        /// Of one transaction; nil unless it was asked for.
        var medianMs: Double?

        /// Reads what pgbench prints; nil when it does not say.
        init?(_ text: String) {
            guard let match = text.firstMatch(of: /tps = ([0-9]+\.[0-9]+)/), let number = Double(match.1) else {
                return nil
            }
            perSecond = number
        }
    }

    /// Numbers of clients that it is tried with.
    static let clientCounts = [1, 8, 32]

    private let place: [String]
    private let shop: Shop
    private let folder: WorkFolder
    private let files: [Script: String]
    private let program: String

    /// Asks the daemon where its database is and for the scripts.
    init(_ daemon: BenchDaemon.Running, _ shop: Shop, _ folder: WorkFolder, pricingd: String) async throws {
        let client = try await RPCClient.connect(socket: daemon.socket)
        let database = try await client.call("server.status")["database"]
        await client.close()
        place = [
            "-h", database?["host"]?.string ?? "", "-p", "\(database?["port"]?.integer ?? 5432)",
            "-U", database?["user"]?.string ?? "", database?["name"]?.string ?? "",
        ]
        self.shop = shop
        self.folder = folder
        program = try Self.find(version: database?["version"]?.string ?? "")
        var files: [Script: String] = [:]
        for script in Script.allCases {
            let text = try await said(.path(FilePath(pricingd)), ["scripts", "show", "\(script.rawValue)"])
            files[script] = try folder.write("\(script.rawValue).sql", text)
        }
        self.files = files
    }

    /// One run.
    /// - Parameters:
    ///   - isHot: whether all of them name the first product.
    ///   - hasMedian: whether each transaction is logged, for the median.
    func run(
        _ script: Script,
        clients: Int,
        seconds: Int,
        isHot: Bool = false,
        hasMedian: Bool = false
    ) async throws -> Result {
        guard let file = files[script], let first = shop.products.first, let last = shop.products.last,
            let buyer = shop.customers.first, let lastBuyer = shop.customers.last
        else { throw BenchFailure.lacks("product and customer") }
        let logs = hasMedian ? ["--log", "--log-prefix=\(folder.path)/log"] : []
        let text = try await said(
            .path(FilePath(program)),
            ["-n", "-M", "prepared", "-f", file, "-c", "\(clients)", "-j", "\(min(clients, 2))", "-T", "\(seconds)"]
                + ["-D", "first=\(first)", "-D", "last=\(isHot ? first : last)"]
                + ["-D", "first_customer=\(buyer)", "-D", "last_customer=\(lastBuyer)"] + logs + place
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

    /// Beside the server of this version, else on PATH.
    private static func find(version: String) throws(BenchFailure) -> String {
        let major = version.prefix { $0 != "." }
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
        let folders = ["/usr/lib/postgresql/\(major)/bin"] + path.split(separator: ":").map { String($0) }
        guard let folder = folders.first(where: { unsafe access("\($0)/pgbench", X_OK) == 0 }) else {
            throw .programFailed("pgbench", said: "it is not installed (apt-get install postgresql)")
        }
        return "\(folder)/pgbench"
    }
}

/// Runs a program to its end: what it prints.
/// - Throws: `.programFailed` when it does not end well.
private func said(_ program: Executable, _ arguments: [String]) async throws -> String {
    let outcome = try await Subprocess.run(
        program,
        arguments: Arguments(arguments),
        environment: childEnvironment,
        output: .string(limit: 1 << 20),
        error: .string(limit: 1 << 20)
    )
    guard outcome.terminationStatus.isSuccess else {
        throw BenchFailure.programFailed("\(program)", said: outcome.standardError)
    }
    return outcome.standardOutput
}
