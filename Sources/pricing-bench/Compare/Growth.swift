import JSON
import PricingClient
import RPCTransport

/// How a shop's speed and memory change as it grows: products by rows of history.
struct Growth: Sendable {
    /// Pages of `product.list` that are timed in a round, and the products on each.
    private static let pages = 20
    private static let pageSize = 100
    /// What the disk must have room for, in bytes: the database's own, the log of its writes and half as much again as was
    /// measured for a product and a history row.
    private static let roomOfDatabase: Int64 = 3 << 30
    private static let roomOfProduct: Int64 = 3 << 10
    private static let roomOfRow: Int64 = 3 << 9

    let products: [Int]
    let history: [Int]
    let seconds: Int
    let rounds: Int

    /// Opens a shop of each size after another, each in a folder of its own that is gone before the next, and lets its
    /// history grow in steps.
    /// - Throws: `.diskShort` before anything is written.
    func run() async throws -> GrowthReport {
        var sizes: [GrowthReport.Size] = []
        for count in products {
            sizes += try await WorkFolder.with { folder in
                let needed =
                    Self.roomOfDatabase + Self.roomOfProduct * Int64(count) + Self.roomOfRow * Int64(history.last ?? 0)
                let free = try folder.freeBytes()
                guard free >= needed else { throw BenchFailure.diskShort(folder.path, needed: needed, free: free) }
                return try await grow(products: count, in: folder)
            }
        }
        return GrowthReport(sizes: sizes, rounds: rounds, seconds: seconds)
    }

    private func grow(products count: Int, in folder: WorkFolder) async throws -> [GrowthReport.Size] {
        let daemon = try BenchDaemon(folder)
        let shop = try await daemon.run { running in
            try await BenchShop.open(try await BenchDatabase(running, folder), products: count)
        }
        var sizes: [GrowthReport.Size] = []
        var age = 0
        for rows in history {
            let added = rows - age
            let filling = try await daemon.run { running in
                let database = try await BenchDatabase(running, folder)
                let start = Moment.now()
                try await BenchShop.age(database, rows: added)
                return Double(Moment.now() - start) / Double(Moment.second)
            }
            age = rows
            sizes.append(
                try await daemon.run { running in
                    var size = GrowthReport.Size(products: count, history: rows, fillSeconds: filling)
                    size.restKiB = try running.residentKiB()
                    try await measure(Trial(socket: running.socket, shop: shop, seconds: seconds), &size)
                    size.peakKiB = try running.peakKiB()
                    return size
                }
            )
        }
        return sizes
    }

    private func measure(_ trial: Trial, _ size: inout GrowthReport.Size) async throws {
        // The first seconds after a start, when nothing is cached yet, are no cost of an order.
        _ = try await trial.load(.orders)
        for round in 1...rounds {
            note("\(size.products) products, \(size.history) rows of history: round \(round) of \(rounds)")
            size.orders.append(try await trial.load(.orders).perSecond)
            size.oneOrder.append(try await trial.load(.orders, connections: 1, depth: 1).milliseconds(50) ?? .nan)
            size.prices.append(try await trial.load(.prices).perSecond)
            size.page.append(try await pageTime(trial))
        }
    }

    /// The median time of a page, walking through the list, in milliseconds.
    private func pageTime(_ trial: Trial) async throws -> Double {
        let client = try await RPCClient.connect(socket: trial.socket)
        var pages = Pages(of: "product.list", limit: Int64(Self.pageSize))
        let first = pages
        var times: [Double] = []
        for _ in 0..<Self.pages {
            if pages.isAtEnd { pages = first }
            let start = Moment.now()
            _ = try await pages.next(client)
            times.append(Double(Moment.now() - start) / Double(Moment.millisecond))
        }
        await client.close()
        return median(times)
    }
}

/// What each size of a shop came to.
struct GrowthReport: Report {
    /// Of the orders of the first size, the last should keep this share.
    private static let kept = 0.7
    /// A daemon at rest on a shop of so many products should hold no more, in MiB.
    private static let restProducts = 100_000
    private static let restGoal = 40.0

    /// One size: figures of each round.
    struct Size: Sendable {
        let products: Int
        /// Rows that were written; what the rounds themselves add is not counted.
        let history: Int
        /// How long adding this step of the history took.
        let fillSeconds: Double
        var orders: [Double] = []
        var oneOrder: [Double] = []
        var prices: [Double] = []
        var page: [Double] = []
        /// Resident memory of the daemon just started, and its highest.
        var restKiB: Int64 = 0
        var peakKiB: Int64 = 0
    }

    let sizes: [Size]
    let rounds: Int
    let seconds: Int

    /// The last size beside the first, and the memory of a shop of no more products than its goal speaks of.
    var standings: [Standing] {
        guard let first = sizes.first, let last = sizes.last else { return [] }
        let orders = Standing.rate(
            "orders",
            "orders of the last size, beside the first",
            median(last.orders),
            median(first.orders),
            atLeast: Self.kept
        )
        let resting = sizes.filter { $0.products <= Self.restProducts }.map { Double($0.restKiB) / 1024 }.max()
        return [orders]
            + (resting.map { resting in
                [
                    .cost(
                        "memory",
                        "memory at rest, up to \(Self.restProducts) products",
                        "MiB",
                        resting,
                        Self.restGoal,
                        atMost: 1
                    )
                ]
            } ?? [])
    }

    private func kept(_ size: Size) -> Double { median(size.orders) / median(sizes.first?.orders ?? []) }

    var json: JSONObject {
        [
            "rounds": .integer(Int64(rounds)), "seconds": .integer(Int64(seconds)), "processors": .integer(processors),
            "sizes": .array(
                sizes.map { size in
                    [
                        "products": .integer(Int64(size.products)), "history": .integer(Int64(size.history)),
                        "orders": .number(median(size.orders)), "kept": .number(kept(size)),
                        "oneOrderMs": .number(median(size.oneOrder)), "prices": .number(median(size.prices)),
                        "pageMs": .number(median(size.page)),
                        "residentKiB": ["atRest": .integer(size.restKiB), "highest": .integer(size.peakKiB)],
                        "fillSeconds": .number(size.fillSeconds),
                    ]
                }
            ),
            "standings": .array(standings.map(\.json)),
        ]
    }

    var lines: [String] {
        [
            "| products | history | orders | of the first | one order | price.get | list page | at rest | highest |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
            + sizes.map { size in
                "| \(size.products) | \(size.history) | \(JSONValue.number(median(size.orders))) /s "
                    + "| \(JSONValue.number(kept(size))) | \(JSONValue.number(median(size.oneOrder))) ms "
                    + "| \(JSONValue.number(median(size.prices))) /s | \(JSONValue.number(median(size.page))) ms "
                    + "| \(size.restKiB) KiB | \(size.peakKiB) KiB |"
            } + [
                "", "medians of \(rounds) rounds, \(seconds) s each, \(processors) processors",
                "seconds to add each step of history: "
                    + sizes.map { "\(JSONValue.number($0.fillSeconds))" }.joined(separator: ", "),
                "",
            ] + Standing.table(standings)
    }
}
