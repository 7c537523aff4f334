import JSON
import PricingClient

/// Decides what the n-th call is. The same seed over the same shop decides the same, whatever the timing.
struct Shopper: Sendable {
    /// One call to make.
    enum Action: Sendable, Equatable {
        /// `order.place` with these parameters.
        case order(JSONObject)
        /// `inventory.restock` with these.
        case restock(JSONObject)
    }

    let seed: UInt64
    /// Ids of those who buy; not empty.
    let customers: [Int64]
    /// Ids of what is for sale, the most wanted first; not empty.
    let products: [Int64]
    /// How many of all calls restock, 0 to 1.
    let restockShare: Double

    /// The n-th call: an order of one to three products, the first ones of the shop most often, or a delivery of one.
    func action(_ n: Int) -> Action {
        var mixed = SplitMix64(seed: seed &+ UInt64(bitPattern: Int64(n)) &* 0xD134_2543_DE82_EF95)
        var random = SplitMix64(seed: mixed.next())
        let meta: JSONValue = ["actor": "pricing-simulate"]
        if Double.random(in: 0..<1, using: &random) < restockShare {
            let quantity = Int64.random(in: 20...60, using: &random)
            return .restock([
                "productId": .integer(favourite(of: products, &random)), "quantity": .integer(quantity),
                "reason": "simulated delivery", "_meta": meta,
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
        return .order([
            "customerId": .integer(favourite(of: customers, &random)), "lines": .array(lines), "_meta": meta,
        ])
    }

    /// One of the list, near its beginning more often: the first quarter as often as all the rest.
    private func favourite(of list: [Int64], _ random: inout SplitMix64) -> Int64 {
        let place = Double.random(in: 0..<1, using: &random)
        return list[min(Int(place * place * Double(list.count)), list.count - 1)]
    }
}
