import JSON
import JSONRPC
import Postgres
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What breaks inside is told as a fault of ours, what is used up as a shortage, and what is wrong with the call as
    /// INVALID_PARAMS at its member: on a daemon whose ledger raises whatever a test plants.
    @Suite
    struct InsideFaultTests {
        /// A daemon whose stock ledger raises what stands in table `planted`, by a trigger of the owner's.
        private struct Planted: Sendable {
            let daemon: TestDaemon
            let shop: ShopClient
            let psql: Psql
            let product: Int64

            init() async throws {
                daemon = try await TestDaemon.start()
                shop = try await ShopClient.open(daemon)
                product = try await shop.product()
                psql = try await daemon.psql(as: "postgres")
                try await psql.run(
                    """
                    create table planted (state text, broken text, pause float8);
                    create function raise_planted() returns trigger language plpgsql security definer
                    set search_path = pricing, pricing_code, pg_temp as $$
                    declare p planted;
                    begin
                        select * into p from planted;
                        if p.pause > 0 then perform pg_sleep(p.pause); end if;
                        if p.state is not null then
                            raise exception 'planted' using errcode = p.state, constraint = coalesce(p.broken, '');
                        end if;
                        return new;
                    end $$;
                    create trigger planted before insert on stock_movement for each row execute function raise_planted()
                    """
                )
            }

            func plant(_ state: String?, _ broken: String? = nil, pause: Double = 0) async throws {
                func quoted(_ text: String?) -> String { text.map { "'\($0)'" } ?? "null" }
                let row = "(\(quoted(state)), \(quoted(broken)), \(pause))"
                try await psql.run("truncate planted; insert into planted values \(row)")
            }

            func restock(_ meta: JSONObject = [:]) -> JSONObject {
                ["productId": .integer(product), "quantity": 5, "_meta": .object(meta)]
            }

            /// The same fault in a call of its own, in an order, in a row of an import, and in what a dry run carries out.
            var calls: [(method: String, params: JSONObject)] {
                [
                    ("inventory.restock", restock()), ("inventory.restock", restock(["dryRun": true])),
                    ("order.place", shop.order(of: product)),
                    (
                        "product.create",
                        [
                            "title": "x", "basePrice": "1.00", "categoryId": .integer(shop.categoryId), "stock": 5,
                            "floor": "0.50", "lowStock": 1,
                        ]
                    ),
                ]
            }
        }

        @Test func `what breaks inside is ours and has an incident`() async throws {
            let planted = try await Planted()
            let client = planted.shop.client
            var incidents: [String] = []
            let raised: [(String, String?)] = [
                ("22003", nil), ("22P02", nil), ("23505", "price_change_sequence_key"), ("23514", "no_such_constraint"),
                ("23514", "app_user_email_shape"), ("23503", "product_supplier_fkey"), ("P0001", nil), ("XX000", nil),
                ("42P05", nil), ("54000", nil),
            ]
            for (state, broken) in raised {
                try await planted.plant(state, broken)
                for (method, params) in planted.calls {
                    let error = try await client.refusal(method, params)
                    #expect(error.reason == "INTERNAL", "\(method) after \(state): \(error)")
                    #expect(!error.retryable && error.data["violations"] == nil)
                    incidents.append(try #require(error.data["incidentId"]?.string))
                }
                let row: JSONObject = [
                    "title": "y", "basePrice": "1.00", "categoryId": .integer(planted.shop.categoryId), "stock": 2,
                ]
                // What may be one row's fault is told of the row.
                if state.hasPrefix("22") || state.hasPrefix("23") {
                    let imported = try await client.call("product.import", ["rows": [.object(row)], "mode": "perRow"])
                    let error = imported["failed"]?.array?.first?["error"]
                    #expect(error?["data"]?["reason"] == "INTERNAL", "a row after \(state)")
                    incidents.append(try #require(error?["data"]?["incidentId"]?.string))
                }
                let whole = try await client.refusal("product.import", ["rows": [.object(row)], "mode": "atomic"])
                #expect(whole.reason == "INTERNAL")
                incidents.append(try #require(whole.data["incidentId"]?.string))
            }
            // A value of this very call, of which the constraint speaks.
            try await planted.plant("23514", "product_limits_ordered")
            let own = try await client.refusal("product.create", planted.calls[3].params)
            #expect(own.reason == "INVALID_PARAMS")
            #expect(own.data["violations"]?.array?.first?["path"] == "/floor")
            try await planted.plant(nil)
            #expect(try await planted.shop.stock(planted.product) == 50)
            #expect(await planted.daemon.stop() == 0)
            let log = await planted.daemon.program.errorText()
            for incident in incidents { #expect(log.contains(incident)) }
        }

        @Test func `what the server lacks is a shortage and one line a second`() async throws {
            let planted = try await Planted()
            let client = planted.shop.client
            let lacks = [("53100", "disk"), ("53200", "memory"), ("53300", "connections"), ("53000", "database")]
            for (state, which) in lacks {
                try await planted.plant(state)
                for (method, params) in planted.calls {
                    let error = try await client.refusal(method, params)
                    #expect(error.reason == "RESOURCE_EXHAUSTED", "\(method) after \(state): \(error)")
                    #expect(error.data["which"] == .string(which))
                    #expect(error.data["outcome"] == "not_done")
                    #expect(error.retryable && error.retryAfterMs != nil)
                }
            }
            try await planted.plant("57P05")
            let gone = try await client.refusal("inventory.restock", planted.restock())
            #expect(gone.reason == "UNAVAILABLE" && gone.data["outcome"] == "not_done" && gone.retryable)
            // As the server itself says it when it goes: the connection is given up, and the call tried until its time.
            try await planted.plant("57P01")
            let lost = try await client.refusal("inventory.restock", planted.restock(["timeoutMs": 700]))
            #expect(lost.reason == "UNAVAILABLE" && lost.data["outcome"] == "not_done", "before its commit: \(lost)")
            #expect(lost.retryable && lost.retryAfterMs != nil)

            try await planted.plant("53100")
            let begin = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    let call = planted.calls[number % 2 == 0 ? 0 : 2]
                    group.addTask {
                        let error = try await client.refusal(call.method, call.params)
                        #expect(error.data["which"] == "disk")
                    }
                }
                try await group.waitForAll()
            }
            let seconds = begin.duration(to: .now).components.seconds
            try await planted.plant(nil)
            _ = try await client.call("inventory.restock", planted.restock())
            #expect(try await planted.shop.stock(planted.product) == 55)
            #expect(await planted.daemon.stop() == 0)
            let lines = await planted.daemon.program.errorText().split(separator: "\n")
            let warnings = lines.count { $0.contains("something is used up") }
            #expect(1...Int(seconds + 8) ~= warnings, "\(warnings) lines in \(seconds) seconds")
            #expect(!lines.contains { $0.contains("by our own fault") })
        }

        @Test func `a sequencer that fell behind catches up and gives no number twice`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            _ = try await shop.client.call("events.list")
            let psql = try await daemon.psql(as: "postgres")
            try await psql.run("update event_sequence set last_number = last_number - 1")
            try await shop.buy(product)
            _ = try await shop.client.call("events.subscribe")
            let events = try #require(try await shop.client.call("events.list")["items"]?.array)
            let numbers = events.compactMap { $0["sequence"]?.integer }
            #expect(numbers == Array(1...Int64(events.count)))
            #expect(events.last?["topic"] == "order")
        }

        /// Whose time it was, and whether anything was done.
        @Test func `a deadline says whose it was and the outcome`() async throws {
            let planted = try await Planted()
            let (client, other) = (planted.shop.client, try await planted.daemon.client())
            let another = try await planted.shop.product()
            try await planted.plant(nil, pause: 20)
            // The statement's own limit: the server rolled it back and said so.
            async let slow = client.refusal("inventory.restock", planted.restock())
            // It has the product's row before the orders ask for it.
            let watcher = try await planted.daemon.database()
            let sleepers = Statement.int(
                "test_sleepers",
                "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
            )
            while try await watcher.run({ (session) throws(PostgresError) in try session.one(sleepers) }) == 0 {
                await Task.yield()
            }
            await watcher.close()
            // Two orders of a product: the second waits for the first, and its time ends in the database.
            async let first = client.refusal("order.place", planted.shop.order(of: planted.product))
            async let second = other.refusal("order.place", planted.shop.order(of: planted.product))
            let statement = try await slow
            #expect(statement.reason == "DEADLINE_EXCEEDED")
            #expect(statement.data["limit"] == "statementMs")
            #expect(statement.data["value"] == 3000)
            #expect(statement.data["outcome"] == "not_done" && !statement.retryable)
            let limits = try await client.call("session.hello")["limits"]
            for error in [try await first, try await second] {
                guard error.reason == "DEADLINE_EXCEEDED" else { continue }
                let limit = try #require(error.data["limit"]?.string)
                #expect(["statementMs", "requestMs"].contains(limit))
                #expect(limits?[limit] == error.data["value"])
                #expect(error.data["outcome"] == (limit == "requestMs" ? "unknown" : "not_done"))
                #expect(try #require(error.data["elapsedMs"]?.integer) >= 3000)
            }
            // A call's own, while a batch has it.
            var brief = planted.shop.order(of: another)
            brief["_meta"] = ["timeoutMs": 400, "idempotencyKey": "brief"]
            let own = try await client.refusal("order.place", brief)
            #expect(own.data["limit"] == "timeoutMs" && own.data["value"] == 400)
            #expect(own.data["outcome"] == "unknown" && own.retryable, "it has a key: it happens once")
            try await planted.plant(nil)
            brief["_meta"] = ["idempotencyKey": "brief", "timeoutMs": 20_000]
            #expect(try await client.call("order.place", brief)["total"] != nil)
            #expect(try await planted.shop.stock(another) == 49)
            #expect(try await planted.shop.stock(planted.product) == 50)
        }

        /// Another session cancels it: neither its caller nor a deadline did.
        @Test func `a cancel by another session is not a deadline`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let held = try await HeldLock(row: product, in: daemon)
            async let refused = shop.client.refusal(
                "inventory.restock",
                ["productId": .integer(product), "quantity": 1]
            )
            try await held.awaitWaiter()
            try await held.cancelWaiters()
            let error = try await refused
            #expect(error.reason == "UNAVAILABLE")
            #expect(error.data["sqlState"] == "57014" && error.data["outcome"] == "not_done")
            try await held.release()
            #expect(try await shop.stock(product) == 50)
        }
    }
}
