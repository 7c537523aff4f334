import Synchronization
import Testing

@testable import RPCTransport

struct CancellationTests {
    @Test func `handlers of a cancellation run once`() {
        let count = Mutex(0)
        let cancellation = Cancellation()
        cancellation.onCancel { count.withLock { $0 += 1 } }
        let removed = cancellation.onCancel { count.withLock { $0 += 100 } }
        cancellation.remove(removed)
        #expect(!cancellation.isCancelled)
        cancellation.cancel()
        cancellation.cancel()
        #expect(cancellation.isCancelled)
        #expect(count.withLock { $0 } == 1)
        cancellation.onCancel { count.withLock { $0 += 10 } }
        #expect(count.withLock { $0 } == 11)
    }
}
