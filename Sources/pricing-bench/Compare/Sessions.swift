import JSON
import PricingClient

/// The same load over ever more connections, beside pgbench with as many clients.
struct Sessions: Sendable {
    private static let counts = [1, 2, 4, 8, 16, 32, 64, 128, 256]

    let trial: Trial
    let pgbench: PgBench

    /// Plays the rounds.
    func run(rounds: Int) async throws -> SessionsReport {
        var rows = Self.counts.map { SessionsReport.Row(connections: $0) }
        var stop: SessionsReport.Stop?
        for round in 1...rounds {
            for index in rows.indices {
                let count = rows[index].connections
                note("round \(round) of \(rounds): \(count) connections")
                rows[index].orders.append(SessionsReport.Figures(try await trial.load(.orders, connections: count)))
                rows[index].prices.append(SessionsReport.Figures(try await trial.load(.prices, connections: count)))
                if let stop, count >= stop.clients { continue }
                do {
                    rows[index].rivalOrders.append(try await rival(.orders, count))
                    rows[index].rivalPrices.append(try await rival(.prices, count))
                } catch BenchFailure.programFailed(_, let said) where Self.hasNoRoom(said) {
                    stop = SessionsReport.Stop(clients: count, said: said)
                }
            }
        }
        return SessionsReport(rows: rows, stop: stop, rounds: rounds, trial: trial)
    }

    /// Whether PostgreSQL refused pgbench for want of sessions.
    static func hasNoRoom(_ said: String) -> Bool {
        said.contains("connection slots are reserved") || said.contains("too many clients already")
    }

    private func rival(_ script: BenchDatabase.Script, _ clients: Int) async throws -> Double {
        try await trial.settle()
        return try await pgbench.run(script, clients: clients, seconds: trial.seconds).perSecond
    }
}

/// What each number of connections came to.
struct SessionsReport: Report {
    /// One load.
    struct Figures: Sendable {
        let perSecond: Double
        let p50: Double
        let p99: Double

        init(_ report: LoadReport) {
            perSecond = report.perSecond
            p50 = report.milliseconds(50) ?? .nan
            p99 = report.milliseconds(99) ?? .nan
        }
    }

    /// One number of connections: figures of each round; the rival's are empty where its server has no room.
    struct Row: Sendable {
        let connections: Int
        var orders: [Figures] = []
        var prices: [Figures] = []
        var rivalOrders: [Double] = []
        var rivalPrices: [Double] = []
    }

    /// Where pgbench gets no further.
    struct Stop: Sendable {
        let clients: Int
        /// The first line of its reason.
        let reason: String

        init(clients: Int, said: String) {
            self.clients = clients
            reason = said.split(separator: "\n").first.map { String($0) } ?? ""
        }
    }

    let rows: [Row]
    let stop: Stop?
    let rounds: Int
    let seconds: Int
    let products: Int

    init(rows: [Row], stop: Stop?, rounds: Int, trial: Trial) {
        self.rows = rows
        self.stop = stop
        self.rounds = rounds
        seconds = trial.seconds
        products = trial.shop.products.count
    }

    var json: JSONObject {
        func figures(_ figures: [Figures]) -> JSONValue {
            [
                "perSecond": .number(median(figures.map(\.perSecond))), "p50Ms": .number(median(figures.map(\.p50))),
                "p99Ms": .number(median(figures.map(\.p99))),
            ]
        }
        return [
            "rounds": .integer(Int64(rounds)), "seconds": .integer(Int64(seconds)),
            "products": .integer(Int64(products)), "processors": .integer(processors),
            "inFlight": .integer(Int64(Trial.inFlight)),
            "sessions": .array(
                rows.map { row in
                    [
                        "connections": .integer(Int64(row.connections)), "orders": figures(row.orders),
                        "prices": figures(row.prices),
                        "pgbench": [
                            "orders": .number(median(row.rivalOrders)), "prices": .number(median(row.rivalPrices)),
                        ],
                    ]
                }
            ),
            "pgbenchStops": stop.map { ["clients": .integer(Int64($0.clients)), "reason": .string($0.reason)] } ?? nil,
        ]
    }

    var lines: [String] {
        func cells(_ figures: [Figures]) -> String {
            "\(JSONValue.number(median(figures.map(\.perSecond)))) /s | \(JSONValue.number(median(figures.map(\.p50)))) ms "
                + "| \(JSONValue.number(median(figures.map(\.p99)))) ms"
        }
        func rival(_ figures: [Double]) -> String {
            figures.isEmpty ? "-" : "\(JSONValue.number(median(figures))) /s"
        }
        return [
            "| connections | orders | p50 | p99 | price.get | p50 | p99 | pgbench, orders | pgbench, prices |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
            + rows.map { row in
                "| \(row.connections) | \(cells(row.orders)) | \(cells(row.prices)) | \(rival(row.rivalOrders)) "
                    + "| \(rival(row.rivalPrices)) |"
            } + [
                "",
                "medians of \(rounds) rounds, \(seconds) s each, \(Trial.inFlight) calls in flight, \(products) products, "
                    + "\(processors) processors",
            ] + (stop.map { ["pgbench stops at \($0.clients) clients: \($0.reason)"] } ?? [])
    }
}
