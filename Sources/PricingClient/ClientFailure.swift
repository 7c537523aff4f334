import JSONRPC
import RPCTransport

/// The message and the exit code of a client whose call failed.
package enum ClientFailure {
    /// One sentence for people; for an error of another type, its own description.
    package static func sentence(_ error: any Error) -> String {
        if let error = error as? RPCError { "\(error.message) (\(error.reason))" } else { "\(error)" }
    }

    /// 1 for an error reply and everything else, 2 for no connection.
    package static func exitCode(_ error: any Error) -> Int32 {
        error is RPCClientError ? 2 : 1
    }
}
