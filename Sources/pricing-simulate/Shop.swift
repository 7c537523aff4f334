import PricingClient

/// Why no order can be placed here.
enum ShopLack: Error, CustomStringConvertible {
    case customers
    case products

    var description: String {
        switch self {
        case .customers: "the shop has no customer; run pricing-simulate generate first"
        case .products: "the shop has nothing for sale; run pricing-simulate generate first"
        }
    }

    /// Throws when a shop has no customer, or nothing to buy.
    static func check(_ shop: ShopIDs) throws(ShopLack) {
        if shop.customers.isEmpty { throw .customers }
        if shop.products.isEmpty { throw .products }
    }
}
