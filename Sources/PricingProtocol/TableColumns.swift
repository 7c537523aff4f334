import JSON

/// What people see of a list first, and how a member is to be read.
enum TableColumns {
    /// A table of more columns is read by nobody.
    static let most = 8

    /// By the name of the item's shape, the most important first; of another the first members that are values.
    static let chosen: [String: [String]] = [
        "Product": ["productId", "title", "price", "stock", "basePrice", "sku", "pinned", "archived"],
        "Offer": ["productId", "title", "price", "availability", "category", "sku"],
        "StockLevel": ["productId", "title", "stock", "level", "price", "available", "lowStock", "highStock"],
        "StockMovement": ["at", "kind", "quantity", "stockAfter", "orderId", "reason", "actor"],
        "Expectation": ["expectationId", "productId", "open", "quantity", "eta", "sku", "reason", "actor"],
        "PriceChange": ["at", "productId", "title", "old", "new", "stock", "cause", "actor"],
        "DeclarationChange": ["at", "kind", "actor", "cause", "reason"],
        "Deed": ["at", "actor", "kind", "productId", "title", "ruleId", "cause", "reason"],
        "Rule": ["ruleId", "name", "version", "strategy", "status", "actor", "activatedAt", "note"],
        "Order": ["orderId", "customerName", "status", "total", "placedAt", "customerId"],
        "Proposal": ["proposalId", "productId", "title", "old", "proposed", "status", "why", "expiresAt"],
        "Supplier": ["supplierId", "companyName", "contactEmail", "taxNumber"],
    ]

    static func of(_ item: ObjectShape) -> [String] {
        if let name = item.name, let columns = chosen[name] { return columns }
        return item.fields.filter { $0.schema != .any }.map(\.name).prefix(most).map { $0 }
    }

    /// What each value of a result is, its items' and its own, by name: id, money, percent, time or count. What is not
    /// named is text.
    static func formats(of result: ObjectShape) -> JSONObject {
        var formats = JSONObject()
        collect(result, &formats, depth: 0)
        return formats
    }

    private static func collect(_ shape: ObjectShape, _ formats: inout JSONObject, depth: Int) {
        for field in shape.fields {
            if let format = format(of: field.schema, field.name) {
                formats[field.name] = .string(format)
            } else if depth < 2, case .list(.object(let item), _) = field.schema {
                collect(item, &formats, depth: depth + 1)
            }
        }
    }

    private static func format(of schema: Schema, _ name: String) -> String? {
        switch schema {
        case .nullable(let inner): format(of: inner, name)
        case .money, .sum: "money"
        case .time: "time"
        case .integer: name == "id" || name.hasSuffix("Id") ? "id" : "count"
        case .number: name.hasPrefix("percent") ? "percent" : nil
        default: nil
        }
    }
}
