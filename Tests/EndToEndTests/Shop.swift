import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Synchronization
import Testing

/// A category and a customer of a test's own in a daemon that others may use too, and the calls that most tests make.
struct Shop: Sendable {
    private static let made = Atomic(0)

    let client: TestClient
    let categoryId: Int64
    let customerId: Int64

    /// A number that no other test of this process has.
    static func unique() -> Int {
        made.add(1, ordering: .relaxed).newValue
    }

    static func open(_ daemon: TestDaemon) async throws -> Shop {
        let client = try await daemon.client()
        let number = unique()
        let category = try await client.call("category.create", ["name": "Category of test \(number)"])
        let user = try await client.call(
            "user.create",
            ["fullName": "Customer \(number)", "email": "customer\(number)@test.example"]
        )
        return Shop(
            client: client,
            categoryId: try #require(category["categoryId"]?.integer),
            customerId: try #require(user["userId"]?.integer)
        )
    }

    /// A product of base 100.00 with low stock at 10 and high stock at 100, unless told otherwise.
    func product(_ given: JSONObject = [:]) async throws -> Int64 {
        var params: JSONObject = [
            "title": "Product \(Shop.unique())", "basePrice": "100.00", "categoryId": .integer(categoryId),
            "stock": 50, "lowStock": 10, "highStock": 100,
        ]
        for (key, value) in given { params[key] = value }
        return try #require(try await client.call("product.create", params)["productId"]?.integer)
    }

    func get(_ product: Int64) async throws -> JSONObject {
        try await client.call("product.get", ["productId": .integer(product)])
    }

    func price(_ product: Int64) async throws -> String {
        try #require(try await get(product)["price"]?.string)
    }

    func stock(_ product: Int64) async throws -> Int64 {
        try #require(try await get(product)["stock"]?.integer)
    }

    /// The parameters of an order of one line.
    func order(of product: Int64, _ quantity: Int64 = 1, key: String? = nil) -> JSONObject {
        var params: JSONObject = [
            "customerId": .integer(customerId),
            "lines": [["productId": .integer(product), "quantity": .integer(quantity)]],
        ]
        if let key { params["_meta"] = ["idempotencyKey": .string(key)] }
        return params
    }

    @discardableResult
    func buy(_ product: Int64, _ quantity: Int64 = 1) async throws -> JSONObject {
        try await client.call("order.place", order(of: product, quantity))
    }

    @discardableResult
    func restock(_ product: Int64, _ quantity: Int64) async throws -> JSONObject {
        try await client.call(
            "inventory.restock",
            ["productId": .integer(product), "quantity": .integer(quantity)]
        )
    }

    /// All rows of a list, page by page.
    func all(_ method: String, _ params: JSONObject) async throws -> [JSONObject] {
        try await client.all(method, params)
    }
}

extension TestClient {
    /// All rows of a list, page by page.
    func all(_ method: String, _ params: JSONObject) async throws -> [JSONObject] {
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
    func refusal(
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
    func text(_ query: String) async throws -> String {
        try await run { (session) throws(PostgresError) in
            try session.one(Statement.text("test_\(Self.name(query))", query))
        }
    }

    private static func name(_ query: String) -> String {
        String(query.utf8.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }, radix: 36)
    }
}

/// Money of a reply in cents.
func cents(_ value: JSONValue?) throws -> Int64 {
    let parts = try #require(value?.string).split(separator: ".")
    return try #require(Int64(parts.joined()))
}

/// A session that holds a lock, as somebody's psql might.
struct HeldLock: Sendable {
    private let holder: Psql
    private let watcher: PostgresConnection
    private let pid: Int64

    /// Holds a product's stock row.
    init(row product: Int64, in daemon: TestDaemon) async throws {
        try await self.init("select from inventory where product_id = \(product) for update", in: daemon)
    }

    /// Holds what a query locks.
    init(_ query: String, as user: String? = nil, in daemon: TestDaemon) async throws {
        holder = try await daemon.psql(as: user)
        watcher = try await daemon.database()
        let lines = try await holder.run(
            "begin; select pg_backend_pid(); \(query)"
        )
        pid = try #require(lines.first.flatMap { Int64($0) })
    }

    /// How many sessions wait for it.
    func waiters() async throws -> Int64 {
        try await watcher.run { [pid] (session) throws(PostgresError) in
            let waiting = Statement.int(
                "test_waiters",
                "select count(*) from pg_stat_activity where $1::int = any (pg_blocking_pids(pid))"
            )
            return try session.one(waiting, [.int(pid)])
        }
    }

    /// Asks until a session waits for it: an event, not a time.
    func awaitWaiter() async throws {
        while try await waiters() == 0 {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Cancels what they do, as an administrator might.
    func cancelWaiters() async throws {
        _ = try await watcher.run { [pid] (session) throws(PostgresError) in
            let cancel = Statement.int(
                "test_cancel_waiters",
                "select count(pg_cancel_backend(pid)) from pg_stat_activity where $1::int = any (pg_blocking_pids(pid))"
            )
            return try session.one(cancel, [.int(pid)])
        }
    }

    func release() async throws {
        try await holder.run("commit")
        await watcher.close()
    }
}
