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
    }

    var path: String { "/store/products/\(productId)" }
    var isSoldOut: Bool { availability == "soldOut" }

    var stockWord: HTML {
        switch availability {
        case "soldOut": "<span class=\"stockword out\">Sold out</span>"
        case "fewLeft":
            "<span class=\"stockword few\">Few left</span>"
        default: "<span class=\"stockword\">In stock</span>"
        }
    }

    var priceTag: HTML { "<span class=\"price\" data-price=\"\(productId)\">\(Words.money(price))</span>" }
}
