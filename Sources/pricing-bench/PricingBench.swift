import ArgumentParser
import Glibc
import JSON
import JSONRPC
import PricingClient
import PricingProtocol
import RPCTransport

/// The measuring command line: an ordinary client that loads a daemon, or sets one beside pgbench.
@main
struct PricingBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pricing-bench",
        abstract: "Measures a pricingd: calls a second, latency, and both beside pgbench.",
        version: Release.version,
        subcommands: [Measure.self, Compare.self],
        defaultSubcommand: Measure.self
    )
}

/// How results are printed.
enum Format: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case table
    /// One compact JSON object on one line.
    case json

    /// Prints a result.
    func show(_ json: JSONObject, _ lines: [String]) {
        switch self {
        case .json: print(JSONValue.object(json))
        case .table: lines.forEach { print($0) }
        }
    }
}

/// Why nothing, or no more, can be measured.
enum BenchFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no daemon, or one that is not trusted.
    case noConnection(RPCClientError)
    /// The daemon closed a connection, or sent what is no reply to us.
    case connectionLost
    /// The shop lacks what the load calls for.
    case lacks(String)
    /// A program could not be started, or did not end well; `said` is what it told.
    case programFailed(String, said: String)
    /// A file could not be read or written.
    case file(String, errno: Int32)
    /// A folder's disk has less room than a measurement may need, in bytes.
    case diskShort(String, needed: Int64, free: Int64)

    var description: String {
        switch self {
        case .noConnection(let error): ClientFailure.sentence(error)
        case .connectionLost: "the daemon closed the connection"
        case .lacks(let what): "the shop has no \(what); pricing-simulate generate makes some"
        case .programFailed(let name, let said): "\(name) failed: \(said)"
        case .file(let path, let errno): "\(path): \(Self.reason(errno))"
        case .diskShort(let path, let needed, let free):
            "\(path) has room for \(free >> 20) MiB; this shop may need \(needed >> 20) MiB"
        }
    }

    private static func reason(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }

    /// Says on stderr what went wrong; the exit code that fits it: 1 an error reply or a failed program, 2 no connection.
    static func report(_ error: any Error) -> ExitCode {
        note("pricing-bench: \(ClientFailure.sentence(error))")
        switch error {
        case BenchFailure.noConnection, BenchFailure.connectionLost: return ExitCode(2)
        default: return ExitCode(ClientFailure.exitCode(error))
        }
    }
}

/// Writes one line of progress to stderr.
func note(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    unsafe _ = write(2, bytes, bytes.count)
}
