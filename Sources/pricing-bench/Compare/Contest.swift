/// What is measured, once a round.
enum Series: Hashable, Sendable {
    case orders, hotOrders, oneOrder, prices, pings, manyConnections, tail
    /// The daemon's highest resident memory, in KiB, while 256 connections load it.
    case memory
    /// The rival's, with so many clients.
    case rivalOrders(clients: Int), rivalHotOrders(clients: Int), rivalPrices(clients: Int)
    case rivalOneOrder, jsonEcho, byteEcho, median
}

/// The figures of each round by what they measure.
typealias RoundFigures = [Series: [Double]]

/// Plays the rounds: daemon and rival in turn, never at once.
struct Contest: Sendable {
    /// The share of full load at which the tail is measured.
    private static let calm = 0.7
    private static let manyConnections = 256

    private(set) var figures: RoundFigures = [:]
    private let daemon: BenchDaemon.Running
    private let trial: Trial
    private let pgbench: PgBench

    init(_ daemon: BenchDaemon.Running, _ trial: Trial, _ pgbench: PgBench) {
        self.daemon = daemon
        self.trial = trial
        self.pgbench = pgbench
    }

    /// Every measurement once.
    mutating func round() async throws {
        for clients in PgBench.clientCounts {
            let result = try await rival(.orders, clients, hasMedian: clients == 1)
            note(.rivalOrders(clients: clients), result.perSecond)
            // One beside the other: what 32 clients leave behind for vacuum would slow only the second.
            guard let median = result.medianMs else { continue }
            note(.rivalOneOrder, median)
            note(.oneOrder, try await trial.load(.orders, connections: 1, depth: 1).milliseconds(50))
        }
        let full = try await trial.load(.orders).perSecond
        note(.orders, full)
        try daemon.forgetPeak()
        note(.manyConnections, try await trial.load(.orders, connections: Self.manyConnections).perSecond)
        note(.memory, Double(try daemon.peakKiB()))
        let calm = try await trial.load(.orders, rate: max(1, full * Self.calm))
        note(.tail, calm.milliseconds(99))
        note(.median, calm.milliseconds(50))
        for clients in PgBench.clientCounts {
            note(.rivalHotOrders(clients: clients), try await rival(.orders, clients, isHot: true).perSecond)
        }
        note(.hotOrders, try await trial.load(.ordersHot).perSecond)
        for clients in PgBench.clientCounts {
            note(.rivalPrices(clients: clients), try await rival(.prices, clients).perSecond)
        }
        note(.prices, try await trial.load(.prices).perSecond)
        let bytes = try ByteEchoServer.start(daemon.socket + ".bytes")
        note(.byteEcho, try await trial.load(.pings, connections: 1, of: bytes.path).perSecond)
        let json = try await JSONEchoServer.start(daemon.socket + ".json")
        note(.jsonEcho, try await trial.load(.pings, connections: 1, of: json.path).perSecond)
        try await json.close()
        note(.pings, try await trial.load(.pings, connections: 1).perSecond)
    }

    private mutating func note(_ series: Series, _ figure: Double?) {
        figures[series, default: []].append(figure ?? .nan)
    }

    private func rival(
        _ script: BenchDatabase.Script,
        _ clients: Int,
        isHot: Bool = false,
        hasMedian: Bool = false
    ) async throws -> PgBench.Result {
        try await trial.settle()
        return try await pgbench.run(
            script,
            clients: clients,
            seconds: trial.seconds,
            isHot: isHot,
            hasMedian: hasMedian
        )
    }
}
