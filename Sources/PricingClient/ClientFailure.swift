import Glibc
import JSONRPC
import RPCTransport

/// The message and the exit code of a client whose call failed.
package enum ClientFailure {
    /// One sentence for people; for an error of another type, its own description.
    package static func sentence(_ error: any Error) -> String {
        switch error {
        case let error as RPCError: "\(error.message) (\(error.reason))"
        case RPCClientError.cannotConnect(let path, let errno):
            "no daemon answers at \(path) (\(reason(errno))); is pricingd running?"
        case RPCClientError.notTrusted(let path, let uid):
            "\(path) is served by uid \(uid), who is neither root, nor you (uid \(geteuid())), "
                + "nor the keeper of its folder"
        case RPCClientError.disconnected:
            "the daemon closed the connection; whether the call had an effect is not known"
        case RPCClientError.timedOut: "the daemon did not answer in time"
        case RPCClientError.malformedReply: "what answers is no pricing daemon"
        default: "\(error)"
        }
    }

    /// 1 for an error reply and everything else, 2 for no connection.
    package static func exitCode(_ error: any Error) -> Int32 {
        error is RPCClientError ? 2 : 1
    }

    private static func reason(_ errno: Int32) -> String {
        errno == 0 ? "the system does not say why" : unsafe String(cString: strerror(errno))
    }
}
