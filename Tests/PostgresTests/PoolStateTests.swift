import PricingClient
import Testing

@testable import Postgres

struct PoolStateTests {
    private let gone = PostgresError(.connectionFailed, "refused")

    @Test
    func `Opens up to its capacity, then queues, then refuses`() {
        var pool = PoolState(capacity: 2, maxWaiting: 1)
        #expect(pool.acquire(1) == .open(0))
        #expect(pool.acquire(2) == .open(1))
        #expect(pool.acquire(3) == .wait)
        guard case .refuse(let error) = pool.acquire(4) else {
            Issue.record("the queue is bounded")
            return
        }
        #expect(error.kind == .poolExhausted)
        #expect(pool.status.waiting == 1)
        #expect(pool.status.opening == 2)
    }

    @Test
    func `A connection goes to the first waiter, else it is idle and the last one used is used first`() {
        var pool = PoolState(capacity: 2, maxWaiting: 9)
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        #expect(pool.opened(0) == [])
        #expect(pool.opened(1) == [])
        #expect(pool.acquire(3) == .wait)
        #expect(pool.acquire(4) == .wait)
        #expect(pool.release(1, usable: true) == [.init(waiter: 3, grant: .use(1))])
        #expect(pool.release(0, usable: true) == [.init(waiter: 4, grant: .use(0))])
        #expect(pool.release(1, usable: true) == [])
        #expect(pool.release(0, usable: true) == [])
        #expect(pool.status.idle == 2)
        #expect(pool.acquire(5) == .use(0))
    }

    @Test
    func `A broken connection's waiter opens a new one`() {
        var pool = PoolState(capacity: 1, maxWaiting: 9)
        _ = pool.acquire(1)
        _ = pool.opened(0)
        #expect(pool.acquire(2) == .wait)
        #expect(pool.release(0, usable: false) == [.init(waiter: 2, grant: .open(1))])
        #expect(pool.status.open == 0)
    }

    @Test
    func `While the server is down calls fail at once, and who tries again pauses ever longer`() {
        var pool = PoolState(capacity: 4, maxWaiting: 9)
        #expect(pool.tryAgain() == nil, "it is not down")
        _ = pool.acquire(1)
        #expect(pool.openFailed(0, reason: gone) == [])
        #expect(pool.status.isServerDown)
        for (number, pause) in [50, 100, 200, 400, 800, 1000, 1000].enumerated() {
            #expect(pool.acquire(2) == .refuse(gone))
            #expect(pool.pause == .milliseconds(pause))
            #expect(pool.tryAgain() == number + 1)
            #expect(pool.acquire(2) == .refuse(gone), "nobody waits for it")
            #expect(pool.openFailed(number + 1, reason: gone) == [])
        }
        #expect(pool.tryAgain() == 8)
        _ = pool.opened(8)
        #expect(!pool.status.isServerDown)
        #expect(pool.pause == .milliseconds(50))
        #expect(pool.acquire(3) == .open(9))
    }

    @Test
    func `The patient wait for a server that is down and are served when it is back`() {
        var pool = PoolState(capacity: 2, maxWaiting: 2)
        _ = pool.acquire(1, isPatient: true)
        _ = pool.openFailed(0, reason: gone)
        #expect(pool.acquire(2, isPatient: true) == .wait)
        #expect(pool.acquire(3, isPatient: true) == .wait)
        guard case .refuse(let full) = pool.acquire(4, isPatient: true) else {
            Issue.record("the queue is bounded for the patient too")
            return
        }
        #expect(full.kind == .poolExhausted)
        #expect(pool.tryAgain() == 1)
        #expect(pool.openFailed(1, reason: gone) == [], "they go on waiting")
        #expect(pool.tryAgain() == 2)
        #expect(pool.opened(2) == [.init(waiter: 2, grant: .open(3))])
        #expect(pool.release(2, usable: true) == [.init(waiter: 3, grant: .use(2))])
    }

    @Test
    func `Waiters are refused when the last chance of a connection is gone`() {
        var pool = PoolState(capacity: 1, maxWaiting: 9)
        _ = pool.acquire(1)
        #expect(pool.acquire(2) == .wait)
        #expect(pool.openFailed(0, reason: gone) == [.init(waiter: 2, grant: .refuse(gone))])
        #expect(pool.tryAgain() == 1)
    }

    @Test
    func `Who gave up waiting is not resumed`() {
        var pool = PoolState(capacity: 1, maxWaiting: 9)
        _ = pool.acquire(1)
        _ = pool.opened(0)
        _ = pool.acquire(2)
        #expect(pool.abandon(2) == true)
        #expect(pool.abandon(2) == false)
        #expect(pool.release(0, usable: true) == [])
    }

    @Test
    func `Closing refuses waiters and newcomers and drains`() {
        var pool = PoolState(capacity: 2, maxWaiting: 9)
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        _ = pool.opened(0)
        _ = pool.opened(1)
        _ = pool.release(0, usable: true)
        let closed = pool.close()
        #expect(closed.idle == [0])
        #expect(!pool.isDrained)
        #expect(pool.release(1, usable: true) == [])
        #expect(pool.isDrained)
        guard case .refuse(let error) = pool.acquire(3) else {
            Issue.record("closed")
            return
        }
        #expect(error.kind == .closed)
    }

    @Test(arguments: 1...50)
    func `Random histories keep the bounds and lose no waiter`(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var pool = PoolState(capacity: 3, maxWaiting: 5)
        var opening: Set<Int> = []
        var busy: Set<Int> = []
        var waiting: Set<Int> = []
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
            switch Int.random(in: 0...6, using: &generator) {
            case 0, 1: take(pool.acquire(step, isPatient: Bool.random(using: &generator)), step)
            case 2:
                guard let slot = opening.min() else { continue }
                opening.remove(slot)
                busy.insert(slot)
                resume(pool.opened(slot))
            case 3:
                guard let slot = opening.max() else { continue }
                opening.remove(slot)
                resume(pool.openFailed(slot, reason: gone))
            case 4:
                if opening.isEmpty, let slot = pool.tryAgain() { opening.insert(slot) }
            default:
                guard let slot = busy.sorted().randomElement(using: &generator) else { continue }
                busy.remove(slot)
                resume(pool.release(slot, usable: Bool.random(using: &generator)))
            }
            #expect(pool.status.waiting == waiting.count)
            #expect(pool.status.busy == busy.count)
            #expect(opening.count + busy.count + pool.status.idle <= 3)
            let isWoken = pool.status.isServerDown || opening.count + busy.count > 0
            #expect(waiting.isEmpty || isWoken, "somebody will wake the waiters")
        }
    }
}
