import Glibc
import Synchronization
import Testing
import Waking

private final class Counter: Sendable {
    let value = Atomic(0)
}

@Suite(.timeLimit(.minutes(1))) struct WakerTests {
    private static let never = ContinuousClock.Instant.now + .seconds(3600)

    @Test func `A wake without a sleeper ends the next wait, and only that`() async {
        let waker = Waker()
        waker.wake()
        waker.wake()
        await waker.wait()
        let end = ContinuousClock.now + .milliseconds(20)
        await waker.wait(until: end)
        #expect(.now >= end)
    }

    @Test func `Every task that sleeps is woken`() async {
        let waker = Waker()
        let awake = Counter()
        await withDiscardingTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    await waker.wait(until: Self.never)
                    awake.value.add(1, ordering: .relaxed)
                }
            }
            while awake.value.load(ordering: .relaxed) < 3 {
                waker.wake()
                await Task.yield()
            }
        }
    }

    @Test func `A thread that polls is woken until the pipe is reset`() throws {
        let pipe = try WakePipe()
        func isReady() -> Bool {
            var polled = pollfd(fd: pipe.reader, events: Int16(POLLIN), revents: 0)
            return unsafe poll(&polled, 1, 0) == 1
        }
        #expect(!isReady())
        pipe.wake()
        pipe.wake()
        #expect(isReady())
        #expect(isReady())
        pipe.reset()
        #expect(!isReady())
    }

    @Test func `A cancelled task waits no longer, and leaves the others waiting`() async {
        let waker = Waker()
        let cancelled = Task { await waker.wait() }
        let other = Task { await waker.wait(until: Self.never) }
        cancelled.cancel()
        await cancelled.value
        waker.wake()
        await other.value
    }
}
