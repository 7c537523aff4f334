import JSON
import Postgres

/// The methods whose calls are batched as reads: they read so little of products that many are answered from one query.
enum SharedRead: String, CaseIterable, Sendable {
    case price = "price.get"
    case product = "product.get"
    case inventory = "inventory.get"

    /// Whether it reads more of a product than a few columns of one row.
    var isThorough: Bool { self != .price }

    /// Reads the products of an array of ids; those that do not exist are left out.
    var statement: Statement<CallStatements.ProductText> {
        switch self {
        case .price: CallStatements.postedPrices
        case .product: CallStatements.products
        case .inventory: CallStatements.inventories
        }
    }

    /// The products that a call names by SKU.
    func skus(_ params: JSONObject) -> [String] {
        switch self {
        case .price: (params["skus"]?.array ?? []).compactMap(\.string)
        case .product, .inventory: params["sku"]?.string.map { [$0] } ?? []
        }
    }

    /// The products that a call names by id.
    func ids(_ params: JSONObject) -> [Int64] {
        switch self {
        case .price: (params["productIds"]?.array ?? []).compactMap(\.integer)
        case .product, .inventory: params["productId"]?.integer.map { [$0] } ?? []
        }
    }

    /// The reply that the method's function would give; nil where it would refuse, since the refusal's words are the function's.
    /// - Parameter unknown: SKUs that no product has.
    func reply(_ ids: [Int64], unknown: [String], _ found: [Int64: [UInt8]]) -> JSONText? {
        switch self {
        case .price: Self.posted(ids, unknown, found)
        case .product, .inventory: ids.first.flatMap { found[$0] }.map { JSONText(compacting: $0) }
        }
    }

    /// The products in the order in which they were first named, and the names of no product.
    private static func posted(_ ids: [Int64], _ unknown: [String], _ found: [Int64: [UInt8]]) -> JSONText {
        var text = JSONWriter(capacity: 64 + ids.count * 64)
        var missing: [JSONValue] = []
        for sku in unknown where !missing.contains(.string(sku)) { missing.append(.string(sku)) }
        var seen: Set<Int64> = []
        text.raw("{\"items\":[")
        var separates = false
        for id in ids where ids.count == 1 || seen.insert(id).inserted {
            guard let posted = found[id] else {
                missing.append(.integer(id))
                continue
            }
            if separates { text.raw(",") }
            separates = true
            text.raw(posted)
        }
        text.raw("],\"missing\":")
        text.write(.array(missing))
        text.raw("}")
        return JSONText(verbatim: text.bytes)
    }
}
