import ArgumentParser
import JSONRPC
import PricingClient
import PricingProtocol
import RPCTransport

/// The simulator's command line: an ordinary client that fills a shop with data, trades in it, and tries
/// policies.
@main
struct PricingSimulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pricing-simulate",
        abstract: "Fills a shop with data, trades in it, and tries pricing policies, as any client of pricingd could.",
        version: Release.version,
        subcommands: [Generate.self, Orders.self, Evaluate.self]
    )
}

/// Where the daemon listens.
struct SocketOptions: ParsableArguments {
    @Option(help: "The daemon's socket; by default where every client looks.")
    var socket: String?

    /// Connects, or ends the program with a sentence that says why it could not.
    func connect() async throws -> RPCClient {
        try await RPCClient.connect(socket: SocketPath.ofServer(explicit: socket))
    }
}

/// How a run ends when it does not end well: 1 an error reply, 2 no connection.
enum Failure {
    /// Says what went wrong on stderr; the exit code that fits it.
    static func report(_ error: any Error) -> ExitCode {
        Terminal.error.line("pricing-simulate: \(ClientFailure.sentence(error))")
        return ExitCode(ClientFailure.exitCode(error))
    }
}
