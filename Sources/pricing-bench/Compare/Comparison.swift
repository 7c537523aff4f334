import JSON

/// What came of all rounds: medians, ratios, and how each stands to its goal.
struct Comparison: Report {
    /// With 256 connections at full load the daemon should hold no more, in MiB.
    private static let memoryGoal = 150.0

    let figures: RoundFigures
    /// By what was offered, in peaks.
    let overloads: [Int: [Overload]]
    let rounds: Int
    let seconds: Int
    let products: Int
    /// Resident memory of the daemon before and after all rounds.
    let restKiB: Int64
    let loadedKiB: Int64
    /// Seconds to the ready line, with a cluster to make and with one that is there.
    let firstReady: Double
    let laterReady: Double
    /// After all rounds.
    let tables: [TableActivity]

    private func middle(_ series: Series) -> Double { median(figures[series] ?? []) }

    private func best(_ series: (Int) -> Series) -> Double {
        PgBench.clientCounts.map { middle(series($0)) }.max() ?? .nan
    }

    /// Every line, in order.
    var standings: [Standing] {
        besideOwnFunction + besideThinShop + besideItself
    }

    private var besideOwnFunction: [Standing] {
        let beside = "beside our own SQL function called by pgbench"
        let orders = best { .rivalOrders(clients: $0) }
        let hot = best { .rivalHotOrders(clients: $0) }
        let (one, rivalOne) = (middle(.oneOrder), middle(.rivalOneOrder))
        return [
            .rate("orders", "orders, \(beside)", middle(.orders), orders, atLeast: 1.8),
            .rate("hotOrders", "orders of one product, \(beside)", middle(.hotOrders), hot, atLeast: 6),
            .cost("oneOrder", "one order at a time, median, \(beside)", "ms", one, rivalOne, atMost: 1.4),
        ]
    }

    private var besideThinShop: [Standing] {
        let beside = "beside a thin shop"
        let orders = best { .thinOrders(clients: $0) }
        let hot = best { .thinHotOrders(clients: $0) }
        let (one, thinOne) = (middle(.oneOrder), middle(.thinOneOrder))
        return [
            .rate("thinOrders", "orders, \(beside)", middle(.orders), orders, atLeast: 2),
            .rate("thinHotOrders", "orders of one product, \(beside)", middle(.hotOrders), hot, atLeast: 6),
            .cost("thinOneOrder", "one order at a time, median, \(beside)", "ms", one, thinOne, atMost: 1.8),
            .cost("wal", "WAL of an order, \(beside)", "B", middle(.wal), middle(.thinWAL), atMost: nil),
            .cost(
                "disk",
                "an order in tables and indexes, \(beside)",
                "B",
                middle(.disk),
                middle(.thinDisk),
                atMost: nil
            ),
        ]
    }

    private var besideItself: [Standing] {
        let prices = best { .rivalPrices(clients: $0) }
        let memory = (figures[.memory]?.max() ?? .nan) / 1024
        return [
            .rate(
                "learning",
                "orders of products that learn, beside bands",
                middle(.learning),
                middle(.orders),
                atLeast: 0.9
            ),
            .rate("prices", "price.get, beside pgbench's select", middle(.prices), prices, atLeast: 1.5),
            .rate(
                "pings",
                "session.ping, beside a bare JSON-RPC echo",
                middle(.pings),
                middle(.jsonEcho),
                atLeast: 0.5
            ),
            .rate(
                "bytes",
                "session.ping, beside bytes sent back unread (no rival: what the socket alone takes)",
                middle(.pings),
                middle(.byteEcho),
                atLeast: nil
            ),
            .rate(
                "connections",
                "orders on 256 connections, beside 8",
                middle(.manyConnections),
                middle(.orders),
                atLeast: 0.8
            ),
            .cost(
                "tail",
                "p99 at 70 % of full load, beside its median",
                "ms",
                middle(.tail),
                middle(.median),
                atMost: 10
            ),
            .cost("memory", "highest memory with 256 connections", "MiB", memory, Self.memoryGoal, atMost: 1),
        ]
    }

    var json: JSONObject {
        func rivals(_ series: (Int) -> Series) -> JSONValue {
            .object(JSONObject(PgBench.clientCounts.map { ("\($0)", .number(middle(series($0)))) }))
        }
        return [
            "rounds": .integer(Int64(rounds)), "seconds": .integer(Int64(seconds)),
            "products": .integer(Int64(products)), "processors": .integer(processors),
            "standings": .array(standings.map(\.json)),
            "pgbench": [
                "orders": rivals { .rivalOrders(clients: $0) }, "hotOrders": rivals { .rivalHotOrders(clients: $0) },
                "prices": rivals { .rivalPrices(clients: $0) },
            ],
            "thinShop": [
                "orders": rivals { .thinOrders(clients: $0) }, "hotOrders": rivals { .thinHotOrders(clients: $0) },
            ],
            "overload": .array(
                Overload.factors.map { Overload.json(overloads[$0] ?? [], factor: $0, peak: middle(.orders)) }
            ),
            "residentKiB": ["atRest": .integer(restKiB), "afterLoad": .integer(loadedKiB)],
            "readySeconds": ["first": .number(firstReady), "later": .number(laterReady)],
            "tables": .array(tables.map(\.json)),
        ]
    }

    var lines: [String] {
        func clients(_ name: String, _ series: (Int) -> Series) -> String {
            "\(name): "
                + PgBench.clientCounts.map { "\($0) clients \(JSONValue.number(middle(series($0))))/s" }
                .joined(separator: ", ")
        }
        return Standing.table(standings) + [
            "",
            "medians of \(rounds) rounds, \(seconds) s each, \(products) products, \(processors) processors",
            clients("our own SQL function, orders") { .rivalOrders(clients: $0) },
            clients("our own SQL function, orders of one product") { .rivalHotOrders(clients: $0) },
            clients("a select, prices") { .rivalPrices(clients: $0) },
            clients("thin shop, orders") { .thinOrders(clients: $0) },
            clients("thin shop, orders of one product") { .thinHotOrders(clients: $0) },
            "memory of pricingd: \(restKiB) KiB at rest, \(loadedKiB) KiB after all rounds",
            "seconds to ready: \(JSONValue.number(firstReady)) first, \(JSONValue.number(laterReady)) later",
            "",
        ] + Overload.table(overloads, peak: middle(.orders)) + [""] + TableActivity.table(tables)
    }
}
