import Logging
import RPCTransport

/// One line for each call that has ended, at level info; a slow one is told at notice. No parameter stands in it.
struct CallLog: Sendable {
    let logger: Logger

    /// A call that takes at least this many microseconds is slow.
    static let slowMicroseconds: Int64 = 1_000_000

    /// - Parameters:
    ///   - refusal: the reason of its error, nil for a success.
    ///   - actor: who called, as the records have it; nil where that was not found out.
    func ended(
        _ call: RPCCall,
        microseconds: Int64,
        refusal: String?,
        isSlow: Bool,
        actor: @autoclosure () -> String?
    ) {
        logger.log(
            level: isSlow ? .notice : .info,
            isSlow ? "slow call" : "call",
            metadata: [
                "method": "\(call.method.prefix(64))", "outcome": "\(refusal ?? "ok")",
                "milliseconds": "\(Double(microseconds) / 1000)", "peer": "\(call.peer.label)",
                "connection": "\(call.connection.number)", "actor": "\(actor() ?? "unknown")",
            ]
        )
    }

    /// A call that was refused by the beginning of its line.
    func refused(_ method: String, on connection: RPCConnection, _ reason: String) {
        logger.info(
            "call",
            metadata: [
                "method": "\(method)", "outcome": "\(reason)", "milliseconds": "0.0",
                "peer": "\(connection.peer.label)", "connection": "\(connection.number)", "actor": "unknown",
            ]
        )
    }
}
