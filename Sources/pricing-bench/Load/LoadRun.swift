import Dispatch
import Glibc
import PricingClient
import RPCTransport

/// Carries out one load on one thread: it sends what is due, waits for the sockets, and notes what comes.
struct LoadRun {
    /// How long after its end a load waits for what is still due or in flight, in nanoseconds.
    private static let patience = 30 * Moment.second
    /// The longest that an open loop looks away from its sockets, in nanoseconds.
    private static let nap = 100_000 as Int64
    /// Above so many calls a second it looks at them once a millisecond, so that the load does not take the processors from
    /// what it measures.
    private static let busyRate = 10_000.0

    /// The callers, and behind them the subscribers.
    private let connections: [LoadConnection]
    private let sockets: SocketWatch
    /// The callers that have room for another call, in turn.
    private var ready: [Int]
    private var inFlight = 0
    /// The connections whose output waits for room.
    private var stuck: Set<Int> = []
    private var requests: Requests
    private var pace: Pace
    private var report: LoadReport
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    /// Runs a load to its end, on a thread of its own.
    /// - Throws: `.noConnection`; `.lacks`; `.connectionLost` when the daemon closes any connection.
    static func run(_ plan: LoadPlan, shop: ShopIDs, socket: String) async throws(BenchFailure) -> LoadReport {
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

    private init(_ plan: LoadPlan, shop: ShopIDs, socket: String) throws(BenchFailure) {
        requests = try Requests(plan.work, shop: shop, lines: plan.lines)
        var connections: [LoadConnection] = []
        for _ in 0..<plan.connections { connections.append(try LoadConnection(socket: socket, depth: plan.depth)) }
        for _ in 0..<plan.subscribers {
            let subscriber = try LoadConnection(socket: socket, depth: 1)
            subscriber.send(
                "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"events.subscribe\",\"params\":"
                    + "{\"topics\":[\"price\",\"stock\",\"order\"],\"overflow\":\"gap\"}}\n"
            )
            connections.append(subscriber)
        }
        sockets = SocketWatch(most: connections.count)
        for (number, connection) in connections.enumerated() {
            guard sockets.add(connection.descriptor, number: number) else {
                throw .noConnection(.cannotConnect(path: socket, errno: errno))
            }
        }
        self.connections = connections
        ready = Array(0..<plan.connections)
        report = LoadReport(plan)
        pace = Pace(start: Moment.now(), seconds: plan.seconds, rate: plan.rate)
    }

    private mutating func run() throws(BenchFailure) -> LoadReport {
        for number in connections.indices { try flush(number) }
        while true {
            let now = Moment.now()
            try send(now: now)
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
        var called: [Int] = []
        var rest = ready[...]
        while let number = rest.first, let intended = pace.next(now: now) {
            rest.removeFirst()
            connections[number].call(&requests, intended: intended)
            inFlight += 1
            called.append(number)
            if connections[number].hasRoom { rest.append(number) }
        }
        ready = Array(rest)
        for number in called where connections[number].hasOutput { try flush(number) }
    }

    /// Sends as much as a connection's socket takes; for the rest it is watched.
    private mutating func flush(_ number: Int) throws(BenchFailure) {
        let connection = connections[number]
        try connection.flush()
        guard connection.hasOutput != stuck.contains(number) else { return }
        if connection.hasOutput { stuck.insert(number) } else { stuck.remove(number) }
        sockets.change(connection.descriptor, number: number, wantsRoom: connection.hasOutput)
    }

    /// Waits until a socket has something for us, or the next call is due, and takes what came.
    private mutating func wait(now: Int64) throws(BenchFailure) {
        let next = ready.isEmpty ? nil : pace.due
        if let rate = pace.rate, rate > Self.busyRate, now < pace.end {
            var nap = timespec(tv_sec: 0, tv_nsec: Int(Moment.millisecond))
            unsafe _ = nanosleep(&nap, nil)
            return try receive(waiting: 0)
        }
        let left = max(0, (next ?? (now < pace.end ? pace.end : pace.end + Self.patience)) - now)
        if left < Moment.millisecond {
            // Finer than the wait's own clock; a reply that comes meanwhile is read this much late.
            var nap = timespec(tv_sec: 0, tv_nsec: Int(min(left, Self.nap)))
            unsafe _ = nanosleep(&nap, nil)
        }
        try receive(waiting: Int32(left / Moment.millisecond))
    }

    private mutating func receive(waiting milliseconds: Int32) throws(BenchFailure) {
        for news in sockets.wait(milliseconds: milliseconds) {
            if news.hasRoom { try flush(news.number) }
            if news.hasInput { try receive(from: news.number) }
        }
    }

    private mutating func receive(from number: Int) throws(BenchFailure) {
        let connection = connections[number]
        let end = pace.end
        let wasFull = !connection.hasRoom
        var moment: Int64?
        var answered = 0
        try connection.receive(&buffer) { intended, refusal in
            guard let intended else { return report.events += 1 }
            // A subscription's own reply is no call of the load.
            guard intended > 0 else { return report.noteSubscription(refusal: refusal) }
            let now = moment ?? Moment.now()
            moment = now
            answered += 1
            report.note(latency: now - intended, refusal: refusal, isInTime: now < end)
        }
        inFlight -= answered
        if wasFull, answered > 0 { ready.append(number) }
    }
}
