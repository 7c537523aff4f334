import JSON
import JSONRPC
import PricingProtocol

/// More orders than the daemon can place, sent on schedule whatever becomes of them: what it still places, and how soon
/// it says no to the rest.
struct Overload: Sendable {
    /// What is offered, in peaks.
    static let factors = [2, 10]
    private static let connections = 32
    private static let full = TransportCode.resourceExhausted.reason
    /// On a slow machine the calls that wait are more than can be placed by their deadline.
    private static let expired = ErrorCode.deadlineExceeded.reason

    /// What is offered, a second.
    let offered: Double
    /// Orders placed in time, a second.
    let goodput: Double
    /// From when an accepted order was due to its result, the median, in milliseconds.
    let acceptedMs: Double
    /// The share of the calls that was refused at once, and of those that were taken and not done by their deadline.
    let refusedShare: Double
    let expiredShare: Double
    /// From when an order was due to its refusal, in milliseconds; not a number when none was refused.
    let refusalMs: Double
    let refusalTailMs: Double

    init(_ report: LoadReport) {
        func share(_ reason: String) -> Double {
            Double(report.refused[reason] ?? 0) / Double(max(1, report.answered))
        }
        offered = report.plan.rate ?? .nan
        goodput = report.perSecond
        acceptedMs = report.milliseconds(50) ?? .nan
        refusedShare = share(Self.full)
        expiredShare = share(Self.expired)
        refusalMs = report.milliseconds(50, refused: Self.full) ?? .nan
        refusalTailMs = report.milliseconds(99, refused: Self.full) ?? .nan
    }

    /// Offers so many orders a second. As many calls may be in flight as the daemon reads of a connection.
    /// - Throws: `Trial.Failed` when a call was refused for another reason than overload, or got no answer.
    static func run(_ trial: Trial, rate: Double) async throws -> Overload {
        let report = try await trial.load(
            .orders,
            connections: connections,
            depth: TransportLimits.defaults.inFlightPerConnection,
            rate: rate,
            mayRefuse: [full, expired]
        )
        return Overload(report)
    }

    /// The medians of several, beside the peak, as JSON.
    static func json(_ runs: [Overload], factor: Int, peak: Double) -> JSONValue {
        func middle(_ figure: (Overload) -> Double) -> JSONValue { .number(median(runs.map(figure))) }
        return [
            "timesPeak": .integer(Int64(factor)), "offered": middle(\.offered), "goodput": middle(\.goodput),
            "ofPeak": middle { $0.goodput / peak }, "acceptedMs": middle(\.acceptedMs),
            "refusedShare": middle(\.refusedShare), "expiredShare": middle(\.expiredShare),
            "refusalMs": ["p50": middle(\.refusalMs), "p99": middle(\.refusalTailMs)],
        ]
    }

    /// Rows of a Markdown table, head included; by factor.
    static func table(_ runs: [Int: [Overload]], peak: Double) -> [String] {
        [
            "| orders offered | placed | of the peak | result after, median | refused | after, median | p99 | expired |",
            "|---|---|---|---|---|---|---|---|",
        ]
            + factors.map { factor in
                func middle(_ figure: (Overload) -> Double) -> String {
                    "\(JSONValue.number(median((runs[factor] ?? []).map(figure))))"
                }
                return "| \(factor) × the peak, \(middle(\.offered)) /s | \(middle(\.goodput)) /s "
                    + "| \(middle { $0.goodput / peak }) | \(middle(\.acceptedMs)) ms "
                    + "| \(middle { $0.refusedShare * 100 }) % | \(middle(\.refusalMs)) ms "
                    + "| \(middle(\.refusalTailMs)) ms | \(middle { $0.expiredShare * 100 }) % |"
            }
    }
}
