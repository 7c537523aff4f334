import JSONRPC
import RPCTransport

/// What a client says of a call that gave no result, and how its program ends then.
package enum ClientFailure {
    /// One sentence for people; any other error says of itself what it has to say.
    package static func sentence(_ error: any Error) -> String {
        if let error = error as? RPCError { "\(error.message) (\(error.reason))" } else { "\(error)" }
    }

    /// 1 for an error reply and everything else, 2 for no connection.
    package static func exitCode(_ error: any Error) -> Int32 {
        error is RPCClientError ? 2 : 1
    }
}
