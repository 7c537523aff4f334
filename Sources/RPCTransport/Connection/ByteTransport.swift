import NIOCore

/// What carries the bytes of one connection: a socket of the event loop, or a pair of plain descriptors.
protocol ByteTransport: Sendable {
    /// The event loop that handles the connection; the one that moves its bytes, if there is one.
    var loop: any EventLoop { get }

    /// The inbox has room again.
    func resumeReading()

    /// The outbox has something to write, and its writer is idle.
    func wakeWriter(of outbox: Outbox)

    /// Closes at once; output that still waits is lost.
    func abort()

    /// Whether a line may take any time to be completed, as when a person types it.
    var isPatient: Bool { get }
}
