import ArgumentParser
import JSON
import JSONRPC
import PricingClient
import PricingProtocol
import RPCTransport

/// `pricing-bench --work …`: one load on a daemon that runs already.
struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load a running daemon and tell calls a second and latency. Orders are real: they move its stock."
    )

    @Option(help: "The daemon's socket; by default where every client looks.")
    var socket: String?

    @Option(help: "What to call: \(Work.allCases.map(\.rawValue).joined(separator: ", ")).")
    var work: Work

    private static let limits = TransportLimits.defaults
    private static let mostLines = Int(CallLimit.orderLines.value)

    @Option(help: "Connections, 1 to \(limits.connections).")
    var connections = 1

    @Option(help: "Calls in flight on each connection, 1 to \(limits.inFlightPerConnection).")
    var depth = 1

    @Option(help: "How long, 1 to 3600 seconds.")
    var seconds = 5

    @Option(help: "An open loop of so many calls a second: latency counts from when a call was due.")
    var rate: Double?

    @Option(help: "Lines of each order, 1 to \(mostLines).")
    var lines = 1

    @Option(help: "Connections beside those that subscribe to every event, 0 to 64.")
    var subscribers = 0

    @Option(help: "How to print: a table, or one JSON object.")
    var format = Format.table

    func validate() throws {
        guard (1...Self.limits.connections).contains(connections) else {
            throw ValidationError("--connections must lie in 1 to \(Self.limits.connections).")
        }
        guard (1...Self.limits.inFlightPerConnection).contains(depth) else {
            throw ValidationError("--depth must lie in 1 to \(Self.limits.inFlightPerConnection).")
        }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds must lie in 1 to 3600.") }
        guard rate.map({ $0 > 0 && $0 <= 1_000_000 }) ?? true else {
            throw ValidationError("--rate must lie above 0, up to 1000000.")
        }
        guard (1...Self.mostLines).contains(lines) else {
            throw ValidationError("--lines must lie in 1 to \(Self.mostLines).")
        }
        guard (0...64).contains(subscribers) else { throw ValidationError("--subscribers must lie in 0 to 64.") }
    }

    func run() async throws {
        let path = SocketPath.ofServer(explicit: socket)
        var plan = LoadPlan(work: work, connections: connections, depth: depth, seconds: seconds, rate: rate)
        plan.lines = lines
        plan.subscribers = subscribers
        do {
            let client = try await RPCClient.connect(socket: path)
            let shop = work == .pings ? ShopIDs() : try await ShopIDs.read(client)
            await client.close()
            let report = try await LoadRun.run(plan, shop: shop, socket: path)
            format.show(report.json, report.lines)
        } catch {
            throw BenchFailure.report(error)
        }
    }
}
