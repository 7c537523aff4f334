import HTTPTypes
import JSON
import Markup
import Synchronization

/// Hands what the one subscription brings to every open stream.
final class EventHub: Sendable {
    /// A reader that takes nothing for so long is cut off.
    static let silence = Duration.seconds(30)
    /// Something is sent at least so often, so that a proxy keeps the stream open.
    static let heartbeat = Duration.seconds(15)
    /// So many frames wait for a slow reader; one that misses more comes back by itself.
    static let framesKept = 256

    /// One open stream.
    struct Stream: Sendable {
        let id: Int
        let frames: AsyncStream<[UInt8]>
    }

    private struct Reader {
        let continuation: AsyncStream<[UInt8]>.Continuation
        let address: String
        let hangUp: @Sendable () -> Void
        /// Since when it has not taken what was given to it; nil when it has all.
        var owes: ContinuousClock.Instant?
    }

    private struct State {
        var conflation = Conflation()
        var backlog = Backlog()
        var readers: [Int: Reader] = [:]
        var nextID = 1
        var lastSent = ContinuousClock.now
        var awaySince: Moment?
        var isEnded = false
    }

    private let state = Mutex(State())
    private let most: Int
    private let mostPerAddress: Int

    /// - Parameters:
    ///   - most: streams at a time.
    ///   - mostPerAddress: of them from one address.
    init(most: Int, mostPerAddress: Int) {
        self.most = most
        self.mostPerAddress = mostPerAddress
    }

    /// The number of the last event taken: a page that read this first misses nothing that its stream brings after it.
    var sequence: Int64 { state.withLock { $0.conflation.sequence } }

    var streams: Int { state.withLock { $0.readers.count } }

    // MARK: what comes in

    /// Where a new subscription begins.
    func begin(at number: Int64) {
        state.withLock { state in
            if state.conflation.sequence == 0 { state.backlog.begin(at: number) }
            state.conflation.begin(at: number)
        }
    }

    /// Takes what the daemon sent, by the method of its notification.
    func take(_ method: String, _ params: JSONObject) {
        switch method {
        case "events.event": state.withLock { $0.conflation.take(event: params) }
        case "events.gap": state.withLock { $0.conflation.gap(to: params["toSequence"]?.integer) }
        default: break
        }
    }

    /// The daemon went, or came back; every page says so at once.
    func daemonChanged(awaySince: Moment?) {
        state.withLock { state in
            state.awaySince = awaySince
            EventHub.send(EventHub.link(state), to: &state)
        }
    }

    /// Sends what moved since the last time; called four times a second.
    func flush() {
        let silent = state.withLock { state -> [@Sendable () -> Void] in
            let now = ContinuousClock.now
            if let frame = state.conflation.drain() {
                let bytes = EventHub.block("moves", frame, id: state.conflation.sequence)
                state.backlog.add(state.conflation.sequence, bytes)
                EventHub.send(bytes, to: &state)
            } else if now - state.lastSent >= EventHub.heartbeat {
                EventHub.send(EventHub.link(state), to: &state)
            }
            let late = state.readers.filter { $0.value.owes.map { now - $0 > EventHub.silence } ?? false }
            for id in late.keys { state.readers.removeValue(forKey: id)?.continuation.finish() }
            return late.values.map(\.hangUp)
        }
        for hangUp in silent { hangUp() }
    }

    /// Ends every stream; none is opened after it.
    func end() {
        state.withLock { state in
            state.isEnded = true
            for reader in state.readers.values { reader.continuation.finish() }
            state.readers = [:]
        }
    }

    // MARK: who reads

    /// Opens a stream that goes on after a number; without one, from now.
    /// - Throws: 429 over a limit, 503 when the program ends.
    func open(after number: Int64?, address: String, hangUp: @escaping @Sendable () -> Void) throws(Refusal) -> Stream {
        let (frames, continuation) = AsyncStream.makeStream(
            of: [UInt8].self,
            bufferingPolicy: .bufferingOldest(EventHub.framesKept + Backlog.frames)
        )
        let opened: Result<Int, Refusal> = state.withLock { state in
            guard !state.isEnded else { return .failure(Refusal(503, "This server is going down.")) }
            let own = state.readers.values.count { $0.address == address }
            guard state.readers.count < most, own < mostPerAddress else {
                return .failure(Refusal(429, "Too many streams are open.", [(.retryAfter, "5")]))
            }
            let id = state.nextID
            state.nextID += 1
            continuation.yield(EventHub.link(state))
            if let number {
                if let missed = state.backlog.after(number) {
                    for frame in missed { continuation.yield(frame) }
                } else {
                    let frame: JSONObject = ["sequence": .integer(state.conflation.sequence), "items": [], "gap": true]
                    continuation.yield(EventHub.block("moves", frame, id: state.conflation.sequence))
                }
            }
            state.readers[id] = Reader(continuation: continuation, address: address, hangUp: hangUp, owes: .now)
            return .success(id)
        }
        return Stream(id: try opened.get(), frames: frames)
    }

    /// A reader took what it was given.
    func took(_ id: Int) { state.withLock { $0.readers[id]?.owes = nil } }

    func close(_ id: Int) {
        state.withLock { $0.readers.removeValue(forKey: id)?.continuation.finish() }
    }

    private static func send(_ bytes: [UInt8], to state: inout State) {
        let now = ContinuousClock.now
        state.lastSent = now
        for (id, reader) in state.readers {
            if case .dropped = reader.continuation.yield(bytes) {
                reader.continuation.finish()
                state.readers[id] = nil
            } else if reader.owes == nil {
                state.readers[id]?.owes = now
            }
        }
    }

    /// Whether the daemon answers.
    private static func link(_ state: State) -> [UInt8] {
        block("link", ["away": state.awaySince.map { .string($0.text) } ?? .null], id: nil)
    }

    /// One event of a stream; JSON has no line feed.
    private static func block(_ event: String, _ data: JSONObject, id: Int64?) -> [UInt8] {
        let head = (id.map { "id: \($0)\n" } ?? "") + "event: \(event)\ndata: "
        return Array(head.utf8) + data.serialized() + Array("\n\n".utf8)
    }
}
