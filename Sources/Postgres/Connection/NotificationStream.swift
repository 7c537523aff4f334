package import Logging

/// Listens on a separate connection and thread, and reconnects until it is stopped.
package final class NotificationStream: Sendable {
    /// What the stream delivers.
    package enum Element: Sendable, Hashable {
        /// Listening has begun, or begun again after a lost connection or an overflow. Notifications from before may
        /// have been missed, so the consumer has to catch up.
        case listening
        /// A notification arrived.
        case notification(Notification)
    }

    /// The elements, for one consumer. Ends after `stop()`; releasing it stops the stream too.
    package let elements: AsyncStream<Element>

    private let control: ConnectionControl

    /// Starts listening.
    /// - Parameters:
    ///   - channels: quoted as they are, so case matters.
    ///   - capacity: elements kept for a slow consumer, at least 2; more are dropped, and `.listening` says so.
    /// - Throws: `.systemResources`; a server that cannot be reached is no error but tried again (50 ms, doubling to 1 s).
    package init(
        _ settings: ConnectionSettings,
        channels: [String],
        capacity: Int = 1024,
        logger: Logger
    ) throws(PostgresError) {
        let control = try ConnectionControl()
        let (elements, continuation) = AsyncStream.makeStream(
            of: Element.self,
            bufferingPolicy: .bufferingOldest(max(2, capacity))
        )
        self.control = control
        self.elements = elements
        continuation.onTermination = { _ in control.abandon() }
        try startThread(named: "pg listen") {
            let listener = Listener(control: control, continuation: continuation, logger: logger)
            listener.run(settings, channels)
            continuation.finish()
        }
    }

    deinit {
        stop()
    }

    /// Ends the stream; its thread and its connection end soon after.
    package func stop() {
        control.abandon()
    }
}

/// The thread's side of the stream.
private struct Listener {
    let control: ConnectionControl
    let continuation: AsyncStream<NotificationStream.Element>.Continuation
    let logger: Logger

    func run(_ settings: ConnectionSettings, _ channels: [String]) {
        let firstPause: Int32 = 50
        var pause = firstPause
        while !control.abandoned {
            let session = Session(control: control, logger: logger)
            do throws(PostgresError) {
                try session.connect(settings)
                try listen(session, channels)
                pause = firstPause
                try forward(session)
            } catch {
                if control.abandoned { return }
                logger.warning("the listening connection is lost", metadata: ["reason": "\(error)"])
            }
            // Only `stop()` may end the pause early.
            _ = waitUntilReady(-1, 0, or: control.wakeDescriptor, milliseconds: pause)
            pause = min(pause * 2, 1000)
        }
    }

    private func listen(_ session: Session, _ channels: [String]) throws(PostgresError) {
        for channel in channels {
            try session.script("listen \(quoted(channel))", name: "listen")
        }
        continuation.yield(.listening)
    }

    private func forward(_ session: Session) throws(PostgresError) {
        while true {
            while let notification = session.link.nextNotification() {
                // The last free place is kept for `.listening`, which tells the consumer that others were dropped.
                if case .enqueued(remaining: 1) = continuation.yield(.notification(notification)) {
                    continuation.yield(.listening)
                }
            }
            guard try session.link.waitForInput() else { return }
        }
    }
}
