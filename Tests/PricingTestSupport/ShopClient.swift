package import JSON
package import JSONRPC
import Postgres
import Synchronization
package import Testing

/// A category and a customer of a test's own in a daemon that others may use too, and the calls that most tests make.
package struct ShopClient: Sendable {
    private static let made = Atomic(0)

    package let client: TestClient
    package let categoryId: Int64
    package let customerId: Int64

    package init(client: TestClient, categoryId: Int64, customerId: Int64) {
        self.client = client
        self.categoryId = categoryId
        self.customerId = customerId
    }

    /// A number that no other test of this process has.
    package static func unique() -> Int {
        made.add(1, ordering: .relaxed).newValue
    }

    package static func open(_ daemon: TestDaemon) async throws -> ShopClient {
        let client = try await daemon.client()
        let number = unique()
        let category = try await client.call("category.create", ["name": "Category of test \(number)"])
        let user = try await client.call(
            "user.create",
            ["fullName": "Customer \(number)", "email": "customer\(number)@test.example"]
        )
        return ShopClient(
            client: client,
            categoryId: try #require(category["categoryId"]?.integer),
            customerId: try #require(user["userId"]?.integer)
        )
    }

    /// A product of base 100.00 with low stock at 10 and high stock at 100, unless told otherwise.
    package func product(_ given: JSONObject = [:]) async throws -> Int64 {
        var params: JSONObject = [
            "title": "Product \(ShopClient.unique())", "basePrice": "100.00", "categoryId": .integer(categoryId),
            "stock": 50, "lowStock": 10, "highStock": 100,
        ]
        for (key, value) in given { params[key] = value }
        return try #require(try await client.call("product.create", params)["productId"]?.integer)
    }

    package func get(_ product: Int64) async throws -> JSONObject {
        try await client.call("product.get", ["productId": .integer(product)])
    }

    package func price(_ product: Int64) async throws -> String {
        try #require(try await get(product)["price"]?.string)
    }

    package func stock(_ product: Int64) async throws -> Int64 {
        try #require(try await get(product)["stock"]?.integer)
    }

    /// The parameters of an order of one line.
    package func order(of product: Int64, _ quantity: Int64 = 1, key: String? = nil) -> JSONObject {
        var params: JSONObject = [
            "customerId": .integer(customerId),
            "lines": [["productId": .integer(product), "quantity": .integer(quantity)]],
        ]
        if let key { params["_meta"] = ["idempotencyKey": .string(key)] }
        return params
    }

    @discardableResult
    package func buy(_ product: Int64, _ quantity: Int64 = 1) async throws -> JSONObject {
        try await client.call("order.place", order(of: product, quantity))
    }

    @discardableResult
    package func restock(_ product: Int64, _ quantity: Int64) async throws -> JSONObject {
        try await client.call(
            "inventory.restock",
            ["productId": .integer(product), "quantity": .integer(quantity)]
        )
    }

    /// All rows of a list, page by page.
    package func all(_ method: String, _ params: JSONObject) async throws -> [JSONObject] {
        try await client.all(method, params)
    }
}

extension TestClient {
    /// All rows of a list, page by page.
    package func all(_ method: String, _ params: JSONObject) async throws -> [JSONObject] {
        var rows: [JSONObject] = []
        var params = params
        params["limit"] = 500
        while true {
            let page = try await call(method, params)
            rows += (page["items"]?.array ?? []).compactMap(\.object)
            guard let cursor = page["nextCursor"]?.string else { return rows }
            params["cursor"] = .string(cursor)
        }
    }

    /// The error that a call is refused with.
    package func refusal(
        _ method: String,
        _ params: JSONObject = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> RPCError {
        let error = await #expect(throws: RPCError.self, sourceLocation: sourceLocation) {
            try await self.call(method, params)
        }
        return try #require(error, sourceLocation: sourceLocation)
    }
}

extension PostgresConnection {
    /// The text in the first row's first column.
    package func text(_ query: String) async throws -> String {
        try await run { (session) throws(PostgresError) in
            try session.one(Statement.text("test_\(Self.name(query))", query))
        }
    }

    private static func name(_ query: String) -> String {
        String(query.utf8.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }, radix: 36)
    }
}

/// Money of a reply in cents.
package func cents(_ value: JSONValue?) throws -> Int64 {
    let parts = try #require(value?.string).split(separator: ".")
    return try #require(Int64(parts.joined()))
}
