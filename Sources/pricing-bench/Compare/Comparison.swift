import Glibc
import JSONRPC

/// What came of all rounds: medians, ratios, and how each stands to its goal.
struct Comparison: Sendable {
    let figures: RoundFigures
    let rounds: Int
    let seconds: Int
    let products: Int
    /// Resident memory of the daemon before and after all rounds.
    let restKiB: Int64
    let loadedKiB: Int64
    /// Seconds to the ready line, with a cluster to make and with one that is there.
    let firstReady: Double
    let laterReady: Double

    /// One line of the comparison.
    struct Standing: Sendable {
        let name: String
        let title: String
        let unit: String
        /// Medians over the rounds; of a rival with several client counts, the best.
        let ours: Double
        let rival: Double
        /// Whether a larger ratio is better, and the ratio to reach; nil for a line that only informs.
        let isFloor: Bool
        let goal: Double?

        var ratio: Double { ours / rival }
        var isMet: Bool? { goal.map { isFloor ? ratio >= $0 : ratio <= $0 } }
    }

    /// The middle of the figures, the mean of the two in the middle of an even number; not a number for none.
    static func median(_ figures: [Double]) -> Double {
        let sorted = figures.sorted()
        guard !sorted.isEmpty, !figures.contains(where: \.isNaN) else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    private func median(_ series: Series) -> Double { Self.median(figures[series] ?? []) }

    private func best(_ series: (Int) -> Series) -> Double {
        PgBench.clientCounts.map { median(series($0)) }.max() ?? .nan
    }

    /// Every line, in order.
    var standings: [Standing] {
        func line(
            _ name: String,
            _ title: String,
            _ ours: Double,
            _ rival: Double,
            atLeast goal: Double?
        ) -> Standing {
            Standing(name: name, title: title, unit: "/s", ours: ours, rival: rival, isFloor: true, goal: goal)
        }
        func time(_ name: String, _ title: String, _ ours: Double, _ rival: Double, atMost goal: Double) -> Standing {
            Standing(name: name, title: title, unit: "ms", ours: ours, rival: rival, isFloor: false, goal: goal)
        }
        let orders = best { .rivalOrders(clients: $0) }
        let hot = best { .rivalHotOrders(clients: $0) }
        let prices = best { .rivalPrices(clients: $0) }
        return [
            line("orders", "orders, beside pgbench", median(.orders), orders, atLeast: 1.8),
            line("hotOrders", "orders of one product, beside pgbench", median(.hotOrders), hot, atLeast: 6),
            time("oneOrder", "one order at a time, median", median(.oneOrder), median(.rivalOneOrder), atMost: 1.4),
            line("prices", "price.get, beside pgbench's select", median(.prices), prices, atLeast: 1.5),
            line("pings", "session.ping, beside a bare JSON-RPC echo", median(.pings), median(.jsonEcho), atLeast: 0.5),
            line(
                "bytes",
                "session.ping, beside bytes sent back unread (no rival: what the socket alone takes)",
                median(.pings),
                median(.byteEcho),
                atLeast: nil
            ),
            line(
                "connections",
                "orders on 256 connections, beside 8",
                median(.manyConnections),
                median(.orders),
                atLeast: 0.8
            ),
            time("tail", "p99 at 70 % of full load, beside its median", median(.tail), median(.median), atMost: 10),
        ]
    }

    private static let processors = Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// The whole as JSON.
    var json: JSONObject {
        func rivals(_ series: (Int) -> Series) -> JSONValue {
            .object(JSONObject(PgBench.clientCounts.map { ("\($0)", .number(median(series($0)))) }))
        }
        return [
            "rounds": .integer(Int64(rounds)), "seconds": .integer(Int64(seconds)),
            "products": .integer(Int64(products)), "processors": .integer(Self.processors),
            "standings": .array(
                standings.map { line in
                    [
                        "name": .string(line.name), "title": .string(line.title), "unit": .string(line.unit),
                        "ours": .number(line.ours), "rival": .number(line.rival), "ratio": .number(line.ratio),
                        "goal": .string(line.isFloor ? "atLeast" : "atMost"),
                        "limit": line.goal.map { .number($0) } ?? .null,
                        "met": line.isMet.map { .bool($0) } ?? .null,
                    ]
                }
            ),
            "pgbench": [
                "orders": rivals { .rivalOrders(clients: $0) }, "hotOrders": rivals { .rivalHotOrders(clients: $0) },
                "prices": rivals { .rivalPrices(clients: $0) },
            ],
            "residentKiB": ["atRest": .integer(restKiB), "afterLoad": .integer(loadedKiB)],
            "readySeconds": ["first": .number(firstReady), "later": .number(laterReady)],
        ]
    }

    /// The whole for people: a Markdown table and what else was measured.
    var lines: [String] {
        let rows = standings.map { line in
            "| \(line.title) | \(JSONValue.number(line.ours)) \(line.unit) | \(JSONValue.number(line.rival)) \(line.unit) "
                + "| \(JSONValue.number(line.ratio)) | \(line.goal.map { "\(line.isFloor ? "≥" : "≤") \($0)" } ?? "none") "
                + "| \(line.isMet.map { $0 ? "yes" : "no" } ?? "-") |"
        }
        func clients(_ name: String, _ series: (Int) -> Series) -> String {
            "pgbench, \(name): "
                + PgBench.clientCounts.map { "\($0) clients \(JSONValue.number(median(series($0))))/s" }
                .joined(separator: ", ")
        }
        return ["| what | pricingd | beside | ratio | goal | met |", "|---|---|---|---|---|---|"] + rows + [
            "",
            "medians of \(rounds) rounds, \(seconds) s each, \(products) products, \(Self.processors) processors",
            clients("orders") { .rivalOrders(clients: $0) },
            clients("orders of one product") { .rivalHotOrders(clients: $0) },
            clients("prices") { .rivalPrices(clients: $0) },
            "memory of pricingd: \(restKiB) KiB at rest, \(loadedKiB) KiB after all rounds",
            "seconds to ready: \(JSONValue.number(firstReady)) first, \(JSONValue.number(laterReady)) later",
        ]
    }
}
