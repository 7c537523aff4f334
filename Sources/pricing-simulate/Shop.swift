import JSON
import RPCTransport

/// What the simulator needs to know of the shop before it trades.
struct Shop: Sendable {
    /// Why nobody can trade here.
    enum Lack: Error, CustomStringConvertible {
        case customers
        case products

        var description: String {
            switch self {
            case .customers: "the shop has no customer; run pricing-simulate generate first"
            case .products: "the shop has nothing for sale; run pricing-simulate generate first"
            }
        }
    }

    /// Of a larger shop only so many customers and products take part.
    private static let most = 20_000

    let customers: [Int64]
    let products: [Int64]

    /// Reads the ids of customers and of products for sale.
    init(_ client: RPCClient) async throws {
        customers = try await Shop.ids("userId", of: "user.list", ["role": "customer"], client)
        products = try await Shop.ids("productId", of: "product.list", ["active": true], client)
        if customers.isEmpty { throw Lack.customers }
        if products.isEmpty { throw Lack.products }
    }

    private static func ids(
        _ name: String,
        of method: String,
        _ filter: JSONObject,
        _ client: RPCClient
    ) async throws -> [Int64] {
        var params = filter
        params["limit"] = 500
        var ids: [Int64] = []
        while ids.count < most {
            let page = try await client.call(method, params)
            ids += page["items"]?.array?.compactMap { $0[name]?.integer } ?? []
            guard let cursor = page["nextCursor"], !cursor.isNull else { break }
            params["cursor"] = cursor
        }
        return ids
    }
}
