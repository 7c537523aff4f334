package import JSON
package import JSONRPC
import Synchronization

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
package final class RPCCall: Sendable {
    /// Its id; nil for a notification, which is never answered.
    package let id: RequestID?
    package let method: String
    /// The parameters by name, `_meta` among them; empty when absent.
    package let params: JSONObject
    /// Told when the caller sends `$/cancelRequest`, when it goes away, or when a drain reaches its deadline.
    package let cancellation = Cancellation()
    /// When its line was read, or when a standstill of the process began before that: the earliest moment of its arrival.
    package let received: ContinuousClock.Instant
    /// When its line was read.
    package let read: ContinuousClock.Instant

    /// How many bytes of the input it holds.
    let bytes: Int
    /// Where its reply goes.
    let place: ReplyPlace
    private let desk: ReplyDesk
    private let isAnswered = Atomic(false)

    init(
        id: RequestID?,
        method: String,
        params: JSONObject,
        received: Arrival,
        bytes: Int,
        place: ReplyPlace,
        desk: ReplyDesk
    ) {
        self.id = id
        self.method = method
        self.params = params
        self.received = received.earliest
        read = received.read
        self.bytes = bytes
        self.place = place
        self.desk = desk
    }

    package var connection: RPCConnection { desk.connection }
    package var peer: Peer { desk.connection.peer }

    /// Answers it, from any thread; exactly once, whatever happens. The outcome of a notification is thrown away.
    package func answer(_ outcome: Result<RPCReply, RPCError>) {
        let wasAnswered = isAnswered.exchange(true, ordering: .relaxed)
        precondition(!wasAnswered, "a call is answered once")
        cancellation.retire()
        desk.answer(self, outcome)
    }
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
    /// Handles a call that wants no task: answers it before it returns, or hands it on to be answered later
    /// (`RPCCall.answer`).
    ///
    /// It is asked on the event loop, which other connections share, so it must neither block nor take long; calls of long
    /// lines are not offered.
    /// - Returns: false for a call that wants a task: `reply(to:)` gets it then.
    func handleInline(_ call: RPCCall) -> Bool

    /// Answers one call. Calls run side by side, each in a task of its own.
    func reply(to call: RPCCall) async throws(RPCError) -> RPCReply

    /// Whether calls of this method go ahead of the queue: they start first and ignore the limit of waiting calls.
    func isUrgent(_ method: String) -> Bool

    /// Who goes first when there is little room for calls.
    func rank(of connection: RPCConnection) -> PeerRank

    /// A peer has connected. Throwing refuses it: it gets that one error with id null, and a close.
    func connectionOpened(_ connection: RPCConnection) async throws(RPCError)

    /// The peer has gone or was sent away; called once for each connection that was accepted by `connectionOpened`.
    func connectionClosed(_ connection: RPCConnection) async
}

extension RPCService {
    package func handleInline(_ call: RPCCall) -> Bool { false }

    package func isUrgent(_ method: String) -> Bool { false }

    package func rank(of connection: RPCConnection) -> PeerRank { .high }

    package func connectionOpened(_ connection: RPCConnection) async throws(RPCError) {}

    package func connectionClosed(_ connection: RPCConnection) async {}
}
