package import JSON
package import JSONRPC
import NIOCore
import NIOPosix
import Synchronization
import Waking

/// The connection to one peer: sends to it, and knows which of its calls are in flight.
package final class RPCConnection: Sendable {
    /// Whether a notification was taken.
    package enum SendResult: Sendable, Equatable {
        /// It was added to the output, after everything sent before; this many bytes wait now.
        case queued(pendingBytes: Int)
        /// It was not taken: more output would wait than the hard limit allows.
        case overflow
        /// It was not taken: the peer is gone or was sent away.
        case closed
    }

    /// What a call in flight is found by: the id that its peer gave it; the number of a notification, which has no id.
    fileprivate enum CallKey: Hashable {
        case id(RequestID)
        case number(Int64)

        init(_ call: RPCCall) {
            self = call.id.map { .id($0) } ?? .number(call.number)
        }
    }

    private struct State {
        var calls: [CallKey: RPCCall] = [:]
        var running = 0
        var runningBytes = 0
        var isWaitingForRoom = false
        var isWaitingForEnd = false
        var isGone = false
        var wasSentAway = false
        var isLeaving = false
        var partialSince: ContinuousClock.Instant?
        var hasPartialTimer = false
    }

    /// How long queued output may take to be written after `close()`.
    private static let closingGrace = Duration.seconds(2)
    /// Reading pauses while the request lines in flight hold more bytes than this in total.
    private static let inFlightBytes = 8 << 20

    /// Its number among all connections of this server, counted from 1.
    package let number: Int
    /// The process at the other end.
    package let peer: Peer

    /// The limits that it has to keep.
    package let limits: TransportLimits
    /// The file that mirrors its lines; nil when they are not mirrored.
    let record: ConversationMirror.Record?
    let inbox = Inbox()
    let outbox: Outbox
    private let transport: any ByteTransport
    private let budget: OutputBudget
    private let room: Waker
    private let gone = Waker()
    private let state = Mutex(State())
    private let refused = Atomic(false)

    init(
        number: Int,
        peer: Peer,
        transport: any ByteTransport,
        limits: TransportLimits,
        budget: OutputBudget? = nil,
        record: ConversationMirror.Record? = nil
    ) {
        let room = Waker()
        self.number = number
        self.peer = peer
        self.transport = transport
        self.limits = limits
        self.record = record
        self.room = room
        let budget = budget ?? OutputBudget(limits)
        self.budget = budget
        outbox = Outbox(budget: budget, onProgress: { room.wake() })
    }

    /// Whether a call of the last piece of input was refused for want of room.
    var wasRefused: Bool {
        get { refused.load(ordering: .relaxed) }
        set { refused.store(newValue, ordering: .relaxed) }
    }

    /// Bytes that wait to be written to this peer.
    package var pendingOutputBytes: Int { outbox.pending }

    /// How many bytes may wait to be written to it now, beside those of all other peers.
    package var outputShareBytes: Int { budget.shareBytes }

    /// Runs `body` once, as soon as less than so many bytes wait to be written, or when the peer is gone.
    package func whenPendingOutput(below bytes: Int, _ body: @escaping @Sendable () -> Void) {
        outbox.whenPending(below: bytes, body)
    }

    /// The event loop that carries it.
    var loop: any EventLoop { transport.loop }

    /// How many calls of this peer are in flight.
    package var callsInFlight: Int { state.withLock { $0.running } }

    /// Its calls that have no answer yet, in no order.
    var calls: [RPCCall] { state.withLock { Array($0.calls.values) } }

    /// Sends a notification, unless more than `limit` bytes of output would wait then: the hard limit, unless given. Never
    /// blocks.
    @discardableResult
    package func send(notification method: String, params: JSONText, limit: Int? = nil) -> SendResult {
        send(Envelope.notification(method, params), limit: limit ?? limits.outputHardBytes)
    }

    /// Ends the connection from our side: cancels its calls, reads no more, and gives queued output two seconds.
    package func close() {
        cancelCalls()
        leave()
    }

    /// Reads no more; calls in flight are still answered, and then queued output has two seconds.
    func leave() {
        sendAway()
        state.withLock { $0.isLeaving = true }
        if outbox.hasEnded { abortLater() }
    }

    /// Whether we ended the input, and not the peer.
    var wasSentAway: Bool { state.withLock { $0.wasSentAway } }

    /// Reads no more; calls in flight are still answered.
    func sendAway() {
        state.withLock { $0.wasSentAway = true }
        inbox.end()
    }

    /// Closes at once.
    func abort() {
        sendAway()
        transport.abort()
    }

    /// Puts one line into the output.
    @discardableResult
    func send(_ line: [UInt8], limit: Int = .max) -> SendResult {
        switch outbox.append(line, limit: limit) {
        case .queued(let wakes, let pending):
            record?.sent(line)
            if wakes { transport.wakeWriter(of: outbox) }
            return .queued(pendingBytes: pending)
        case .overflow: return .overflow
        case .closed: return .closed
        }
    }

    /// All replies are given: writes the rest of the output, closes, and waits until that is done.
    func finish(lingers: Bool) async {
        if outbox.end(lingers: lingers) { transport.wakeWriter(of: outbox) }
        if state.withLock({ $0.isLeaving }) { abortLater() }
        await gone.wait()
    }

    private func abortLater() {
        after(RPCConnection.closingGrace) { [transport] in transport.abort() }
    }

    private func after(_ delay: Duration, _ work: @escaping @Sendable () -> Void) {
        NIOSingletons.posixEventLoopGroup.next().scheduleTask(in: TimeAmount(delay), work)
    }

    /// The transport has closed: no reply can be sent any more.
    func transportClosed() {
        state.withLock { $0.isGone = true }
        inbox.end()
        outbox.close()
        cancelCalls()
        room.wake()
        gone.wake()
    }

    /// A piece of input was used up.
    func used(_ bytes: Int) {
        if inbox.used(bytes) { transport.resumeReading() }
    }
}

