import JSONRPC
import NIOCore
import Synchronization

/// Bytes to be written to a peer. What is added while one write runs is written together in the next.
final class Outbox: Sendable {
    /// What the writer does next.
    enum Step {
        /// Write these, then report `wrote(count)` and ask again.
        case write([ByteBuffer], count: Int)
        /// Nothing waits: be idle until `append` or `end` wakes the writer.
        case idle
        /// Everything is written and no more will come: close. `lingers`: the peer may still be sending.
        case end(lingers: Bool)
    }

    /// Whether appended bytes were taken.
    enum Appended {
        /// `wakes`: the writer is idle and must be woken. `pending`: bytes that wait now.
        case queued(wakes: Bool, pending: Int)
        /// More would wait than the limit allows; nothing was taken.
        case overflow
        /// The connection is closed or closing; nothing was taken.
        case closed
    }

    fileprivate struct State {
        /// Full pieces, and the one that is being filled, kept apart so that it grows without being copied.
        var pieces: CircularBuffer<ByteBuffer> = []
        var last = ByteBuffer()
        var pending = 0
        /// How many bytes the last write had: the next piece gets room for as many.
        var usualBytes = 0
        var isWriting = false
        var isEnding = false
        var lingers = false
        var isClosed = false
        /// Closures that wait until less than `below` bytes wait.
        var waiters: [(below: Int, run: @Sendable () -> Void)] = []
    }

    fileprivate static let pieceBytes = 64 << 10
    private static let writeBytes = 256 << 10

    private let state = Mutex(State())
    private let onProgress: @Sendable () -> Void
    private let budget: OutputBudget

    /// - Parameters:
    ///   - budget: where its bytes are counted with those of others.
    ///   - onProgress: called by the writer whenever bytes were written.
    init(budget: OutputBudget = OutputBudget(.defaults), onProgress: @escaping @Sendable () -> Void = {}) {
        self.budget = budget
        self.onProgress = onProgress
    }

    /// Bytes that wait, those in a running write included.
    var pending: Int { state.withLock { $0.pending } }

    /// Whether no more is taken.
    var hasEnded: Bool { state.withLock { $0.isEnding || $0.isClosed } }

    /// Adds bytes, unless more than `limit` would wait then.
    func append(_ bytes: [UInt8], limit: Int = .max) -> Appended {
        state.withLock { state in
            guard !state.isClosed, !state.isEnding else { return .closed }
            guard state.pending <= limit - bytes.count else { return .overflow }
            state.pending += bytes.count
            budget.add(bytes.count)
            state.put(bytes)
            defer { state.isWriting = true }
            return .queued(wakes: !state.isWriting, pending: state.pending)
        }
    }

    /// Takes no more; what waits is still written. True when the writer must be woken.
    func end(lingers: Bool = false) -> Bool {
        state.withLock { state in
            guard !state.isClosed, !state.isEnding else { return false }
            state.isEnding = true
            state.lingers = lingers
            defer { state.isWriting = true }
            return !state.isWriting
        }
    }

    /// The connection is gone: drops everything.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            state.pieces = []
            state.last = ByteBuffer()
            budget.remove(state.pending)
            state.pending = 0
            return state.removeReadyWaiters()
        }
        for waiter in waiters { waiter() }
        onProgress()
    }

    /// Runs `body` once, as soon as less than so many bytes wait, or when the connection is gone.
    func whenPending(below bytes: Int, _ body: @escaping @Sendable () -> Void) {
        let isNow = state.withLock { state in
            guard state.pending >= bytes, !state.isClosed else { return true }
            state.waiters.append((bytes, body))
            return false
        }
        if isNow { body() }
    }

    /// What the writer does next.
    func next() -> Step {
        state.withLock { state in
            guard !state.isClosed else { return .idle }
            guard state.hasBytes else {
                if state.isEnding { return .end(lingers: state.lingers) }
                state.isWriting = false
                return .idle
            }
            var pieces: [ByteBuffer] = []
            var count = 0
            while count < Outbox.writeBytes, let piece = state.dequeuePiece() {
                count += piece.readableBytes
                pieces.append(piece)
            }
            state.usualBytes = min(count, Outbox.pieceBytes)
            return .write(pieces, count: count)
        }
    }

    /// The writer has handed `count` bytes to the kernel.
    func wrote(_ count: Int) {
        let waiters = state.withLock { state in
            // A connection that is gone has nothing waiting.
            let written = min(count, state.pending)
            state.pending -= written
            budget.remove(written)
            return state.removeReadyWaiters()
        }
        for waiter in waiters { waiter() }
        onProgress()
    }
}

extension Outbox.State {
    fileprivate var hasBytes: Bool { !pieces.isEmpty || last.readableBytes > 0 }

    /// Adds bytes at the end, to the last piece while it has room.
    fileprivate mutating func put(_ bytes: [UInt8]) {
        if last.readableBytes > 0, last.readableBytes + bytes.count > Outbox.pieceBytes {
            pieces.append(last)
            last = ByteBuffer()
        }
        if last.readableBytes == 0 { last.reserveCapacity(max(bytes.count, usualBytes)) }
        last.writeBytes(bytes)
    }

    fileprivate mutating func dequeuePiece() -> ByteBuffer? {
        if let piece = pieces.popFirst() { return piece }
        guard last.readableBytes > 0 else { return nil }
        defer { last = ByteBuffer() }
        return last
    }

    /// Removes and returns the closures whose wait is over.
    fileprivate mutating func removeReadyWaiters() -> [@Sendable () -> Void] {
        guard !waiters.isEmpty else { return [] }
        let ready = waiters.filter { pending < $0.below || isClosed }.map(\.run)
        waiters.removeAll { pending < $0.below || isClosed }
        return ready
    }
}
