/// Quotes of the model: what they hold, and how they end.
extension ModelShop {
    struct Quote {
        let customer: Int
        let lines: [(product: Int, quantity: Int, price: Int)]
        let madeAt: Int
        var expiresAt: Int
        var status = "open"
        var order: Int?
        /// Its number in the shop.
        var id: Int?
    }

    /// Lines of one product are one.
    func summed(_ lines: [Wanted.Line]) -> [Wanted.Line] {
        Dictionary(grouping: lines, by: \.product).sorted { $0.key < $1.key }.map { product, same in
            Wanted.Line(
                product: product,
                quantity: same.reduce(0) { $0 + $1.quantity },
                most: same.compactMap(\.most).min()
            )
        }
    }

    func held(_ product: Int, _ quotes: [Int]) -> Int {
        quotes.reduce(0) { sum, quote in
            sum + self.quotes[quote].lines.filter { $0.product == product }.reduce(0) { $0 + $1.quantity }
        }
    }

    /// What a unit costs at most under a quote.
    func locked(_ product: Int, _ quote: Int?) -> Int? {
        quote.flatMap { quotes[$0].lines.first { $0.product == product }?.price }
    }

    /// Why an order cannot be placed under the quote that it names.
    func quoteRefusal(_ wanted: Wanted, _ lines: [Wanted.Line], _ quote: Quote) -> Answer? {
        let number = "\(quote.id ?? 0)"
        if quote.customer != wanted.customer { return refused("PR206", ["quoteId": number]) }
        if quote.status != "open" {
            return refused("PR205", ["quoteId": number, "status": quote.status])
        }
        let excess = lines.first { line in
            line.quantity > quote.lines.filter { $0.product == line.product }.reduce(0) { $0 + $1.quantity }
        }
        return excess.map { refused("PR602", ["productId": "\($0.product)"]) }
    }

    /// Looks whether all lines can be had; somebody's own open quotes give way where that is enough.
    mutating func reserve(_ lines: [Wanted.Line], _ customer: Int, _ quote: Int?) -> Answer? {
        guard let refusal = lines.compactMap({ refusal($0, quote) }).first else { return nil }
        let short = lines.filter { line in
            guard let product = products[line.product], product.isForSale, !product.isArchived else { return false }
            return line.quantity > product.available + (quote.map { held(line.product, [$0]) } ?? 0)
        }
        let own = quotes.indices.filter { index in
            quotes[index].status == "open" && quotes[index].customer == customer
                && quotes[index].lines.contains { held in short.contains { $0.product == held.product } }
        }
        if own.isEmpty || lines.contains(where: { self.refusal($0, quote, own: own) != nil }) { return refusal }
        for index in own { close(index, "released") }
        return nil
    }

    mutating func close(_ quote: Int, _ status: String, order: Int? = nil) {
        let kind = status == "expired" ? "expire" : "release"
        for line in quotes[quote].lines { products[line.product]?.hold(-line.quantity, kind, order: order, at: clock) }
        quotes[quote].status = status
        quotes[quote].order = order
    }

    /// Holds what is wanted for so many hours.
    mutating func quote(_ wanted: Wanted, hours: Int) -> String {
        guard customers.contains(wanted.customer) else { return "PR401" }
        let lines = summed(wanted.lines)
        if let refusal = reserve(lines, wanted.customer, nil) { return String(refusal.text.dropFirst(2).prefix(5)) }
        let held = lines.map { (product: $0.product, quantity: $0.quantity, price: products[$0.product]?.price ?? 0) }
        quotes.append(Quote(customer: wanted.customer, lines: held, madeAt: clock, expiresAt: clock + hours))
        for line in held { products[line.product]?.hold(line.quantity, "hold", at: clock) }
        return "open \(money(held.reduce(0) { $0 + $1.quantity * $1.price }))"
    }

    mutating func extend(_ quote: Int, hours: Int) -> String {
        guard quotes[quote].status == "open" else { return "PR205" }
        quotes[quote].expiresAt = min(clock + hours, quotes[quote].madeAt + 24)
        return sum(quote)
    }

    mutating func release(_ quote: Int) -> String {
        if quotes[quote].status == "open" { close(quote, "released") }
        return sum(quote)
    }

    private func sum(_ quote: Int) -> String {
        "\(quotes[quote].status) \(money(quotes[quote].lines.reduce(0) { $0 + $1.quantity * $1.price }))"
    }

    /// Each at its own hour.
    mutating func expireQuotes(until hour: Int) {
        let due = quotes.indices.filter { quotes[$0].status == "open" && quotes[$0].expiresAt <= hour }
        for index in due.sorted(by: { (quotes[$0].expiresAt, $0) < (quotes[$1].expiresAt, $1) }) {
            clock = quotes[index].expiresAt
            close(index, "expired")
        }
    }
}
