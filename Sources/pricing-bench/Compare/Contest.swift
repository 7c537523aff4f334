import JSONRPC

/// What is measured, once a round.
enum Series: Hashable, Sendable {
    case orders, hotOrders, oneOrder, prices, pings, manyConnections, tail
    /// The rival's, with so many clients.
    case rivalOrders(clients: Int), rivalHotOrders(clients: Int), rivalPrices(clients: Int)
    case rivalOneOrder, jsonEcho, byteEcho, median
}

/// The figures of each round by what they measure.
typealias RoundFigures = [Series: [Double]]

/// Plays the rounds: daemon and rival in turn, never at once.
struct Contest: Sendable {
    /// Full load: so many calls in flight, over 8 connections or over 256.
    private static let inFlight = 256
    /// The share of full load at which the tail is measured.
    private static let calm = 0.7
    /// How long the daemon may number events before the next run begins, in seconds.
    private static let settling = 60

    private(set) var figures: RoundFigures = [:]
    private let seconds: Int
    private let socket: String
    private let shop: Shop
    private let pgbench: PgBench

    init(seconds: Int, socket: String, shop: Shop, pgbench: PgBench) {
        self.seconds = seconds
        self.socket = socket
        self.shop = shop
        self.pgbench = pgbench
    }

    /// Every measurement once.
    mutating func round() async throws {
        for clients in PgBench.clientCounts {
            let result = try await rival(.orders, clients, hasMedian: clients == 1)
            note(.rivalOrders(clients: clients), result.perSecond)
            if let median = result.medianMs { note(.rivalOneOrder, median) }
        }
        note(.oneOrder, try await load(.orders, connections: 1, depth: 1).milliseconds(50))
        let full = try await load(.orders, connections: 8, depth: Self.inFlight / 8).perSecond
        note(.orders, full)
        note(.manyConnections, try await load(.orders, connections: 256, depth: Self.inFlight / 256).perSecond)
        let calm = try await load(.orders, connections: 8, depth: Self.inFlight / 8, rate: max(1, full * Self.calm))
        note(.tail, calm.milliseconds(99))
        note(.median, calm.milliseconds(50))
        for clients in PgBench.clientCounts {
            note(.rivalHotOrders(clients: clients), try await rival(.orders, clients, isHot: true).perSecond)
        }
        note(.hotOrders, try await load(.ordersHot, connections: 8, depth: Self.inFlight / 8).perSecond)
        for clients in PgBench.clientCounts {
            note(.rivalPrices(clients: clients), try await rival(.price, clients).perSecond)
        }
        note(.prices, try await load(.prices, connections: 8, depth: Self.inFlight / 8).perSecond)
        let bytes = try ByteEchoServer.start(socket + ".bytes")
        note(.byteEcho, try await load(.pings, connections: 1, depth: Self.inFlight, of: bytes.path).perSecond)
        let json = try await JSONEchoServer.start(socket + ".json")
        note(.jsonEcho, try await load(.pings, connections: 1, depth: Self.inFlight, of: json.path).perSecond)
        try await json.close()
        note(.pings, try await load(.pings, connections: 1, depth: Self.inFlight).perSecond)
    }

    private mutating func note(_ series: Series, _ figure: Double?) {
        figures[series, default: []].append(figure ?? .nan)
    }

    private func rival(
        _ script: PgBench.Script,
        _ clients: Int,
        isHot: Bool = false,
        hasMedian: Bool = false
    ) async throws -> PgBench.Result {
        try await settle()
        return try await pgbench.run(script, clients: clients, seconds: seconds, isHot: isHot, hasMedian: hasMedian)
    }

    private func load(
        _ work: Work,
        connections: Int,
        depth: Int,
        rate: Double? = nil,
        of path: String? = nil
    ) async throws -> LoadReport {
        try await settle()
        let plan = LoadPlan(work: work, connections: connections, depth: depth, seconds: seconds, rate: rate)
        let report = try await LoadRun.run(plan, shop: shop, socket: path ?? socket)
        if let (reason, count) = report.refused.first { throw Failed(work: work, count: count, reason: reason) }
        // They would be missing from the slow end.
        let missing = report.unanswered + report.unsent
        if missing > 0 { throw Failed(work: work, count: missing, reason: "no answer in time") }
        return report
    }

    /// Calls that a contest does not expect to fail.
    struct Failed: Error, CustomStringConvertible {
        let work: Work
        let count: Int64
        let reason: String

        var description: String { "\(count) calls of \(work.rawValue) failed: \(reason)" }
    }

    /// Waits until the daemon has numbered the events of the run before, so that no run pays for another. An order of its
    /// own tells it to look: the rival does not.
    private func settle() async throws {
        guard let customer = shop.customers.first, let product = shop.products.last else { return }
        let client = try await RPCClient.connect(socket: socket)
        _ = try await client.call(
            "order.place",
            ["customerId": .integer(customer), "lines": [["productId": .integer(product), "quantity": 1]]]
        )
        let patience = Moment.now() + Int64(Self.settling) * Moment.second
        while Moment.now() < patience {
            let text = try await client.call("server.metrics")["text"]?.string ?? ""
            if text.contains("\npricingd_events_unnumbered 0\n") { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        await client.close()
    }
}
