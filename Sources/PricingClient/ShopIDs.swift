import JSON
package import RPCTransport

/// The ids that generated traffic uses.
package struct ShopIDs: Sendable, Equatable {
    /// At most this many customers, and this many products, of a shop are used.
    private static let most = 20_000

    /// The customers.
    package let customers: [Int64]
    /// The products for sale.
    package let products: [Int64]

    package init(customers: [Int64] = [], products: [Int64] = []) {
        self.customers = customers
        self.products = products
    }

    /// Reads the ids of customers and of products for sale.
    package static func read(_ client: RPCClient) async throws -> ShopIDs {
        ShopIDs(
            customers: try await ids("userId", Pages(of: "user.list", ["role": "customer"]), client),
            products: try await ids("productId", Pages(of: "product.list", ["active": true]), client)
        )
    }

    private static func ids(_ name: String, _ list: Pages, _ client: RPCClient) async throws -> [Int64] {
        var pages = list
        var ids: [Int64] = []
        while !pages.isAtEnd, ids.count < most {
            ids += try await pages.next(client).compactMap { $0[name]?.integer }
        }
        return ids
    }
}
