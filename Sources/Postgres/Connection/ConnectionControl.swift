import CLibPQ
import Synchronization
import Waking

/// What other threads may do to a connection while its own thread is blocked: cancel, abandon, ask whether it is usable.
final class ConnectionControl: Sendable {
    private struct State {
        var handle: CancelHandle?
        var cancelRequested = false
        var abandoned = false
        var usable = true
    }

    /// How long a cancelled call waits for the server's answer before it gives the connection up.
    static let cancelGrace: Duration = .milliseconds(250)

    private let state = Mutex(State())
    private let pipe: WakePipe

    init() throws(PostgresError) {
        do throws(WakePipe.Failure) {
            pipe = try WakePipe()
        } catch {
            throw PostgresError(.systemResources, "no pipe could be opened (error \(error.errno))")
        }
    }

    /// Readable after `cancel()` or `abandon()`.
    var wakeDescriptor: Int32 { pipe.reader }
    /// Whether a cancel was asked for since the last `beginCall()`.
    var cancelRequested: Bool { state.withLock { $0.cancelRequested } }
    /// Whether the connection was given up from outside.
    var abandoned: Bool { state.withLock { $0.abandoned } }
    /// Whether the connection is open as far as is known.
    var usable: Bool { state.withLock { $0.usable } }

    /// Called by the connection's thread when it has connected, or with nil when the connection is gone.
    func connected(_ handle: CancelHandle?) {
        state.withLock {
            $0.handle = handle
            $0.usable = handle != nil
        }
    }

    /// Called by the connection's thread before a call, so that a cancel of an earlier call does not end this one.
    func beginCall() {
        let stale = state.withLock { state in
            defer { state.cancelRequested = false }
            return state.cancelRequested && !state.abandoned
        }
        if stale { pipe.reset() }
    }

    /// Sends a cancel request, on a separate thread since that connects and blocks. Does nothing without a connection.
    /// When no thread can be started, the waiting call loses its connection instead.
    func cancel() {
        let handle = state.withLock { state -> CancelHandle? in
            guard let handle = state.handle else { return nil }
            state.cancelRequested = true
            return handle
        }
        guard let handle else { return }
        pipe.wake()
        do {
            try startThread(named: "pg cancel") { handle.send() }
        } catch {
            abandon()
        }
    }

    /// Makes a blocked call fail at once with `.connectionLost`; the server is not told.
    func abandon() {
        state.withLock { $0.abandoned = true }
        pipe.wake()
    }
}

/// libpq's data for a cancel request. Any thread may use it, even after its connection was closed.
@safe final class CancelHandle: @unchecked Sendable {
    private let pointer: OpaquePointer

    init?(_ connection: OpaquePointer) {
        guard let pointer = unsafe PQgetCancel(connection) else { return nil }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe PQfreeCancel(pointer)
    }

    /// Connects, sends the request and waits until the server closes. A failure means that there is nothing to cancel.
    func send() {
        var reason: [CChar] = Array(repeating: 0, count: 256)
        unsafe _ = PQcancel(pointer, &reason, Int32(reason.count))
    }
}
