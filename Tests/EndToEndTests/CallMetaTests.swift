import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// `params._meta` over the socket: keys, deadlines, cancels.
    @Suite
    struct CallMetaTests {
        @Test func `a key gives the same reply once`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product()
            let order = shop.order(of: product, 3, key: "same \(ShopClient.unique())")
            let first = try await shop.client.call("order.place", order)
            let second = try await shop.client.call("order.place", order)
            #expect(first["_meta"]?["replayed"] == false)
            #expect(second["_meta"]?["replayed"] == true)
            #expect(first.removing("_meta") == second.removing("_meta"))
            #expect(try await shop.stock(product) == 47)
        }

        @Test func `a key belongs to one request`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product()
            let key = "taken \(ShopClient.unique())"
            _ = try await shop.client.call("order.place", shop.order(of: product, 1, key: key))
            let other = try await shop.client.refusal("order.place", shop.order(of: product, 2, key: key))
            #expect(other.code == -32009)
            #expect(other.reason == "IDEMPOTENCY_CONFLICT")
            let restock: JSONObject = [
                "productId": .integer(product), "quantity": 1, "_meta": ["idempotencyKey": .string(key)],
            ]
            #expect(try await shop.client.refusal("inventory.restock", restock).reason == "IDEMPOTENCY_CONFLICT")
            #expect(try await shop.stock(product) == 49)
        }

        @Test func `only successes are kept`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 1])
            let order = shop.order(of: product, 2, key: "again \(ShopClient.unique())")
            #expect(try await shop.client.refusal("order.place", order).reason == "INSUFFICIENT_STOCK")
            try await shop.restock(product, 1)
            #expect(try await shop.client.call("order.place", order)["_meta"]?["replayed"] == false)
            #expect(try await shop.stock(product) == 0)
        }

        @Test func `a read ignores its key`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product()
            let params: JSONObject = ["productId": .integer(product), "_meta": ["idempotencyKey": "read"]]
            #expect(try await shop.client.call("product.get", params)["stock"] == 50)
            try await shop.buy(product)
            #expect(try await shop.client.call("product.get", params)["stock"] == 49)
        }

        @Test func `an unknown member is refused`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let refusal = try await shop.client.refusal("session.ping", ["_meta": ["idempotencykey": "x"]])
            #expect(refusal.code == -32602)
            #expect(refusal.data["violations"]?.array?.first?["path"] == "/_meta/idempotencykey")
        }

        /// While the first runs, the second waits for it; `method` is batched by the daemon or not.
        @Test(arguments: ["order.place", "inventory.restock"])
        func `the same key waits for the running one`(method: String) async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let meta: JSONValue = ["idempotencyKey": .string("wait \(ShopClient.unique())"), "timeoutMs": 30_000]
            var params: JSONObject = ["productId": .integer(product), "quantity": 1]
            if method == "order.place" { params = shop.order(of: product) }
            params["_meta"] = meta
            let request = params
            let other = try await daemon.client()
            let held = try await HeldLock(row: product, in: daemon)
            async let first = shop.client.call(method, request)
            try await held.awaitWaiter()
            async let second = other.call(method, request)
            // The second is on its way behind the first; a later call on its connection has been taken after it.
            _ = try await other.call("session.ping")
            try await held.release()
            let replies = [try await first, try await second]
            #expect(replies[0].removing("_meta") == replies[1].removing("_meta"))
            #expect(replies.compactMap { $0["_meta"]?["replayed"]?.bool }.sorted { !$0 && $1 } == [false, true])
            #expect(try await shop.stock(product) == (method == "order.place" ? 49 : 51))
        }

        @Test func `a deadline reaches the database`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let held = try await HeldLock(row: product, in: daemon)
            let restock: JSONObject = [
                "productId": .integer(product), "quantity": 1, "_meta": ["timeoutMs": 150, "idempotencyKey": "late"],
            ]
            let refusal = try await shop.client.refusal("inventory.restock", restock)
            #expect(refusal.code == -32004)
            #expect(refusal.retryable, "with the same key")
            #expect(try #require(refusal.data["elapsedMs"]?.integer) >= 150)
            #expect(refusal.data["limit"] == "timeoutMs")
            #expect(refusal.data["value"] == 150)
            #expect(refusal.data["outcome"] == "not_done", "the server rolled it back")
            try await held.release()
            #expect(try await shop.stock(product) == 50)
        }

        @Test func `a cancel reaches the running query`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let held = try await HeldLock(row: product, in: daemon)
            let call = Task {
                try await shop.client.call("inventory.restock", ["productId": .integer(product), "quantity": 1])
            }
            try await held.awaitWaiter()
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == -32001)
            #expect(try await held.waiters() == 0, "the query ended too")
            try await held.release()
            #expect(try await shop.stock(product) == 50)
        }

        /// Another session holds a row for longer than a call waits for it: no fault of ours, and worth another try.
        @Test(arguments: ["order.place", "inventory.restock"]) func `a held row is no fault`(method: String)
            async throws
        {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let (product, other) = (try await shop.product(), try await shop.product())
            let held = try await HeldLock(row: product, in: daemon)
            let params: JSONObject =
                method == "order.place" ? shop.order(of: product) : ["productId": .integer(product), "quantity": 1]
            async let refused = shop.client.refusal(method, params)
            try await held.awaitWaiter()
            let begin = ContinuousClock.now
            try await shop.buy(other)
            #expect(begin.duration(to: .now) < .milliseconds(900), "other calls do not wait")
            let refusal = try await refused
            #expect(refusal.code == -32005)
            #expect(refusal.reason == "RESOURCE_EXHAUSTED")
            #expect(refusal.retryable)
            #expect(refusal.retryAfterMs != nil)
            #expect(refusal.data["outcome"] == "not_done")
            let limits = try await shop.client.call("session.hello")["limits"]
            let which = try #require(refusal.data["which"]?.string)
            #expect(limits?[which] == refusal.data["value"], "one name, one value")
            try await held.release()
            #expect(try await shop.stock(product) == 50)
            _ = try await shop.client.call(method, params)
        }

        /// All of them at the next tick, however many: a busy hour leaves millions.
        @Test func `keys older than a day are forgotten`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let psql = try await daemon.psql(as: "postgres")
            try await psql.run(
                """
                insert into request_key (key, request_hash, reply, created_at)
                select 'old ' || n, '', '{}', now() - interval '25 hours' from generate_series(1, 25000) n;
                """
            )
            // A later clock makes a tick due.
            let now = try #require(try await shop.client.call("clock.get")["at"])
            _ = try await shop.client.call("clock.set", ["at": now, "_meta": ["idempotencyKey": "new"]])
            let database = try await daemon.database()
            while try await database.text("select count(*)::text from request_key where key like 'old %'") != "0" {
                await Task.yield()
            }
            #expect(try await database.text("select count(*)::text from request_key where key = 'new'") == "1")
            await database.close()
        }

        /// Also of what goes in steps: the database's part is what it took in all of them.
        @Test(arguments: ["price.get", "product.get", "order.list", "audit.verify", "server.status", "events.list"])
        func `timing says what the database took`(method: String) async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product: JSONValue = .integer(Int64(try await shop.product()))
            let params: JSONObject =
                switch method {
                case "price.get": ["productIds": [product]]
                case "product.get": ["productId": product]
                default: [:]
                }
            let timing = try #require(try await shop.client.call(method, params)["_meta"]?["timing"]?.object)
            func milliseconds(_ part: String) throws -> Double {
                let value = try #require(timing[part])
                return try #require(Double(String(decoding: value.serialized(), as: UTF8.self)))
            }
            #expect(try milliseconds("database") > 0)
            #expect(try milliseconds("queue") >= 0)
            #expect(try milliseconds("queue") + milliseconds("database") <= milliseconds("total") + 0.002)
        }

        @Test func `a cancel of nothing is ignored`() async throws {
            let client = try await TestDaemon.shared().client()
            client.notify("$/cancelRequest", ["id": 4711])
            client.notify("$/cancelRequest", [:])
            #expect(try await client.call("session.ping").isEmpty)
        }
    }
}