// MARK: calls in flight

extension RPCConnection {
    /// Whether the peer is gone.
    var isGone: Bool { state.withLock { $0.isGone } }

    /// Whether a call with this id has no answer yet.
    func isInFlight(_ id: RequestID) -> Bool { state.withLock { $0.calls[.id(id)] != nil } }

    /// Takes a call in flight and says how many there are now; nil when its id is in flight already.
    func begin(_ call: RPCCall) -> Int? {
        let key = CallKey(call)
        return state.withLock { state in
            guard state.calls[key] == nil else { return nil }
            state.calls[key] = call
            state.running += 1
            state.runningBytes += call.bytes
            return state.running
        }
    }

    /// Frees the call's id, so that the reader of the reply may use it again. Comes before the reply.
    func release(_ call: RPCCall) {
        let key = CallKey(call)
        _ = state.withLock { $0.calls.removeValue(forKey: key) }
    }

    /// The call is over and its reply, if any, was added to the output; returns how many calls are left.
    func end(_ call: RPCCall) -> Int {
        let (left, wakes) = state.withLock { state in
            state.running -= 1
            state.runningBytes -= call.bytes
            return (state.running, state.isWaitingForRoom || (state.isWaitingForEnd && state.running == 0))
        }
        if wakes { room.wake() }
        return left
    }

    /// Waits until `hasRoom`.
    func waitForRoom() async {
        while !hasRoom(), !Task.isCancelled {
            await room.wait()
        }
    }

    /// Waits until no call is in flight.
    func waitForCalls() async {
        state.withLock { $0.isWaitingForEnd = true }
        while callsInFlight > 0, !Task.isCancelled {
            await room.wait()
        }
    }

    /// Cancels one call; an id that is not in flight is ignored.
    func cancel(_ id: RequestID) {
        state.withLock { $0.calls[.id(id)] }?.cancellation.cancel()
    }

    /// Cancels all calls that want a reply, except `spared`.
    func cancelCalls(except spared: RPCCall? = nil) {
        for call in calls where call.id != nil && call !== spared {
            call.cancellation.cancel()
        }
    }

    /// Whether there is room for one more call: in flight, and in the output.
    func hasRoom() -> Bool {
        let isRead = outbox.pending < min(limits.outputPauseBytes, budget.shareBytes)
        return state.withLock { state in
            let hasRoom =
                state.isGone
                || (isRead && state.running < limits.inFlightPerConnection
                    && state.runningBytes < RPCConnection.inFlightBytes)
            state.isWaitingForRoom = !hasRoom
            return hasRoom
        }
    }
}

// MARK: lines that have not ended

extension RPCConnection {
    /// Notes when a line began that has not ended yet; nil when there is none. One timer a connection watches it.
    func notePartialLine(since start: ContinuousClock.Instant?) {
        let arms = state.withLock { state in
            state.partialSince = start
            guard start != nil, !state.hasPartialTimer, !transport.isPatient else { return false }
            state.hasPartialTimer = true
            return true
        }
        if arms { watchPartialLine(after: .seconds(limits.partialLineSeconds)) }
    }

    private func watchPartialLine(after delay: Duration) {
        after(delay) { [weak self] in self?.checkPartialLine() }
    }

    private func checkPartialLine() {
        let allowed = Duration.seconds(limits.partialLineSeconds)
        let left: Duration? = state.withLock { state in
            guard let start = state.partialSince else {
                state.hasPartialTimer = false
                return nil
            }
            return allowed - start.duration(to: .now)
        }
        guard let left else { return }
        guard left <= .zero else { return watchPartialLine(after: left) }
        let error = RPCError.resourceExhausted(.partialLineSeconds, limits, retryAfterMs: 0)
        send(Envelope.error(nil, error))
        sendAway()
    }
}
