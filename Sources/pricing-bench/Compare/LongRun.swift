import JSON

/// Full load for minutes, orders and prices at once, looked at again and again: what leaks or slows down shows.
struct LongRun: Sendable {
    /// Of each kind of call, one call in flight on each.
    private static let connections = Trial.inFlight / 2

    let daemon: BenchDaemon.Running
    let database: BenchDatabase
    /// Its seconds are those between two looks.
    let trial: Trial
    let minutes: Double

    /// Loads the daemon until the time is over; connections are made anew after each look.
    func run() async throws -> LongRunReport {
        var samples: [LongRunReport.Sample] = []
        let start = Moment.now()
        func elapsed() -> Double { Double(Moment.now() - start) / Double(60 * Moment.second) }
        while elapsed() < minutes {
            async let orders = trial.unsettled(.orders, connections: Self.connections)
            async let prices = trial.unsettled(.prices, connections: Self.connections)
            let (ordered, asked) = try await (orders.perSecond, prices.perSecond)
            let sample = LongRunReport.Sample(
                minute: elapsed(),
                residentKiB: try daemon.residentKiB(),
                orders: ordered,
                prices: asked
            )
            samples.append(sample)
            note(
                "\(JSONValue.number(sample.minute)) min: \(sample.residentKiB) KiB, \(JSONValue.number(ordered)) orders/s, "
                    + "\(JSONValue.number(asked)) prices/s"
            )
        }
        return LongRunReport(
            samples: samples,
            seconds: trial.seconds,
            peakKiB: try daemon.peakKiB(),
            tables: try await TableActivity.read(database)
        )
    }
}

/// What a long run came to.
struct LongRunReport: Report {
    /// One look.
    struct Sample: Sendable {
        /// Since the start.
        let minute: Double
        let residentKiB: Int64
        /// A second, since the look before.
        let orders: Double
        let prices: Double
    }

    let samples: [Sample]
    let seconds: Int
    let peakKiB: Int64
    /// Afterwards.
    let tables: [TableActivity]

    /// Change a minute by least squares over all looks but the first quarter, when caches fill; not a number for fewer
    /// than two.
    func slope(_ figure: (Sample) -> Double) -> Double {
        let settled = samples.dropFirst(samples.count / 4)
        let count = Double(settled.count)
        let meanX = settled.reduce(0) { $0 + $1.minute } / count
        let meanY = settled.reduce(0) { $0 + figure($1) } / count
        let spread = settled.reduce(0) { $0 + ($1.minute - meanX) * ($1.minute - meanX) }
        return settled.reduce(0) { $0 + ($1.minute - meanX) * (figure($1) - meanY) } / spread
    }

    var json: JSONObject {
        [
            "seconds": .integer(Int64(seconds)), "processors": .integer(processors),
            "samples": .array(
                samples.map { sample in
                    [
                        "minute": .number(sample.minute), "residentKiB": .integer(sample.residentKiB),
                        "orders": .number(sample.orders), "prices": .number(sample.prices),
                    ]
                }
            ),
            "highestKiB": .integer(peakKiB),
            "aMinute": [
                "residentKiB": .number(slope { Double($0.residentKiB) }), "orders": .number(slope { $0.orders }),
                "prices": .number(slope { $0.prices }),
            ],
            "tables": .array(tables.map(\.json)),
        ]
    }

    var lines: [String] {
        ["| minute | memory | orders | price.get |", "|---|---|---|---|"]
            + samples.map { sample in
                "| \(JSONValue.number(sample.minute)) | \(sample.residentKiB) KiB | \(JSONValue.number(sample.orders)) /s "
                    + "| \(JSONValue.number(sample.prices)) /s |"
            } + [
                "",
                "a minute, without the first quarter: \(JSONValue.number(slope { Double($0.residentKiB) })) KiB, "
                    + "\(JSONValue.number(slope { $0.orders })) orders/s, \(JSONValue.number(slope { $0.prices })) prices/s",
                "highest memory: \(peakKiB) KiB", "",
            ] + TableActivity.table(tables)
    }
}
