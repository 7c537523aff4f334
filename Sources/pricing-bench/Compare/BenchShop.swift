import PricingClient

/// The shop that a comparison trades in.
enum BenchShop {
    private static let customers: Int64 = 1000

    /// Opens it in an empty database.
    static func open(_ database: BenchDatabase, products: Int) async throws -> ShopIDs {
        note("filling a shop with \(products) products")
        let rows = try await database.psql(.shop, ["products": Int64(products), "customers": customers])
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
        _ = try await database.psql(.history, ["rows": Int64(rows)])
    }
}
