import NIOCore
import Synchronization

/// Bytes on their way from a peer to the task that reads them. Bounded: the source stops when too much waits.
final class Inbox: Sendable {
    private struct State {
        var waiting = 0
        var isPaused = false
        var hasEnded = false
    }

    /// The source pauses beyond this many waiting bytes.
    private static let pauseBytes = 128 << 10

    /// The pieces in order; ends with the input.
    let pieces: AsyncStream<ByteBuffer>
    private let continuation: AsyncStream<ByteBuffer>.Continuation
    private let state = Mutex(State())

    init() {
        (pieces, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Whether input has ended, from either side.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Whether the source shall read on.
    var wantsMore: Bool { state.withLock { !$0.isPaused } }

    /// Takes a piece from the source; after the end it is thrown away.
    func put(_ piece: ByteBuffer) {
        let taken = state.withLock { state in
            guard !state.hasEnded else { return false }
            state.waiting += piece.readableBytes
            state.isPaused = state.waiting > Inbox.pauseBytes
            return true
        }
        if taken { continuation.yield(piece) }
    }

    /// A piece of `count` bytes was used up. True when the source must be told to read on.
    func used(_ count: Int) -> Bool {
        state.withLock { state in
            state.waiting -= count
            guard state.isPaused, state.waiting <= Inbox.pauseBytes else { return false }
            state.isPaused = false
            return true
        }
    }

    /// No more input. What was put before is still delivered.
    func end() {
        state.withLock { state in
            state.hasEnded = true
            state.isPaused = false
        }
        continuation.finish()
    }
}
