import Testing

@testable import RPCTransport

struct StandstillTests {
    private let start = ContinuousClock.now

    private func after(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    @Test
    func `While the process runs, what is read arrives now`() {
        var standstill = Standstill(now: start)
        for time in stride(from: 100, through: 2000, by: 100) {
            #expect(standstill.arrival(now: after(time)) == after(time))
            standstill.beat(now: after(time + 20))
            #expect(standstill.arrival(now: after(time + 50)) == after(time + 50))
        }
    }

    @Test
    func `What is read after a standstill arrived when it began, whether a beat or a read comes first`() {
        var standstill = Standstill(now: start)
        standstill.beat(now: after(100))
        #expect(standstill.arrival(now: after(5000)) == after(100))
        standstill.beat(now: after(5001))
        #expect(standstill.arrival(now: after(5002)) == after(100))
        standstill.beat(now: after(5101))
        #expect(standstill.arrival(now: after(5300)) == after(100))
        standstill.beat(now: after(5201))
        standstill.beat(now: after(5301))
        #expect(standstill.arrival(now: after(5402)) == after(5402))
    }
}
