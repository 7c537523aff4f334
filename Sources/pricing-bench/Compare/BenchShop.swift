import JSONRPC

/// The shop that a comparison trades in.
enum BenchShop {
    private static let customers: Int64 = 1000
    /// Of each product: no run of any length sells out.
    private static let stock: Int64 = 1_000_000_000
    private static let rowsInACall = 1000

    /// Fills an empty shop over the socket.
    /// - Throws: `RPCError` or `RPCClientError` of the call that failed.
    static func fill(_ socket: String, products: Int) async throws -> Shop {
        let client = try await RPCClient.connect(socket: socket)
        let category = try await client.call("category.create", ["name": "Measured"])["categoryId"] ?? nil
        var made = 0
        while made < products {
            let upTo = min(made + rowsInACall, products)
            let rows = (made..<upTo).map { number -> JSONValue in
                [
                    "title": .string("Measured \(number)"), "basePrice": "10.00", "categoryId": category,
                    "stock": .integer(stock),
                ]
            }
            _ = try await client.call("product.import", ["rows": .array(rows)])
            made = upTo
        }
        // Last, since it refreshes the planner's statistics.
        _ = try await client.call(
            "data.generate",
            ["users": .integer(customers), "suppliers": 1, "products": 0, "orders": 0]
        )
        var shop = try await Shop(client)
        await client.close()
        // The rival draws from the range between the first and the last.
        shop.customers.sort()
        shop.products.sort()
        return shop
    }
}
