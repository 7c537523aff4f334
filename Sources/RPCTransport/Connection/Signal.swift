/// Wakes one waiting task. A signal without a waiter is kept, so none is lost; several count as one.
struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func fire() {
        continuation.yield()
    }

    /// Ends every wait, now and later.
    func finish() {
        continuation.finish()
    }

    /// Waits for the next signal; returns at once after `finish()` or when the task is cancelled.
    func wait() async {
        for await _ in stream { return }
    }

    /// Waits for `finish()` whatever is signalled; returns early when the task is cancelled.
    func waitForFinish() async {
        for await _ in stream {}
    }
}
