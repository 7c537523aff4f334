/// What is measured, once a round.
enum Series: Hashable, Sendable {
    case orders, hotOrders, oneOrder, prices, pings, manyConnections, tail, learning
    /// The daemon's highest resident memory, in KiB, while 256 connections load it.
    case memory
    /// Bytes an order.
    case wal, disk
    /// Of the daemon's own functions called by pgbench, with so many clients.
    case rivalOrders(clients: Int), rivalHotOrders(clients: Int), rivalPrices(clients: Int)
    case rivalOneOrder, jsonEcho, byteEcho, median
    /// Of the thin shop.
    case thinOrders(clients: Int), thinHotOrders(clients: Int)
    case thinOneOrder, thinWAL, thinDisk
}

/// The figures of each round by what they measure.
typealias RoundFigures = [Series: [Double]]

/// Plays the rounds: daemon and rivals in turn, never at once.
struct Contest: Sendable {
    /// The share of full load at which the tail is measured.
    private static let calm = 0.7
    private static let manyConnections = 256
    /// Clients of the thin shop while its footprint is measured.
    private static let footprintClients = 8

    private(set) var figures: RoundFigures = [:]
    /// By what was offered, in peaks.
    private(set) var overloads: [Int: [Overload]] = [:]
    private let daemon: BenchDaemon.Running
    private let trial: Trial
    /// The same on products that learn.
    private let learning: Trial
    private let pgbench: PgBench
    private let thin: PgBench

    /// Opens the shops that the daemon's own is measured beside.
    init(_ daemon: BenchDaemon.Running, _ trial: Trial, _ pgbench: PgBench) async throws {
        self.daemon = daemon
        self.trial = trial
        self.pgbench = pgbench
        let learning = try await BenchShop.openLearning(pgbench.database, beside: trial.shop)
        self.learning = Trial(socket: trial.socket, shop: learning, seconds: trial.seconds)
        let shop = try await BenchShop.openThin(pgbench.database, beside: trial.shop)
        thin = PgBench(database: pgbench.database.thin, shop: shop, folder: pgbench.folder)
    }

    /// Every measurement once.
    mutating func round() async throws {
        for clients in PgBench.clientCounts {
            let own = try await rival(pgbench, .orders, clients, hasMedian: clients == 1)
            note(.rivalOrders(clients: clients), own.perSecond)
            let thin = try await rival(thin, .thinOrders, clients, hasMedian: clients == 1)
            note(.thinOrders(clients: clients), thin.perSecond)
            // One beside the other: what 32 clients leave behind for vacuum would slow only the last.
            guard clients == 1 else { continue }
            note(.rivalOneOrder, own.medianMs)
            note(.thinOneOrder, thin.medianMs)
            note(.oneOrder, try await trial.load(.orders, connections: 1, depth: 1).milliseconds(50))
        }
        let full = try await trial.load(.orders).perSecond
        note(.orders, full)
        note(.learning, try await learning.load(.orders).perSecond)
        try daemon.forgetPeak()
        note(.manyConnections, try await trial.load(.orders, connections: Self.manyConnections).perSecond)
        note(.memory, Double(try daemon.peakKiB()))
        let calm = try await trial.load(.orders, rate: max(1, full * Self.calm))
        note(.tail, calm.milliseconds(99))
        note(.median, calm.milliseconds(50))
        for factor in Overload.factors {
            let overload = try await Overload.run(trial, rate: max(1, full * Double(factor)))
            overloads[factor, default: []].append(overload)
        }
        try await hotOrders()
        try await footprints()
        try await reads()
    }

    private mutating func hotOrders() async throws {
        for clients in PgBench.clientCounts {
            let own = try await rival(pgbench, .orders, clients, isHot: true)
            note(.rivalHotOrders(clients: clients), own.perSecond)
            let thin = try await rival(thin, .thinOrders, clients, isHot: true)
            note(.thinHotOrders(clients: clients), thin.perSecond)
        }
        note(.hotOrders, try await trial.load(.ordersHot).perSecond)
    }

    private mutating func footprints() async throws {
        let seconds = min(trial.seconds, Footprint.longest)
        let brief = Trial(socket: trial.socket, shop: trial.shop, seconds: seconds)
        try await brief.settle()
        let ours = try await Footprint.measure(pgbench.database, schema: "pricing") {
            let orders = Int64(try await brief.unsettled(.orders).answered)
            // Numbers their events, by an order of its own, which weighs nothing among so many.
            try await brief.settle()
            return orders
        }
        note(.wal, ours.walBytes)
        note(.disk, ours.diskBytes)
        let other = try await Footprint.measure(thin.database, schema: "thin") {
            try await thin.run(.thinOrders, clients: Self.footprintClients, seconds: seconds).transactions
        }
        note(.thinWAL, other.walBytes)
        note(.thinDisk, other.diskBytes)
    }

    private mutating func reads() async throws {
        for clients in PgBench.clientCounts {
            note(.rivalPrices(clients: clients), try await rival(pgbench, .prices, clients).perSecond)
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
        _ pgbench: PgBench,
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
