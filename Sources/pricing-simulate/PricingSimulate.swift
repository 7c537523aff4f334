import ArgumentParser
import JSONRPC
import PricingProtocol
import RPCTransport

/// The simulator's command line: an ordinary client that fills a shop with data, trades in it, and tries
/// policies.
@main
struct PricingSimulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pricing-simulate",
        abstract: "Fills a shop with data, trades in it, and tries pricing policies, as any client of pricingd could.",
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
        Terminal.error.line("pricing-simulate: \(sentence(error))")
        return ExitCode(error is RPCClientError ? 2 : 1)
    }

    /// One sentence for people.
    static func sentence(_ error: any Error) -> String {
        switch error {
        case RPCClientError.cannotConnect(let path, let errno):
            "no daemon answers at \(path) (errno \(errno)); is pricingd running?"
        case RPCClientError.notTrusted(let path, let uid): RPCClientError.distrust(path: path, uid: uid)
        case RPCClientError.disconnected: "the daemon closed the connection"
        case RPCClientError.timedOut: "the daemon did not answer in time"
        case RPCClientError.malformedReply: "the daemon's reply could not be understood"
        case let error as RPCError: "\(error.message) (\(error.reason))"
        default: "\(error)"
        }
    }
}
