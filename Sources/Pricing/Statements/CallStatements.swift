import JSON
import Postgres

/// The SQL function that answers each method. A function takes the validated parameters as jsonb and returns the reply.
enum CallStatements {
    static let functions: [String: String] = [
        "category.list": "list_categories", "category.create": "create_category",
        "supplier.list": "list_suppliers", "supplier.get": "get_supplier", "supplier.create": "create_supplier",
        "supplier.update": "update_supplier", "supplier.delete": "delete_supplier",
        "product.list": "list_products", "product.get": "get_product", "product.create": "create_product",
        "product.update": "update_product", "product.archive": "archive_product",
        "inventory.get": "get_inventory", "inventory.list": "list_inventory", "inventory.lowStock": "list_low_stock",
        "inventory.restock": "restock_inventory", "inventory.adjust": "adjust_inventory",
        "inventory.movements": "list_movements", "inventory.expect": "expect_inventory",
        "inventory.expectations": "list_expectations", "inventory.unexpect": "unexpect_inventory",
        "price.get": "get_prices", "price.history": "list_price_changes", "price.why": "explain_product_price",
        "price.preview": "preview_price", "price.pin": "pin_price", "price.unpin": "unpin_price",
        "rule.list": "list_rules", "rule.get": "get_rule", "rule.create": "create_rule",
        "rule.activate": "activate_rule", "rule.retire": "retire_rule", "rule.lint": "lint_rule",
        "audit.repair": "repair_audit",
        "pricing.halt": "halt_pricing", "pricing.resume": "resume_pricing", "pricing.halts": "list_halts",
        "order.place": "place_order", "order.get": "get_order", "order.list": "list_orders",
        "order.advance": "advance_order", "order.cancel": "cancel_order", "order.return": "return_order",
        "user.list": "list_users", "user.get": "get_user", "user.create": "create_user", "user.update": "update_user",
        "user.delete": "delete_user", "user.authenticate": "authenticate_user",
        "clock.get": "get_clock", "clock.set": "set_clock", "events.list": "list_events",
        "dashboard.stats": "dashboard_stats",
        "dashboard.categoryDistribution": "dashboard_category_distribution",
        "dashboard.priceTrends": "dashboard_price_trends",
        "dashboard.supplierRevenue": "dashboard_supplier_revenue",
        "dashboard.monthlyRevenue": "dashboard_monthly_revenue", "dashboard.vipUsers": "dashboard_vip_users",
        "dashboard.lowStock": "dashboard_low_stock",
    ]

    /// A reading call.
    static func read(_ function: String) -> Statement<[UInt8]> {
        .bytes("read_\(function)", "select \(function)($1)::text")
    }

    /// What a write gave.
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
        "select product_id, price, change_count from inventory where product_id = any ($1::bigint[])"
    ) { row throws(PostgresError) in
        let id = try row.int(0)
        // Put together here, so that the database only reads.
        var text = JSONWriter(capacity: 64)
        text.raw("{\"productId\":")
        text.write(id)
        text.raw(",\"price\":")
        text.write(try row.text(1))
        text.raw(",\"version\":")
        text.write(try row.int(2))
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

    /// A writing call: function, method, parameters, key, actor.
    static let write = Statement<Written>("run_write", "select reply, replayed from run_write($1, $2, $3, $4, $5)") {
        row throws(PostgresError) in
        Written(reply: try row.bytes(0), isReplayed: try row.bool(1))
    }

    static let wouldChange = Statement.bytes("would_change", "select would_change()::text")

    /// One order's outcome in a batch.
    struct Placed: Sendable {
        /// The reply; nil when it was refused.
        let reply: [UInt8]?
        let isReplayed: Bool
        /// Why it was refused.
        let refusal: PostgresError?
    }

    static let placeOrders = Statement<Placed>(
        "place_orders",
        "select reply, replayed, state, message, detail, broken_constraint from place_orders($1, $2)"
    ) { row throws(PostgresError) in
        guard let state = try row.textIfPresent(2) else {
            return Placed(reply: try row.bytesIfPresent(0), isReplayed: try row.bool(1), refusal: nil)
        }
        var refusal = PostgresError(
            .server,
            try row.textIfPresent(3) ?? "",
            sqlState: SQLState(state),
            statement: "place_orders"
        )
        refusal.detail = try row.textIfPresent(4)
        refusal.constraint = try row.textIfPresent(5).flatMap { $0.isEmpty ? nil : $0 }
        return Placed(reply: nil, isReplayed: false, refusal: refusal)
    }

    /// The statement limit of this transaction in milliseconds; 0 for none.
    static let limitStatement = Statement.none(
        "limit_statement",
        "select set_config('statement_timeout', $1, true)"
    )
}
