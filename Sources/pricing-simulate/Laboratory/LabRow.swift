import JSON

/// What one policy came to on one scenario, as `lab.run` gives it.
struct LabRow: Sendable, Equatable {
    /// The members that are printed, in this order.
    private static let members = [
        "scenario", "policy", "seasons", "mean", "share", "ci95", "changes", "reversals", "soldOut", "leftOver",
    ]

    let scenario: String
    let policy: String
    /// Mean value of a season, and half the width of its 95 % interval.
    let mean: Double
    let meanInterval: Double?
    /// The same as shares of the optimum; nil where it is not known.
    let share: Double?
    let shareInterval: Double?
    /// Price changes a season.
    let changes: Double
    /// The first season's path; empty unless asked for.
    let path: [PathPoint]
    /// The row for programs.
    let json: JSONObject

    /// Nil when the reply is none of a laboratory's.
    init?(_ row: JSONValue) {
        guard let scenario = row["scenario"]?.string, let policy = row["policy"]?.string,
            let mean = row["mean"]?.double, let changes = row["changes"]?.double
        else { return nil }
        self.scenario = scenario
        self.policy = policy
        self.mean = mean
        self.changes = changes
        meanInterval = row["meanCi95"]?.double
        share = row["share"]?.double
        shareInterval = row["ci95"]?.double
        path = (row["path"]?.array ?? []).compactMap(PathPoint.init)
        json = JSONObject(Self.members.map { ($0, row[$0] ?? .null) })
    }
}

/// One evaluation in a season.
struct PathPoint: Sendable, Equatable {
    /// Days from the season's start.
    let time: Double
    let price: Double
    let stock: Double
    /// What is estimated then, or believed; nil under a policy that goes by neither.
    let elasticity: Double?
    let rate: Double?

    init(time: Double, price: Double, stock: Double, elasticity: Double? = nil, rate: Double? = nil) {
        self.time = time
        self.price = price
        self.stock = stock
        self.elasticity = elasticity
        self.rate = rate
    }

    init?(_ point: JSONValue) {
        guard let time = point["t"]?.double, let price = point["price"]?.double, let stock = point["stock"]?.double
        else { return nil }
        self.init(
            time: time,
            price: price,
            stock: stock,
            elasticity: point["elasticity"]?.double,
            rate: point["rate"]?.double
        )
    }
}

extension JSONValue {
    /// A number for people to look at; no price is ever computed from one.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .decimal(let text): Double(text)
        default: nil
        }
    }
}
