import Glibc

/// Why a call has no reply. An error that the server replied is an `RPCError` instead.
package enum RPCClientError: Error, Sendable, Equatable {
    /// Nothing listens at the path, or we may not connect; `errno` is 0 when the system gave none.
    case cannotConnect(path: String, errno: Int32)
    /// The server at the path runs as neither root nor we nor the owner of its folder; nothing was sent to it.
    case notTrusted(path: String, uid: UInt32)
    /// The connection ended before the reply came; whether the call had an effect is not known.
    case disconnected
    /// No reply came within the caller's timeout; the server was asked to cancel.
    case timedOut
    /// The server sent something that is no JSON-RPC.
    case malformedReply
}

extension RPCClientError: CustomStringConvertible {
    /// One sentence for people.
    package var description: String {
        switch self {
        case .cannotConnect(let path, EACCES):
            "\(path) is not for you: it lets its daemon's user and groups in, and a group counts from the next login on"
        case .cannotConnect(let path, let errno):
            "no daemon answers at \(path) (\(Self.reason(errno))); is pricingd running?"
        case .notTrusted(let path, let uid):
            "\(path) is served by uid \(uid), who is neither root, nor you (uid \(geteuid())), "
                + "nor the keeper of its folder"
        case .disconnected: "the daemon closed the connection; whether the call had an effect is not known"
        case .timedOut: "the daemon did not answer in time"
        case .malformedReply: "what answers is no pricing daemon"
        }
    }

    private static func reason(_ errno: Int32) -> String {
        errno == 0 ? "the system does not say why" : unsafe String(cString: strerror(errno))
    }
}
