import JSON

/// What a run came to.
struct Tally: Sendable {
    /// One product's prices as this run saw them: before its first move and after its last.
    private struct Move {
        let title: String
        let first: String
        var last: String
    }

    private var placed = 0
    private var restocks = 0
    private var quotesTaken = 0
    private var quotesAbandoned = 0
    private var returns = 0
    private var campaigns = 0
    private var refused: [String: Int] = [:]
    private var latencies: [Duration] = []
    private var priceMoves = 0
    private var moves: [Int64: Move] = [:]

    /// Notes an accepted call; `latency` counts from the moment when it was due.
    mutating func note(_ action: Shopper.Action, latency: Duration) {
        switch action {
        case .order: placed += 1
        case .restock: restocks += 1
        case .quote(_, let isTaken):
            if isTaken { (placed, quotesTaken) = (placed + 1, quotesTaken + 1) } else { quotesAbandoned += 1 }
        case .orderThatReturns: (placed, returns) = (placed + 1, returns + 1)
        case .campaign: campaigns += 1
        }
        latencies.append(latency)
    }

    /// Notes a call that was refused, by reason.
    mutating func note(refusal reason: String, latency: Duration) {
        refused[reason, default: 0] += 1
        latencies.append(latency)
    }

    /// Notes a price move.
    mutating func note(_ move: PriceMove) {
        priceMoves += 1
        moves[move.productId, default: Move(title: move.title, first: move.old, last: move.new)].last = move.new
    }

    /// The whole as JSON; latencies in milliseconds, null when nothing was called.
    var json: JSONObject {
        let refusals = refused.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.integer(Int64($0.value))) }
        let movers = largestMovers.map { id, move -> JSONValue in
            [
                "productId": .integer(id), "title": .string(move.title), "old": .string(move.first),
                "new": .string(move.last),
            ]
        }
        return [
            "placed": .integer(Int64(placed)), "refused": .object(JSONObject(refusals)),
            "restocks": .integer(Int64(restocks)), "quotesTaken": .integer(Int64(quotesTaken)),
            "quotesAbandoned": .integer(Int64(quotesAbandoned)), "returns": .integer(Int64(returns)),
            "campaigns": .integer(Int64(campaigns)), "priceMoves": .integer(Int64(priceMoves)),
            "latencyMs": [
                "median": latency(at: 0.5).map { .decimal(Figures.milliseconds($0)) } ?? nil,
                "p99": latency(at: 0.99).map { .decimal(Figures.milliseconds($0)) } ?? nil,
            ],
            "largestMovers": .array(movers),
        ]
    }

    /// The whole for people.
    var lines: [String] {
        var lines = ["orders placed   \(placed)"]
        for (reason, count) in refused.sorted(by: { ($0.value, $1.key) > ($1.value, $0.key) }) {
            lines.append("refused         \(count)  \(reason)")
        }
        lines.append("restocks        \(restocks)")
        if quotesTaken + quotesAbandoned > 0 {
            lines.append("quotes          \(quotesTaken) taken, \(quotesAbandoned) abandoned")
        }
        if returns > 0 { lines.append("returns         \(returns)") }
        if campaigns > 0 { lines.append("campaigns       \(campaigns)") }
        lines.append("price moves     \(priceMoves)")
        if let median = latency(at: 0.5), let p99 = latency(at: 0.99) {
            lines.append(
                "latency         median \(Figures.milliseconds(median)) ms, p99 \(Figures.milliseconds(p99)) ms"
            )
        }
        let movers = largestMovers
        if !movers.isEmpty { lines.append("largest movers") }
        for (_, move) in movers {
            lines.append("  \(move.title)  \(move.first) → \(move.last)  (\(Figures.change(move.first, move.last)))")
        }
        return lines
    }

    /// At most five products whose price ended farthest from where it was.
    private var largestMovers: [(Int64, Move)] {
        func distance(_ move: Move) -> Double { abs(Figures.ratio(move.first, move.last) - 1) }
        return moves.filter { $0.value.first != $0.value.last }
            .sorted { (distance($0.value), $1.key) > (distance($1.value), $0.key) }
            .prefix(5).map { ($0.key, $0.value) }
    }

    /// The latency that the given share of calls did not exceed.
    private func latency(at share: Double) -> Duration? {
        guard !latencies.isEmpty else { return nil }
        let place = Int((share * Double(latencies.count)).rounded(.up)) - 1
        return latencies.sorted()[min(max(place, 0), latencies.count - 1)]
    }
}
