import NIOCore
import Synchronization

/// Bytes that a peer sent and that are not read yet. When too many wait, the source is asked to pause.
final class Inbox: Sendable {
    private struct State {
        var pieces: CircularBuffer<ByteBuffer> = []
        var reader: CheckedContinuation<ByteBuffer?, Never>?
        var waiting = 0
        var isPaused = false
        var hasEnded = false
    }

    /// The source pauses beyond this many waiting bytes.
    private static let pauseBytes = 128 << 10

    private let state = Mutex(State())

    /// Whether input has ended, from either side.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Whether the source should read more.
    var wantsMore: Bool { state.withLock { !$0.isPaused } }

    /// The next piece, in order; nil at the end of the input. For one reader, which is resumed on its own actor: the
    /// isolation is passed on for that.
    func next(isolation: isolated (any Actor)? = #isolation) async -> ByteBuffer? {
        if let piece = dequeue() { return piece }
        return await withCheckedContinuation(isolation: isolation) { reader in
            let piece: ByteBuffer?? = state.withLock { state in
                if let piece = state.pieces.popFirst() { return piece }
                if state.hasEnded { return .some(nil) }
                state.reader = reader
                return nil
            }
            if let piece { reader.resume(returning: piece) }
        }
    }

    private func dequeue() -> ByteBuffer? {
        state.withLock { $0.pieces.popFirst() }
    }

    /// Takes a piece from the source; after the end it is dropped.
    func put(_ piece: ByteBuffer) {
        state.withLock { state in
            guard !state.hasEnded else { return nil as CheckedContinuation<ByteBuffer?, Never>? }
            state.waiting += piece.readableBytes
            state.isPaused = state.waiting > Inbox.pauseBytes
            if state.reader == nil { state.pieces.append(piece) }
            return state.reader.take()
        }?.resume(returning: piece)
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
            return state.reader.take()
        }?.resume(returning: nil)
    }
}
