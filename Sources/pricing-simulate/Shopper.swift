import JSON
import PricingClient

/// Decides what the n-th call is. The same seed over the same shop decides the same, whatever the timing.
struct Shopper: Sendable {
    /// What to do; each with the parameters of its first call.
    enum Action: Sendable, Equatable {
        /// `order.place`.
        case order(JSONObject)
        /// `inventory.restock`.
        case restock(JSONObject)
        /// `quote.create`; then the order under it, or nothing more.
        case quote(JSONObject, isTaken: Bool)
        /// `order.place`; the order is completed, and its first line comes back.
        case orderThatReturns(JSONObject)
        /// `campaign.create`, but for its end.
        case campaign(JSONObject)
    }

    /// Who made a call.
    static let meta: JSONValue = ["actor": "pricing-simulate"]

    let seed: UInt64
    /// Ids of those who buy; not empty.
    let customers: [Int64]
    /// Ids of what is for sale, the most wanted first; not empty.
    let products: [Int64]
    /// How many of all calls restock, 0 to 1.
    let restockShare: Double
    /// Whether some of those who would order ask for a quote first, bring goods back, or are met by a campaign.
    var isMixed = false

    /// The n-th call: an order of one to three products, the first ones of the shop most often, or a delivery of one. In
    /// a mix a fifth of the orders are asked for as quotes, of which half come to nothing, one in 20 returns in part,
    /// and one in 200 is a campaign on its products instead.
    func action(_ n: Int) -> Action {
        var mixed = SplitMix64(seed: seed &+ UInt64(bitPattern: Int64(n)) &* 0xD134_2543_DE82_EF95)
        var random = SplitMix64(seed: mixed.next())
        if Double.random(in: 0..<1, using: &random) < restockShare {
            let quantity = Int64.random(in: 20...60, using: &random)
            return .restock([
                "productId": .integer(favourite(of: products, &random)), "quantity": .integer(quantity),
                "reason": "simulated delivery", "_meta": Self.meta,
            ])
        }
        var quantities: [(product: Int64, quantity: Int64)] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let product = favourite(of: products, &random)
            let quantity = Int64.random(in: 1...3, using: &random)
            if !quantities.contains(where: { $0.product == product }) { quantities.append((product, quantity)) }
        }
        let lines = quantities.map { line -> JSONValue in
            ["productId": .integer(line.product), "quantity": .integer(line.quantity)]
        }
        let order: JSONObject = [
            "customerId": .integer(favourite(of: customers, &random)), "lines": .array(lines), "_meta": Self.meta,
        ]
        guard isMixed else { return .order(order) }
        switch Int.random(in: 0..<200, using: &random) {
        case 0:
            return .campaign([
                "name": .string("Simulated sale \(n)"),
                "percentOff": .integer(Int64.random(in: 1...6, using: &random) * 5),
                "productIds": .array(quantities.map { .integer($0.product) }), "_meta": Self.meta,
            ])
        case 1...10: return .orderThatReturns(order)
        case 11...50:
            var quote = order
            quote["ttlSeconds"] = 60
            return .quote(quote, isTaken: Bool.random(using: &random))
        default: return .order(order)
        }
    }

    /// One of the list, near its beginning more often: the first quarter as often as all the rest.
    private func favourite(of list: [Int64], _ random: inout SplitMix64) -> Int64 {
        let place = Double.random(in: 0..<1, using: &random)
        return list[min(Int(place * place * Double(list.count)), list.count - 1)]
    }
}
