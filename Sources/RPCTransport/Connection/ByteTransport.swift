import NIOCore

/// What carries the bytes of one connection: a socket of the event loop, or a pair of plain descriptors.
protocol ByteTransport: Sendable {
    /// Where the connection is read: beside its bytes, if they have an event loop.
    var loop: any EventLoop { get }

    /// The inbox has room again.
    func resumeReading()

    /// The outbox sleeps and has something to do.
    func wakeWriter(of outbox: Outbox)

    /// Closes at once, whatever waits.
    func abort()

    /// Whether half a line may wait for ever: a person may be typing it.
    var isPatient: Bool { get }
}
