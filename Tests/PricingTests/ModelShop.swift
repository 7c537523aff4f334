import PricingClient

/// Orders as the documents have them, over products that are computed beside `sql/`. What a call must answer it says in
/// the words into which `OracleShop` puts the real answer.
struct ModelShop {
    /// An order as a client asks for it.
    struct Wanted: Equatable {
        struct Line: Equatable {
            var product: Int
            var quantity: Int
            var most: Int?
        }

        var customer: Int
        var lines: [Line]
        /// A quote's place, and its number in the shop; without lines all that it holds is wanted.
        var quote: Int?
        var quoteID: Int?

        var json: String {
            let said = lines.map { line in
                let most = line.most.map { #", "maxUnitPrice": "\#(money($0))""# } ?? ""
                return #"{"productId": \#(line.product), "quantity": \#(line.quantity)\#(most)}"#
            }
            let parts = [
                #""customerId": \#(customer)"#, quoteID.map { #""quoteId": \#($0)"# },
                lines.isEmpty ? nil : #""lines": [\#(said.joined(separator: ", "))]"#,
            ]
            return "{\(parts.compactMap(\.self).joined(separator: ", "))}"
        }
    }

    struct Order {
        let key: String?
        let wanted: Wanted
        let lines: [(product: Int, quantity: Int, price: Int)]
        let moves: [(product: Int, old: Int, new: Int)]
        let at: Int
        var status = "pending"
        var changedAt: Int
        /// Its number in the shop, once that has answered.
        var id: Int?

        var total: Int { lines.reduce(0) { $0 + $1.quantity * $1.price } }
    }

    /// What is to come of an order: the answer, and the place of the order that it names.
    struct Answer {
        let text: String
        let order: Int?
    }

    let customers: Set<Int>
    var clock: Int
    var products: [Int: ModelProduct]
    var orders: [Order] = []
    private(set) var keys: [String: Int] = [:]
    var quotes: [Quote] = []
    /// Each move of an order: its place, the status before and after, the hour.
    private(set) var moves: [(order: Int, old: String, new: String, at: Int)] = []

    mutating func place(_ wanted: Wanted, key: String?) -> Answer {
        if let place = key.flatMap({ keys[$0] }) {
            if orders[place].wanted != wanted { return refused("PR009", [:]) }
            return Answer(text: "t " + placed(orders[place]), order: place)
        }
        guard customers.contains(wanted.customer) else { return refused("PR401", ["userId": "\(wanted.customer)"]) }
        var lines = summed(wanted.lines)
        if let quote = wanted.quote {
            if lines.isEmpty {
                lines = summed(quotes[quote].lines.map { Wanted.Line(product: $0.product, quantity: $0.quantity) })
            }
            if let refusal = quoteRefusal(wanted, lines, quotes[quote]) { return refusal }
        }
        if let refusal = reserve(lines, wanted.customer, wanted.quote) { return refusal }
        if let quote = wanted.quote { close(quote, "ordered", order: orders.count) }
        let before = lines.map { products[$0.product]?.price ?? 0 }
        let bought = zip(lines, before).map { line, price in
            (
                product: line.product, quantity: line.quantity,
                price: min(price, locked(line.product, wanted.quote) ?? price)
            )
        }
        for line in lines {
            let isLast = line.product == lines.last?.product
            products[line.product]?.move(-line.quantity, "sale", order: orders.count, endsOrder: isLast, at: clock)
        }
        let moved = zip(lines, before).map { (product: $0.product, old: $1, new: products[$0.product]?.price ?? 0) }
        if let key { keys[key] = orders.count }
        let order = Order(
            key: key,
            wanted: wanted,
            lines: bought,
            moves: moved.filter { $0.old != $0.new },
            at: clock,
            changedAt: clock
        )
        orders.append(order)
        return Answer(text: "f " + placed(order), order: orders.count - 1)
    }

    func refusal(_ line: Wanted.Line, _ quote: Int? = nil, own: [Int] = []) -> Answer? {
        var facts = ["productId": "\(line.product)"]
        guard let product = products[line.product] else { return refused("PR101", facts) }
        if !product.isForSale || product.isArchived { return refused("PR102", facts) }
        let available = product.available + held(line.product, own) + (quote.map { held(line.product, [$0]) } ?? 0)
        if line.quantity > available {
            facts["requested"] = "\(line.quantity)"
            facts["available"] = "\(available)"
            return refused("PR201", facts)
        }
        let price = min(product.price, locked(line.product, quote) ?? product.price)
        guard let most = line.most, price > most else { return nil }
        facts["old"] = money(product.formerPrice)
        facts["new"] = money(product.price)
        facts["maxUnitPrice"] = money(most)
        return refused("PR204", facts)
    }

    func refused(_ state: String, _ facts: [String: String]) -> Answer {
        let said = facts.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        return Answer(text: "f \(state)" + said.joined(), order: nil)
    }

    private func placed(_ order: Order) -> String {
        let lines = order.lines.map { "\($0.product)×\($0.quantity)@\(money($0.price))" }
        let moves = order.moves.map { "\($0.product):\(money($0.old))→\(money($0.new))" }
        let parts = ["\(order.wanted.customer) pending \(money(order.total))"] + lines + moves + ["\(order.at)"]
        return parts.joined(separator: " ")
    }

    /// Moves an order to another status; from a cancelled or a returned one its units come back.
    mutating func move(_ place: Int, to status: String) -> String {
        let order = orders[place]
        guard order.status != status else { return "\(status) \(money(order.total))" }
        let kinds = ["cancelled": "cancel", "returned": "return"]
        let next = ["pending": ["processing", "cancelled"], "processing": ["completed", "cancelled"]]
        guard next[order.status, default: order.status == "completed" ? ["returned"] : []].contains(status) else {
            return "PR203"
        }
        if let kind = kinds[status] {
            for line in order.lines { products[line.product]?.move(line.quantity, kind, order: place, at: clock) }
        }
        moves.append((order: place, old: order.status, new: status, at: clock))
        (orders[place].status, orders[place].changedAt) = (status, clock)
        return "\(status) \(money(order.total))"
    }

    /// A restock or an adjustment.
    mutating func move(_ id: Int, by quantity: Int, _ kind: String) -> String {
        guard let product = products[id] else { return "PR101" }
        if product.available + quantity < 0 { return "PR201" }
        products[id]?.move(quantity, kind, at: clock)
        return "\(product.stock + quantity) \(money(product.price)) \(money(products[id]?.price ?? 0))"
    }

    mutating func pin(_ id: Int, _ price: Int, until end: Int?) -> String {
        guard let declared = products[id]?.declared else { return "PR101" }
        if !(declared.lowest...declared.highest ~= price) { return "PR303" }
        if let end, end <= clock { return "PR602" }
        products[id]?.pin(price, until: end, at: clock)
        return "true \(money(price))"
    }

    mutating func unpin(_ id: Int) -> String {
        products[id]?.unpin(at: clock)
        return products[id].map { "false \(money($0.price))" } ?? "PR101"
    }

    mutating func tick(at hour: Int, _ targets: [Int: [Int]]) {
        expireQuotes(until: hour)
        clock = hour
        for id in products.keys where products[id]?.isArchived == false {
            products[id]?.tick(targets[id] ?? [], at: hour)
        }
    }
}

/// Cents as the shop writes an amount.
func money(_ cents: Int) -> String {
    let rest = cents % 100
    return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
}
