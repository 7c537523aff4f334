import PricingClient

/// The shops that a comparison trades in.
enum BenchShop {
    private static let customers = 1000

    /// Opens one in an empty database.
    static func open(_ database: BenchDatabase, products: Int) async throws -> ShopIDs {
        try await add(products, strategy: "bands", customers: customers, to: database)
    }

    /// Adds as many products that learn to a shop, for the same customers.
    static func openLearning(_ database: BenchDatabase, beside shop: ShopIDs) async throws -> ShopIDs {
        try await add(shop.products.count, strategy: "learn", customers: 0, to: database)
    }

    /// Opens the thin shop beside a shop, as large, for the same customers.
    static func openThin(_ database: BenchDatabase, beside shop: ShopIDs) async throws -> ShopIDs {
        let count = shop.products.count
        note("filling a thin shop with \(count) products")
        _ = try await database.psql(.thinShop, ["products": "\(count)", "owner": database.user])
        return ShopIDs(customers: shop.customers, products: Array(1...Int64(count)))
    }

    private static func add(
        _ products: Int,
        strategy: String,
        customers: Int,
        to database: BenchDatabase
    ) async throws -> ShopIDs {
        note("filling a shop with \(products) products priced by \(strategy)")
        let rows = try await database.psql(
            .shop,
            ["products": "\(products)", "customers": "\(customers)", "strategy": strategy]
        )
        let ids = rows.last.map { $0.compactMap { Int64($0) } } ?? []
        guard ids.count == 4, ids[0] <= ids[1], ids[2] <= ids[3] else {
            throw BenchFailure.programFailed("psql", said: "\(rows)")
        }
        return ShopIDs(customers: Array(ids[2]...ids[3]), products: Array(ids[0]...ids[1]))
    }

    /// Gives it so many more rows of history: the script says what one is.
    static func age(_ database: BenchDatabase, rows: Int) async throws {
        guard rows > 0 else { return }
        note("adding \(rows) rows of history")
        _ = try await database.psql(.history, ["rows": "\(rows)"])
    }
}
