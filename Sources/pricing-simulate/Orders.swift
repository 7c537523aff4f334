import ArgumentParser
import Dispatch
import Glibc
import JSON
import PricingClient
import RPCTransport

/// `pricing-simulate orders`: places real orders and shows what they do to prices.
struct Orders: AsyncParsableCommand {
    /// How lines are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    static let configuration = CommandConfiguration(
        abstract: "Place orders at a steady rate and watch prices move; Ctrl-C ends it with a summary."
    )

    @OptionGroup var connection: SocketOptions

    @Option(help: "Calls a second.")
    var rate = 20.0

    @Option(help: "Seconds to run; for ever unless given.")
    var duration: Double?

    @Option(help: "Calls to make; no limit unless given.")
    var count: Int?

    @Option(help: "Same seed and shop, same calls.")
    var seed: UInt64 = 1

    @Option(help: "The share of calls that restock, 0 to 1.")
    var restockShare = 0.1

    @Flag(help: "Beside orders: quotes, taken and abandoned, returns, and campaigns that start.")
    var mix = false

    @Option(help: "Connections that carry the calls.")
    var connections = 1

    @Flag(help: "Print the summary only.")
    var quiet = false

    @Option(help: "How to print: text, or one JSON object a line.")
    var format = Format.text

    func validate() throws {
        guard rate > 0, rate <= 1_000_000 else { throw ValidationError("--rate must lie above 0, up to 1000000.") }
        guard duration.map({ $0 >= 0 && $0 <= 1e9 }) ?? true else {
            throw ValidationError("--duration must lie in 0 to 1000000000.")
        }
        guard count.map({ $0 >= 0 }) ?? true else { throw ValidationError("--count must not be negative.") }
        guard (0...1).contains(restockShare) else { throw ValidationError("--restock-share must lie in 0 to 1.") }
        guard (1...64).contains(connections) else { throw ValidationError("--connections must lie in 1 to 64.") }
    }

    func run() async throws {
        do {
            var clients: [RPCClient] = []
            for _ in 0..<connections { clients.append(try await connection.connect()) }
            let shop = try await ShopIDs.read(clients[0])
            try ShopLack.check(shop)
            let run = OrderRun(
                Shopper(
                    seed: seed,
                    customers: shop.customers,
                    products: shop.products,
                    restockShare: restockShare,
                    isMixed: mix
                ),
                Schedule(rate: rate, count: count, duration: duration),
                clients: clients,
                watcher: try await connection.connect(),
                onMove: printer
            )
            let signals = Orders.onInterrupt { run.interrupt() }
            let (ending, tally) = try await run.run()
            signals.forEach { $0.cancel() }
            printSummary(tally)
            if case .lost(let error) = ending { throw error }
        } catch {
            throw Failure.report(error)
        }
    }

    private var printer: @Sendable (PriceMove) -> Void {
        if quiet { return { _ in } }
        switch format {
        case .text: return { Terminal.output.line($0.line) }
        case .json: return { Terminal.output.line("\(JSONValue.object(["priceMove": .object($0.json)]))") }
        }
    }

    private func printSummary(_ tally: Tally) {
        switch format {
        case .json:
            Terminal.output.line("\(JSONValue.object(["summary": .object(tally.json)]))")
        case .text:
            if !quiet { Terminal.output.line("") }
            tally.lines.forEach(Terminal.output.line)
        }
    }

    /// Calls `action` at the first Ctrl-C or SIGTERM; the second one ends the program at once.
    private static func onInterrupt(_ action: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                action()
            }
            source.resume()
            return source
        }
    }
}
