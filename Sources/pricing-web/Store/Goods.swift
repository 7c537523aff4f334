import JSON
import Markup

/// One product as a customer may see it.
struct Goods: Sendable {
    let productId: Int64
    let title: String
    let description: String
    let category: String
    let price: String
    /// `inStock`, `fewLeft` or `soldOut`.
    let availability: String
    /// How many, where they are few.
    let unitsLeft: Int64?
    /// How many the visitor's own open checkout holds: they are theirs to buy.
    var held: Int64 = 0

    init?(_ row: JSONValue) {
        guard let productId = row["productId"]?.integer, let title = row["title"]?.string,
            let price = row["price"]?.string
        else { return nil }
        self.productId = productId
        self.title = title
        self.price = price
        description = row["description"]?.string ?? ""
        category = row["category"]?.string ?? ""
        availability = row["availability"]?.string ?? "inStock"
        unitsLeft = row["unitsLeft"]?.integer
    }

    /// The same for one who holds some of it.
    func holding(_ held: [Int64: Int64]) -> Goods {
        var goods = self
        goods.held = held[productId] ?? 0
        return goods
    }

    var path: String { "/store/products/\(productId)" }
    /// Whether nothing of it can be bought by this visitor.
    var isSoldOut: Bool { availability == "soldOut" && held == 0 }

    var stockWord: HTML {
        let own: HTML = HTML.when(held > 0, "<span class=\"stockword\">\(Words.count(held)) held for you</span>")
        switch availability {
        case "soldOut": return held > 0 ? own : "<span class=\"stockword out\">Sold out</span>"
        case "fewLeft":
            let word: HTML = unitsLeft.map { "Only \($0) left" } ?? "Few left"
            return "<span class=\"stockword few\">\(word)</span>\(HTML.when(held > 0, " · "))\(own)"
        default: return "<span class=\"stockword\">In stock</span>\(HTML.when(held > 0, " · "))\(own)"
        }
    }

    var priceTag: HTML { "<span class=\"price\" data-price=\"\(productId)\">\(Words.money(price))</span>" }
}
