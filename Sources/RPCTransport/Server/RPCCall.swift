package import JSON
package import JSONRPC
import Synchronization

/// The process at the other end of a connection, as the kernel reports it.
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

    /// For the log.
    package var label: String { "uid:\(uid) pid:\(pid)" }
}

/// One call that waits for its answer.
package final class RPCCall: Sendable {
    /// Its number among all calls of this server: a later one is greater.
    package let number: Int64
    /// Its id; nil for a notification, which is never answered.
    package let id: RequestID?
    package let method: String
    /// The parameters by name, `_meta` among them; empty when absent.
    package let params: JSONObject
    /// Cancelled when the caller sends `$/cancelRequest` or disconnects, or when a drain reaches its deadline.
    package let cancellation = Cancellation()
    /// When its line was read, or when a standstill of the process began before that: the earliest moment of its arrival.
    package let received: ContinuousClock.Instant
    /// When its line was read.
    package let read: ContinuousClock.Instant

    /// How many bytes of input it keeps in memory.
    let bytes: Int
    /// Where its reply goes.
    let place: ReplyPlace
    private let desk: ReplyDesk
    private let isAnswered = Atomic(false)

    init(
        number: Int64,
        id: RequestID?,
        method: String,
        params: JSONObject,
        received: Arrival,
        bytes: Int,
        place: ReplyPlace,
        desk: ReplyDesk
    ) {
        self.number = number
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

    /// Answers the call; to be called exactly once, from any thread. A notification's outcome is not sent.
    package func answer(_ outcome: Result<RPCReply, RPCError>) {
        retire()
        desk.answer(self, outcome)
    }

    /// Answers the call, instead of `answer`, with an error that many calls get: there is no room for it.
    package func refuse(_ error: ErrorText) {
        retire()
        desk.answer(self, error)
    }

    private func retire() {
        let wasAnswered = isAnswered.exchange(true, ordering: .relaxed)
        precondition(!wasAnswered, "a call is answered once")
        cancellation.retire()
    }
}

/// The answer to a call.
package struct RPCReply: Sendable {
    /// The text of a JSON object.
    package let result: JSONText
    /// Runs once this reply was added to the connection's output, so that what it sends comes after the reply. It does not
    /// run for a notification, for a peer that has disconnected, or when the reply was too large to be sent.
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
    /// Handles a call that needs no task: answers it before returning, or passes it on to be answered later
    /// (`RPCCall.answer`).
    ///
    /// Runs on the event loop, which other connections share, so it must neither block nor take long. Calls of long lines
    /// are not offered here.
    /// - Returns: false for a call that needs a task: `reply(to:)` gets it then.
    func handleInline(_ call: RPCCall) -> Bool

    /// Why a request of this method is refused for want of room, whatever its parameters; nil when they have to be seen.
    /// Runs on the event loop. Counts the call when it is refused.
    func refusal(of method: String, on connection: RPCConnection) -> ErrorText?

    /// Answers one call. Calls run concurrently, each in its task.
    func reply(to call: RPCCall) async throws(RPCError) -> RPCReply

    /// Whether calls of this method start before others and are not counted against the limit of waiting calls.
    func isUrgent(_ method: String) -> Bool

    /// Which connections are admitted first when little room for calls is left.
    func rank(of connection: RPCConnection) -> PeerRank

    /// A peer has connected. Throwing refuses it: it gets the error with id null and is disconnected.
    func connectionOpened(_ connection: RPCConnection) async throws(RPCError)

    /// The connection has ended; called once for each that `connectionOpened` accepted.
    func connectionClosed(_ connection: RPCConnection) async
}

extension RPCService {
    package func handleInline(_ call: RPCCall) -> Bool { false }

    package func refusal(of method: String, on connection: RPCConnection) -> ErrorText? { nil }

    package func isUrgent(_ method: String) -> Bool { false }

    package func rank(of connection: RPCConnection) -> PeerRank { .high }

    package func connectionOpened(_ connection: RPCConnection) async throws(RPCError) {}

    package func connectionClosed(_ connection: RPCConnection) async {}
}
