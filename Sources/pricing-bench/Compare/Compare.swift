import ArgumentParser
import Dispatch
import Glibc
import PricingClient

/// `pricing-bench compare`: a daemon of its own beside pgbench, on the same database and the same functions and on a thin
/// shop of the same server, or under ever more of something.
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set a daemon of its own beside pgbench and a thin shop, in turn, and print medians and ratios."
    )

    @Flag(help: "Measure shops of ever more products and history instead.")
    var scale = false

    @Flag(help: "Measure the same load over 1 to 256 connections instead.")
    var sessions = false

    @Option(help: "Load the daemon for so many minutes instead, up to 1440, and look at it again and again.")
    var minutes: Double?

    @Option(help: "How long each run lasts, 1 to 600 seconds; with --minutes, the time between two looks.")
    var seconds = 5

    @Option(help: "How often all is measured, 1 to 100.")
    var rounds = 5

    @Option(help: "Products of the shop, 1 to 2000000; 10000, and with --scale also 100000,1000000.")
    var products: Counts?

    @Option(help: "With --scale, the rows of history that each shop grows to, up to 50000000; 0,1000000,10000000.")
    var history: Counts?

    @Option(help: "How to print: a table, or one JSON object.")
    var format = Format.table

    func validate() throws {
        guard [scale, sessions, minutes != nil].count(where: { $0 }) <= 1 else {
            throw ValidationError("--scale, --sessions and --minutes are measurements of their own.")
        }
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must lie in 1 to 600.") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds must lie in 1 to 100.") }
        guard minutes.map({ $0 > 0 && $0 <= 1440 }) ?? true else {
            throw ValidationError("--minutes must lie above 0, up to 1440.")
        }
        guard products?.values.allSatisfy({ (1...2_000_000).contains($0) }) ?? true else {
            throw ValidationError("--products must lie in 1 to 2000000.")
        }
        guard history?.values.allSatisfy({ $0 <= 50_000_000 }) ?? true else {
            throw ValidationError("--history must lie in 0 to 50000000.")
        }
        guard scale || (history == nil && products?.values.count ?? 1 == 1) else {
            throw ValidationError("Several sizes of a shop are for --scale.")
        }
    }

    func run() async throws {
        let measuring = Task { try await measure() }
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { measuring.cancel() }
            source.resume()
            return source
        }
        defer { signals.forEach { $0.cancel() } }
        do {
            let report = try await measuring.value
            format.show(report.json, report.lines)
        } catch {
            throw BenchFailure.report(error)
        }
    }

    private func measure() async throws -> any Report {
        if scale {
            let growth = Growth(
                products: products?.values ?? [10_000, 100_000, 1_000_000],
                history: history?.values ?? [0, 1_000_000, 10_000_000],
                seconds: seconds,
                rounds: rounds
            )
            return try await growth.run()
        }
        return try await WorkFolder.with { folder in
            let daemon = try BenchDaemon(folder)
            let (first, shop) = try await daemon.run { running in
                let database = try await BenchDatabase(running, folder)
                let shop = try await BenchShop.open(database, products: products?.values.first ?? 10_000)
                return (running.secondsToReady, shop)
            }
            return try await daemon.run { running in
                let atRest = try running.residentKiB()
                let database = try await BenchDatabase(running, folder)
                let pgbench = PgBench(database: database, shop: shop, folder: folder)
                let trial = Trial(socket: running.socket, shop: shop, seconds: seconds)
                if sessions { return try await Sessions(trial: trial, pgbench: pgbench).run(rounds: rounds) }
                if let minutes {
                    return try await LongRun(daemon: running, database: database, trial: trial, minutes: minutes).run()
                }
                var contest = try await Contest(running, trial, pgbench)
                for round in 1...rounds {
                    note("round \(round) of \(rounds)")
                    try await contest.round()
                }
                return Comparison(
                    figures: contest.figures,
                    overloads: contest.overloads,
                    rounds: rounds,
                    seconds: seconds,
                    products: shop.products.count,
                    restKiB: atRest,
                    loadedKiB: try running.residentKiB(),
                    firstReady: first,
                    laterReady: running.secondsToReady,
                    tables: try await TableActivity.read(database)
                )
            }
        }
    }
}

/// Numbers on the command line, between commas: ascending, each once.
struct Counts: ExpressibleByArgument, Equatable {
    let values: [Int]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.compactMap { Int($0) }
        guard numbers.count == words.count, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        values = Set(numbers).sorted()
    }
}
