import HTTPTypes
import JSON
import Markup
import NIOCore
import Synchronization

/// Hands what the subscriptions bring to every open stream: the one for everybody, and those of signed-in people.
final class EventHub: Sendable {
    /// Something is sent at least so often, so that a proxy keeps the stream open.
    static let heartbeat = Duration.seconds(15)
    /// So many frames wait for a slow reader; one that misses more comes back by itself.
    static let framesKept = 256

    /// One open stream.
    struct Stream: Sendable {
        let id: Int
        let frames: AsyncStream<[ByteBuffer]>
    }

    /// Who reads a stream.
    struct Peer: Sendable {
        let address: String
        /// What speaks for the signed-in person.
        var token: String?
        let hangUp: @Sendable () -> Void
    }

    private struct Reader {
        let continuation: AsyncStream<[ByteBuffer]>.Continuation
        let peer: Peer
        /// Since when it has not taken what was given to it; nil when it has all.
        var owes: ContinuousClock.Instant?
    }

    private struct State {
        var conflation = Conflation()
        var backlog = Backlog()
        var own = OwnStreams()
        /// The subscription for everybody; what others bring is somebody's own.
        var subscription: String?
        /// The number up to which readers were told what is for everybody.
        var sent: Int64 = 0
        var readers: [Int: Reader] = [:]
        var nextID = 1
        var lastSent = ContinuousClock.now
        var awaySince: Moment?
        var isEnded = false
        var figures = Figures()
    }

    /// What it tells of itself.
    struct Figures: Sendable {
        var streams = 0
        var people = 0
        var frames: Int64 = 0
        var dropped: Int64 = 0
        var sequence: Int64 = 0
    }

    private let state = Mutex(State())
    private let most: Int
    private let mostPerAddress: Int
    private let silence: Duration

    /// - Parameters:
    ///   - most: streams at a time.
    ///   - mostPerAddress: of them from one address.
    ///   - silence: a reader that takes nothing for so long is cut off.
    init(most: Int, mostPerAddress: Int, silence: Duration = .seconds(30)) {
        self.most = most
        self.mostPerAddress = mostPerAddress
        self.silence = silence
    }

    /// The number of the last event taken: a page that read this first misses nothing that its stream brings after it.
    var sequence: Int64 { state.withLock { $0.conflation.sequence } }

    var figures: Figures {
        state.withLock { state in
            var figures = state.figures
            figures.streams = state.readers.count
            figures.people = state.own.count
            figures.sequence = state.conflation.sequence
            return figures
        }
    }

    // MARK: what comes in

    /// Where a new subscription for everybody begins.
    func begin(_ subscription: String? = nil, at number: Int64) {
        state.withLock { state in
            state.subscription = subscription
            guard state.conflation.sequence == 0 else { return }
            state.backlog.begin(at: number)
            state.conflation.begin(at: number)
            state.sent = number
        }
    }

    /// Takes what the daemon sent, by the method of its notification.
    func take(_ method: String, _ params: JSONObject) {
        let subscription = params["subscription"]?.string
        state.withLock { state in
            if let subscription, subscription != state.subscription {
                return state.own.take(subscription, method, params)
            }
            switch method {
            case "events.event": state.conflation.take(event: params)
            case "events.gap": state.conflation.gap(to: params["toSequence"]?.integer)
            default: break
            }
        }
    }

    /// A person's own subscription was answered.
    func answered(_ token: String, _ outcome: OwnStreams.Outcome, on connection: Int) {
        state.withLock { $0.own.answered(token, outcome, on: connection) }
    }

    /// Whether a deed is of the connection that there is.
    func isCurrent(_ connection: Int) -> Bool { state.withLock { $0.own.connection == connection } }

    /// The daemon went, or came back; every page says so at once.
    func daemonChanged(awaySince: Moment?) {
        state.withLock { state in
            state.awaySince = awaySince
            if awaySince != nil { state.own.disconnected(at: state.conflation.sequence) }
            EventHub.send(EventHub.link(state), to: &state)
        }
    }

    // MARK: what goes out

    /// Sends what moved since the last time; called four times a second.
    /// - Returns: what is to be asked of the daemon.
    func flush() -> [OwnStreams.Deed] {
        let (silent, deeds) = state.withLock { state -> ([@Sendable () -> Void], [OwnStreams.Deed]) in
            let now = ContinuousClock.now
            for (readers, frame) in state.own.drain() { EventHub.send(frame, to: &state) { readers.contains($0) } }
            if let data = state.conflation.drain() {
                let frame = Frame("moves", data, sequence: state.conflation.sequence)
                state.backlog.add(frame)
                state.sent = frame.sequence
                EventHub.send(frame, to: &state)
            } else if now - state.lastSent >= EventHub.heartbeat {
                EventHub.send(EventHub.link(state), to: &state)
            }
            let late = state.readers.filter { $0.value.owes.map { now - $0 > silence } ?? false }
            for id in late.keys { EventHub.drop(id, &state) }
            return (late.values.map(\.peer.hangUp), state.awaySince == nil ? state.own.deeds() : [])
        }
        for hangUp in silent { hangUp() }
        return deeds
    }

