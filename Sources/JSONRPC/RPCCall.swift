/// Who stands at the other end, as the kernel says.
package struct Peer: Sendable, Hashable {
    /// Process id at the time of connecting; 0 when unknown.
    package let pid: Int32
    /// User id.
    package let uid: UInt32
    /// Primary group id.
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}

/// One call that waits for its answer.
package struct RPCCall: Sendable {
    /// Its id; nil for a notification, which is never answered.
    package let id: RequestID?
    package let method: String
    /// The parameters by name, `_meta` among them; empty when absent.
    package let params: JSONObject
    package let peer: Peer
    package let connection: RPCConnection
    /// Told when the caller sends `$/cancelRequest`, when it goes away, or when a drain reaches its deadline.
    package let cancellation: Cancellation
    /// When its line was read, or when a standstill of the process began before that.
    package let received: ContinuousClock.Instant
}

/// The answer to a call.
package struct RPCReply: Sendable {
    /// The text of a JSON object.
    package let result: JSONText
    /// Runs once this very reply stands in the connection's output: whatever it sends comes after the reply.
    /// It does not run for a notification, for a peer that has gone, or when the reply was too large to be sent.
    package let afterReply: (@Sendable () -> Void)?

    package init(_ result: JSONText, afterReply: (@Sendable () -> Void)? = nil) {
        self.result = result
        self.afterReply = afterReply
    }

    package init(_ result: JSONObject, afterReply: (@Sendable () -> Void)? = nil) {
        self.init(JSONText(result), afterReply: afterReply)
    }
}

/// What answers the calls of a server.
package protocol RPCService: Sendable {
    /// Answers one call. Calls run side by side, each in a task of its own.
    func reply(to call: RPCCall) async throws(RPCError) -> RPCReply

    /// Whether calls of this method go ahead of the queue: they start first and ignore the limit of waiting calls.
    func isUrgent(_ method: String) -> Bool

    /// A peer has connected. Throwing refuses it: it gets that one error with id null, and a close.
    func connectionOpened(_ connection: RPCConnection) async throws(RPCError)

    /// The peer has gone or was sent away; called once for each connection that was accepted by `connectionOpened`.
    func connectionClosed(_ connection: RPCConnection) async
}

extension RPCService {
    package func isUrgent(_ method: String) -> Bool {
        method == "session.ping"
    }

    package func connectionOpened(_ connection: RPCConnection) async throws(RPCError) {}

    package func connectionClosed(_ connection: RPCConnection) async {}
}
