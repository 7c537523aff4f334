/// Why a call has no reply. An error that the server replied is an `RPCError` instead.
package enum RPCClientError: Error, Sendable, Equatable {
    /// No server listens at the path, or it may not be used; `errno` is 0 when the system gave none.
    case cannotConnect(path: String, errno: Int32)
    /// The server at the path runs as neither root nor we nor the owner of its folder; nothing was sent to it.
    case notTrusted(path: String, uid: UInt32)
    /// The connection ended before the reply came; whether the call had an effect is not known.
    case disconnected
    /// No reply within the caller's own patience; the server was asked to cancel.
    case timedOut
    /// The server sent something that is no JSON-RPC.
    case malformedReply
}