    /// Ends every stream; none is opened after it.
    func end() {
        state.withLock { state in
            state.isEnded = true
            for reader in state.readers.values { reader.continuation.finish() }
            state.readers = [:]
        }
    }

    /// Sends a frame to those readers who may have it. One with events tells each where its stream stands after it.
    private static func send(_ frame: Frame, to state: inout State, where isMeant: (Int) -> Bool = { _ in true }) {
        let now = ContinuousClock.now
        state.lastSent = now
        state.figures.frames += 1
        let shared = frame.sequence > 0 ? [frame.whole(at: StreamPlace(state.sent))] : frame.parts(at: nil)
        for (id, reader) in state.readers where isMeant(id) {
            let parts =
                if frame.sequence > 0, let place = place(of: reader.peer, state) { frame.parts(at: place) } else {
                    shared
                }
            if case .dropped = reader.continuation.yield(parts) {
                drop(id, &state)
            } else if reader.owes == nil {
                state.readers[id]?.owes = now
            }
        }
    }

    /// Where the stream of a signed-in person stands; nil for that of anybody.
    private static func place(of peer: Peer, _ state: State) -> StreamPlace? {
        peer.token.flatMap { state.own.sent($0) }.map { StreamPlace(shared: state.sent, own: $0) }
    }

    private static func drop(_ id: Int, _ state: inout State) {
        state.figures.dropped += 1
        close(id, &state)
    }

    private static func close(_ id: Int, _ state: inout State) {
        guard let reader = state.readers.removeValue(forKey: id) else { return }
        reader.continuation.finish()
        if let token = reader.peer.token { state.own.leave(id, token) }
    }

    /// Whether the daemon answers.
    private static func link(_ state: State) -> Frame {
        Frame("link", ["away": state.awaySince.map { .string($0.text) } ?? .null])
    }

    // MARK: who reads

    /// Opens a stream that goes on after a place; without one, from now.
    /// - Throws: 429 over a limit, 503 when the program ends.
    func open(after place: StreamPlace?, _ peer: Peer) throws(Refusal) -> Stream {
        let (frames, continuation) = AsyncStream.makeStream(
            of: [ByteBuffer].self,
            bufferingPolicy: .bufferingOldest(EventHub.framesKept + Backlog.frames)
        )
        let opened: Result<Int, Refusal> = state.withLock { state in
            guard !state.isEnded else { return .failure(Refusal(503, "This server is going down.")) }
            let own = state.readers.values.count { $0.peer.address == peer.address }
            guard state.readers.count < most, own < mostPerAddress else {
                return .failure(Refusal(429, "Too many streams are open.", [(.retryAfter, "5")]))
            }
            let id = state.nextID
            state.nextID += 1
            for parts in EventHub.missed(by: id, peer, since: place, &state) { continuation.yield(parts) }
            state.readers[id] = Reader(continuation: continuation, peer: peer, owes: .now)
            return .success(id)
        }
        return Stream(id: try opened.get(), frames: frames)
    }

    /// What a reader is sent first: whether the daemon answers, and what came after its place.
    private static func missed(
        by reader: Int,
        _ peer: Peer,
        since place: StreamPlace?,
        _ state: inout State
    ) -> [[ByteBuffer]] {
        func gap(_ event: String, _ number: Int64) -> Frame {
            Frame(event, ["sequence": .integer(number), "items": [], "gap": true], sequence: number)
        }
        let last = state.conflation.sequence
        var at = StreamPlace(place?.shared ?? state.sent)
        var blocks = [link(state).parts(at: nil)]
        if let place {
            at.own = place.own
            for frame in state.backlog.after(place.shared) ?? [gap("moves", last)] {
                at.shared = frame.sequence
                if peer.token == nil { at.own = frame.sequence }
                blocks.append(frame.parts(at: at))
            }
        }
        if let token = peer.token {
            // Further back than what is kept for everybody no subscription is begun either.
            let from = place.flatMap { state.backlog.after($0.own) == nil ? nil : $0.own }
            let missed = state.own.join(reader, token, after: from ?? last)
            for frame in (from == nil && place != nil ? nil : missed) ?? [gap("own", last)] {
                at.own = frame.sequence
                blocks.append(frame.parts(at: at))
            }
        }
        return blocks
    }

    /// A reader took what it was given.
    func took(_ id: Int) { state.withLock { $0.readers[id]?.owes = nil } }

    func close(_ id: Int) { state.withLock { EventHub.close(id, &$0) } }
}
