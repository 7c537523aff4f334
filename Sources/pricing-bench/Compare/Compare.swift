import ArgumentParser
import Dispatch
import Glibc
import JSONRPC

/// `pricing-bench compare`: a daemon of its own beside pgbench on the same database and the same functions.
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set a daemon of its own beside pgbench, in turn, and print medians and ratios."
    )

    @Option(help: "How long each run lasts, 1 to 600 seconds.")
    var seconds = 5

    @Option(help: "How often the two take turns, 1 to 100.")
    var rounds = 5

    @Option(help: "Products of the shop, 1 to 20000.")
    var products = 10_000

    @Option(help: "How to print: a table, or one JSON object.")
    var format = Format.table

    func validate() throws {
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must lie in 1 to 600.") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds must lie in 1 to 100.") }
        guard (1...20_000).contains(products) else { throw ValidationError("--products must lie in 1 to 20000.") }
    }

    func run() async throws {
        let comparison = Task { try await compare() }
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { comparison.cancel() }
            source.resume()
            return source
        }
        defer { signals.forEach { $0.cancel() } }
        do {
            let comparison = try await comparison.value
            format.show(comparison.json, comparison.lines)
        } catch {
            throw BenchFailure.report(error)
        }
    }

    private func compare() async throws -> Comparison {
        let folder = try WorkFolder()
        do {
            let comparison = try await compare(in: folder)
            await folder.remove()
            return comparison
        } catch {
            await folder.remove()
            throw error
        }
    }

    private func compare(in folder: WorkFolder) async throws -> Comparison {
        let daemon = try BenchDaemon(folder)
        let (first, shop) = try await daemon.run { running in
            note("a daemon is ready; filling its shop with \(products) products")
            return (running.secondsToReady, try await BenchShop.fill(running.socket, products: products))
        }
        return try await daemon.run { running in
            let atRest = try running.residentKiB()
            let pgbench = try await PgBench(running, shop, folder, pricingd: daemon.program)
            var contest = Contest(seconds: seconds, socket: running.socket, shop: shop, pgbench: pgbench)
            for round in 1...rounds {
                note("round \(round) of \(rounds)")
                try await contest.round()
            }
            return Comparison(
                figures: contest.figures,
                rounds: rounds,
                seconds: seconds,
                products: products,
                restKiB: atRest,
                loadedKiB: try running.residentKiB(),
                firstReady: first,
                laterReady: running.secondsToReady
            )
        }
    }
}
