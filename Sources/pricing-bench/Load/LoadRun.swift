import Dispatch
import Glibc

/// Carries out one load on one thread: it sends what is due, waits for the sockets, and notes what comes.
struct LoadRun {
    /// How long after its end a load waits for what is still due or in flight, in nanoseconds.
    private static let patience = 30 * Moment.second
    /// The longest that an open loop looks away from its sockets, in nanoseconds.
    private static let nap = 100_000 as Int64

    private let callers: [LoadConnection]
    private let subscribers: [LoadConnection]
    private var requests: Requests
    private var pace: Pace
    private var report: LoadReport
    private var turn = 0
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    /// Runs a load to its end, on a thread of its own.
    /// - Throws: `.cannotConnect`; `.lacks`; `.connectionLost` when the daemon closes any connection.
    static func run(_ plan: LoadPlan, shop: Shop, socket: String) async throws(BenchFailure) -> LoadReport {
        let result = await withCheckedContinuation { done in
            DispatchQueue.global().async {
                done.resume(
                    returning: Result { () throws(BenchFailure) in
                        var run = try LoadRun(plan, shop: shop, socket: socket)
                        return try run.run()
                    }
                )
            }
        }
        return try result.get()
    }

    private init(_ plan: LoadPlan, shop: Shop, socket: String) throws(BenchFailure) {
        requests = try Requests(plan.work, shop: shop, lines: plan.lines)
        var callers: [LoadConnection] = []
        for _ in 0..<plan.connections { callers.append(try LoadConnection(socket: socket, depth: plan.depth)) }
        var subscribers: [LoadConnection] = []
        for _ in 0..<plan.subscribers {
            let subscriber = try LoadConnection(socket: socket, depth: 1)
            subscriber.send(
                "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"events.subscribe\",\"params\":"
                    + "{\"topics\":[\"price\",\"stock\",\"order\"],\"overflow\":\"gap\"}}\n"
            )
            subscribers.append(subscriber)
        }
        self.callers = callers
        self.subscribers = subscribers
        report = LoadReport(plan)
        pace = Pace(start: Moment.now(), seconds: plan.seconds, rate: plan.rate)
    }

    private mutating func run() throws(BenchFailure) -> LoadReport {
        for subscriber in subscribers { try subscriber.flush() }
        while true {
            let now = Moment.now()
            try send(now: now)
            let inFlight = callers.reduce(0) { $0 + $1.inFlight }
            if (pace.isDone(now: now) && inFlight == 0) || now >= pace.end + Self.patience {
                report.unanswered = Int64(inFlight)
                report.unsent = pace.owed
                return report
            }
            try wait(now: now)
        }
    }

    /// Sends what is due, one call a connection in turn, as long as any of them has room.
    private mutating func send(now: Int64) throws(BenchFailure) {
        var full = 0
        while full < callers.count {
            let caller = callers[turn]
            turn = (turn + 1) % callers.count
            guard caller.hasRoom else {
                full += 1
                continue
            }
            guard let intended = pace.take(now: now) else { break }
            caller.call(&requests, intended: intended)
            full = 0
        }
        for caller in callers where caller.hasOutput { try caller.flush() }
    }

    /// Waits until a socket has something for us, or the next call is due, and takes what came.
    private mutating func wait(now: Int64) throws(BenchFailure) {
        let all = callers + subscribers
        var waiting = all.map { connection in
            pollfd(fd: connection.descriptor, events: Int16(POLLIN | (connection.hasOutput ? POLLOUT : 0)), revents: 0)
        }
        let next = callers.contains { $0.hasRoom } ? pace.due : nil
        let left = max(0, (next ?? (now < pace.end ? pace.end : pace.end + Self.patience)) - now)
        if left < Moment.millisecond {
            // Finer than poll's own clock; a reply that comes meanwhile is read this much late.
            var nap = timespec(tv_sec: 0, tv_nsec: Int(min(left, Self.nap)))
            unsafe _ = nanosleep(&nap, nil)
        }
        guard unsafe poll(&waiting, nfds_t(waiting.count), Int32(left / Moment.millisecond)) > 0 else { return }
        for (connection, state) in zip(all, waiting) where state.revents != 0 {
            if state.revents & Int16(POLLOUT) != 0 { try connection.flush() }
            guard state.revents & ~Int16(POLLOUT) != 0 else { continue }
            try receive(from: connection)
        }
    }

    private mutating func receive(from connection: LoadConnection) throws(BenchFailure) {
        let end = pace.end
        var moment: Int64?
        try connection.receive(&buffer) { intended, refusal in
            guard let intended else { return report.events += 1 }
            // A subscription's own reply is no call of the load.
            guard intended > 0 else { return report.noteSubscription(refusal: refusal) }
            let now = moment ?? Moment.now()
            moment = now
            report.note(latency: now - intended, refusal: refusal, isInTime: now < end)
        }
    }
}
