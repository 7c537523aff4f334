import JSON
import Postgres

/// The SQL function that answers each method. A function takes the validated parameters as jsonb and returns the reply.
enum CallStatements {
    /// The function of a method has the method's name: `inventory_low_stock` answers `inventory.lowStock`.
    static func function(of method: String) -> String {
        method.reduce(into: "") { name, letter in
            if letter.isUppercase { name += "_" }
            name += letter == "." ? "_" : letter.lowercased()
        }
    }

    /// A reading call; `named` when names stand where the function takes ids.
    static func read(_ function: String, named: Bool) -> Statement<[UInt8]> {
        named
            ? .bytes("named_\(function)", "select \(function)(resolve_names($1))::text")
            : .bytes("read_\(function)", "select \(function)($1)::text")
    }

    /// Parameters with ids in the place of names.
    static let resolveNames = Statement.bytes("resolve_names", "select resolve_names($1)::text")

    /// The products of a JSON array of SKUs: each SKU, as it was given, that a product has.
    static let findSKUs = Statement<(sku: String, productID: Int64)>(
        "find_skus",
        "select given, product_id from find_skus($1)"
    ) { row throws(PostgresError) in (try row.text(0), try row.int(1)) }

    /// The outcome of a write.
    struct Written: Sendable {
        let reply: [UInt8]
        let isReplayed: Bool
    }

    /// A JSON object about a product.
    struct ProductText: Sendable {
        let productID: Int64
        let text: [UInt8]
    }

    /// What `price.get` gives of each product. Every product has its inventory row, an archived one too.
    static let postedPrices = Statement<ProductText>(
        "posted_prices",
        """
        select product_id, price, regular_price, change_count, sku
        from inventory join product using (product_id) where product_id = any ($1::bigint[])
        """
    ) { row throws(PostgresError) in
        let id = try row.int(0)
        // The JSON is made here and not by the database, to save its time.
        var text = JSONWriter(capacity: 96)
        text.raw("{\"productId\":")
        text.write(id)
        text.raw(",\"sku\":")
        if let sku = try row.textIfPresent(4) { text.write(sku) } else { text.raw("null") }
        text.raw(",\"price\":")
        text.write(try row.text(1))
        text.raw(",\"regularPrice\":")
        text.write(try row.text(2))
        text.raw(",\"version\":")
        text.write(try row.int(3))
        text.raw("}")
        return ProductText(productID: id, text: text.bytes)
    }

    /// What `product.get` gives of each product.
    static let products = productTexts("read_products")

    /// What `inventory.get` gives of each product.
    static let inventories = productTexts("read_inventories")

    private static func productTexts(_ function: String) -> Statement<ProductText> {
        Statement(function, "select id, reply from \(function)($1)") { row throws(PostgresError) in
            ProductText(productID: try row.int(0), text: try row.bytes(1))
        }
    }

    /// A writing call: function, method, parameters, key, actor, and whether names stand where the function takes ids.
    static let write = Statement<Written>("run_write", "select reply, replayed from run_write($1, $2, $3, $4, $5, $6)")
    { row throws(PostgresError) in
        Written(reply: try row.bytes(0), isReplayed: try row.bool(1))
    }

    /// The same with the digest of what it is expected to change.
    static let writeExpected = Statement<Written>(
        "run_expected",
        "select reply, replayed from run_expected($1, $2, $3, $4, $5, $6, $7)"
    ) { row throws(PostgresError) in
        Written(reply: try row.bytes(0), isReplayed: try row.bool(1))
    }

    static let wouldChange = Statement<Changes>(
        "would_change",
        "select changes::text, change_digest(changes) from would_change() changes"
    ) { row throws(PostgresError) in
        Changes(text: JSONText(compacting: try row.bytes(0)), digest: try row.text(1))
    }

    /// One order's outcome in a batch.
    struct Placed: Sendable {
        /// The reply; nil when it was refused.
        let reply: [UInt8]?
        let isReplayed: Bool
        /// Why it was refused.
        let refusal: Refusal?
    }

    static let placeOrders = Statement<Placed>(
        "place_orders",
        "select reply, replayed, state, message, detail, broken_constraint from place_orders($1, $2, $3)"
    ) { row throws(PostgresError) in
        guard let state = try row.textIfPresent(2) else {
            return Placed(reply: try row.bytesIfPresent(0), isReplayed: try row.bool(1), refusal: nil)
        }
        let refusal = Refusal(
            state: SQLState(state),
            message: try row.textIfPresent(3) ?? "",
            detail: try row.textIfPresent(4),
            constraint: try row.textIfPresent(5)
        )
        return Placed(reply: nil, isReplayed: false, refusal: refusal)
    }

    /// The statement limit of this transaction in milliseconds; 0 for none.
    static let limitStatement = Statement.none(
        "limit_statement",
        "select set_config('statement_timeout', $1, true)"
    )
}
