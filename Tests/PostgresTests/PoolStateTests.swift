import Testing

@testable import Postgres

@Suite("Pool state")
struct PoolStateTests {
    private let start = ContinuousClock.now
    private let gone = PostgresError(.connectionFailed, "refused")

    private func after(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    @Test("Opens up to its capacity, then queues, then refuses")
    func bounds() {
        var pool = PoolState(capacity: 2, maxWaiting: 1)
        #expect(pool.acquire(1, now: start) == .open(0))
        #expect(pool.acquire(2, now: start) == .open(1))
        #expect(pool.acquire(3, now: start) == .wait)
        guard case .refuse(let error) = pool.acquire(4, now: start) else {
            Issue.record("the queue is bounded")
            return
        }
        #expect(error.kind == .poolExhausted)
        #expect(pool.status.waiting == 1)
        #expect(pool.status.opening == 2)
    }

    @Test("A connection goes to the first waiter, else it is idle and the last one used is used first")
    func reuse() {
        var pool = PoolState(capacity: 2, maxWaiting: 9)
        _ = pool.acquire(1, now: start)
        _ = pool.acquire(2, now: start)
        #expect(pool.opened(0) == [])
        #expect(pool.opened(1) == [])
        #expect(pool.acquire(3, now: start) == .wait)
        #expect(pool.acquire(4, now: start) == .wait)
        #expect(pool.release(1, usable: true, now: start) == [.init(waiter: 3, grant: .use(1))])
        #expect(pool.release(0, usable: true, now: start) == [.init(waiter: 4, grant: .use(0))])
        #expect(pool.release(1, usable: true, now: start) == [])
        #expect(pool.release(0, usable: true, now: start) == [])
        #expect(pool.status.idle == 2)
        #expect(pool.acquire(5, now: start) == .use(0))
    }

    @Test("A broken connection's waiter opens a new one")
    func replacement() {
        var pool = PoolState(capacity: 1, maxWaiting: 9)
        _ = pool.acquire(1, now: start)
        _ = pool.opened(0)
        #expect(pool.acquire(2, now: start) == .wait)
        #expect(pool.release(0, usable: false, now: start) == [.init(waiter: 2, grant: .open(1))])
        #expect(pool.status.open == 0)
    }

    @Test("While the server is down calls fail at once, and one tries again after each back-off")
    func backOff() {
        var pool = PoolState(capacity: 4, maxWaiting: 9)
        var now = start
        for pause in [50, 100, 200, 400, 800, 1000, 1000] {
            guard case .open(let slot) = pool.acquire(1, now: now) else {
                Issue.record("the back-off has passed")
                return
            }
            #expect(pool.openFailed(slot, reason: gone, now: now) == [])
            #expect(pool.acquire(2, now: now) == .refuse(gone))
            #expect(pool.acquire(2, now: now + .milliseconds(pause - 1)) == .refuse(gone))
            now += .milliseconds(pause)
        }
        guard case .open(let probe) = pool.acquire(3, now: now) else {
            Issue.record("one may try")
            return
        }
        #expect(pool.acquire(4, now: now) == .refuse(gone), "only one tries")
        _ = pool.opened(probe)
        #expect(!pool.status.isServerDown)
        guard case .open = pool.acquire(5, now: now) else {
            Issue.record("the server is up")
            return
        }
    }

    @Test("Waiters are refused when the last chance of a connection is gone")
    func refusedWaiters() {
        var pool = PoolState(capacity: 1, maxWaiting: 9)
        _ = pool.acquire(1, now: start)
        #expect(pool.acquire(2, now: start) == .wait)
        #expect(pool.openFailed(0, reason: gone, now: start) == [.init(waiter: 2, grant: .refuse(gone))])
        pool.mayTryAgain(now: start)
        #expect(pool.acquire(3, now: start) == .open(1))
    }

    @Test("Who gave up waiting is not resumed")
    func abandon() {
        var pool = PoolState(capacity: 1, maxWaiting: 9)
        _ = pool.acquire(1, now: start)
        _ = pool.opened(0)
        _ = pool.acquire(2, now: start)
        #expect(pool.abandon(2) == true)
        #expect(pool.abandon(2) == false)
        #expect(pool.release(0, usable: true, now: start) == [])
    }

    @Test("Closing refuses waiters and newcomers and drains")
    func close() {
        var pool = PoolState(capacity: 2, maxWaiting: 9)
        _ = pool.acquire(1, now: start)
        _ = pool.acquire(2, now: start)
        _ = pool.opened(0)
        _ = pool.opened(1)
        _ = pool.release(0, usable: true, now: start)
        let closed = pool.close()
        #expect(closed.idle == [0])
        #expect(!pool.isDrained)
        #expect(pool.release(1, usable: true, now: start) == [])
        #expect(pool.isDrained)
        guard case .refuse(let error) = pool.acquire(3, now: start) else {
            Issue.record("closed")
            return
        }
        #expect(error.kind == .closed)
    }

    @Test("Random histories keep the bounds and lose no waiter", arguments: 1...50)
    func random(seed: UInt64) {
        var generator = SplitMix(state: seed)
        var pool = PoolState(capacity: 3, maxWaiting: 5)
        var opening: Set<Int> = []
        var busy: Set<Int> = []
        var waiting: Set<Int> = []
        var now = start
        func take(_ grant: PoolState.Grant, _ waiter: Int) {
            switch grant {
            case .use(let slot): #expect(busy.insert(slot).inserted, "one user a connection")
            case .open(let slot): opening.insert(slot)
            case .wait: waiting.insert(waiter)
            case .refuse: break
            }
        }
        func resume(_ resumptions: [PoolState.Resumption]) {
            for resumption in resumptions {
                #expect(waiting.remove(resumption.waiter) != nil, "resumed once")
                take(resumption.grant, resumption.waiter)
            }
        }
        for step in 0..<500 {
            now += .milliseconds(Int.random(in: 0...40, using: &generator))
            switch Int.random(in: 0...5, using: &generator) {
            case 0, 1: take(pool.acquire(step, now: now), step)
            case 2:
                guard let slot = opening.min() else { continue }
                opening.remove(slot)
                busy.insert(slot)
                resume(pool.opened(slot))
            case 3:
                guard let slot = opening.max() else { continue }
                opening.remove(slot)
                resume(pool.openFailed(slot, reason: gone, now: now))
            default:
                guard let slot = busy.sorted().randomElement(using: &generator) else { continue }
                busy.remove(slot)
                resume(pool.release(slot, usable: Bool.random(using: &generator), now: now))
            }
            #expect(pool.status.waiting == waiting.count)
            #expect(pool.status.busy == busy.count)
            #expect(opening.count + busy.count + pool.status.idle <= 3)
            #expect(waiting.isEmpty || opening.count + busy.count > 0, "somebody will wake the waiters")
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
