import JSON
import Postgres
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// The event stream: in commit order, resumable, filtered, and never paid for by others.
    @Suite
    struct EventTests {
        @Test func `events come in order after the reply`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 200])
            let watch = try await Watch(daemon, ["productIds": [.integer(product)]])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 { group.addTask { try await shop.buy(product, 4) } }
                try await group.waitForAll()
            }
            var stock: Int64 = 200
            var price = "90.00"
            var last: Int64 = watch.start
            while stock > 40 {
                let event = try await watch.next()
                let sequence = try #require(event["sequence"]?.integer)
                #expect(sequence > last)
                last = sequence
                if event["topic"] == "stock" {
                    #expect(event["before"]?["stock"] == .integer(stock), "a chain")
                    stock = try #require(event["after"]?["stock"]?.integer)
                } else {
                    #expect(event["before"]?["price"] == .string(price), "a chain")
                    price = try #require(event["after"]?["price"]?.string)
                }
            }
            #expect(stock == 40)
            #expect(try await shop.price(product) == "100.00")
            await watch.close()
        }

        @Test func `two subscribers see the same`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let filter: JSONObject = ["productIds": [.integer(product)]]
            let (one, two) = (try await Watch(daemon, filter), try await Watch(daemon, filter))
            for _ in 0..<10 { try await shop.buy(product) }
            for _ in 0..<10 {
                #expect(try await one.next().removing("subscription") == two.next().removing("subscription"))
            }
            await one.close()
            await two.close()
        }

        /// Each daemon hears of what the other one committed, though only one of them numbered it.
        @Test func `two daemons on one database tell the same`() async throws {
            let one = try await TestDaemon.shared()
            let shop = try await ShopClient.open(one)
            let database = try #require(try await shop.client.call("server.status", [:])["database"]?.object)
            let place = "host=\(database["host"]?.string ?? "") dbname=pricing user=pricingd"
            let two = try await TestDaemon.start(arguments: ["--database-url", place])
            let product = try await shop.product()
            let filter: JSONObject = ["productIds": [.integer(product)], "topics": ["stock"]]
            let (here, there) = (try await Watch(one, filter), try await Watch(two, filter))
            let other = try await two.client()
            for quantity in 1...30 {
                try await shop.buy(product)
                _ = try await other.call("inventory.restock", ["productId": .integer(product), "quantity": 1])
                for _ in 1...2 {
                    let seen = try await here.next().removing("subscription")
                    #expect(try await there.next().removing("subscription") == seen, "round \(quantity)")
                }
            }
            await other.close()
            await here.close()
            await there.close()
            #expect(await two.stop() == 0)
        }

        /// As after a failover that lost events: the reader believes to have seen numbers that were not given.
        @Test func `a number beyond the end is told as a gap`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let listed = try await shop.client.call("events.list")
            let last = try #require(listed["sequence"]?.integer)
            #expect(listed["gap"]?.isNull == true)
            let ahead = last + 1000
            let gap: JSONObject = [
                "fromSequence": .integer(last + 1), "toSequence": .integer(ahead), "reason": "AHEAD",
            ]
            let beyond = try await shop.client.call("events.list", ["from": .integer(ahead)])
            #expect(beyond["gap"] == .object(gap) && beyond["items"] == [] && beyond["sequence"] == .integer(last))
            let client = try await daemon.client()
            var told = client.notifications.makeAsyncIterator()
            let exact = try await client.call("events.subscribe", ["from": .integer(last), "topics": ["stock"]])
            let begun = try await client.call("events.subscribe", ["from": .integer(ahead), "topics": ["stock"]])
            #expect(begun["sequence"] == .integer(last), "it goes on from its real end")
            let first = try #require(await told.next())
            #expect(first.method == "events.gap")
            #expect(first.params["subscription"] == begun["subscription"])
            #expect(first.params.removing("subscription") == gap)
            try await shop.restock(product, 1)
            var subscriptions: Set<String> = []
            for _ in 1...2 {
                let event = try #require(await told.next())
                #expect(event.method == "events.event" && event.params["sequence"] == .integer(last + 1))
                subscriptions.insert(event.params["subscription"]?.string ?? "")
            }
            #expect(subscriptions == [exact["subscription"]?.string ?? "", begun["subscription"]?.string ?? ""])
            await client.close()
        }

        @Test func `filters keep the rest away`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let (product, other) = (try await shop.product(["stock": 12]), try await shop.product(["stock": 12]))
            let prices = try await Watch(daemon, ["topics": ["price"], "productIds": [.integer(product)]])
            let orders = try await Watch(daemon, ["topics": ["order"]])
            try await shop.buy(other, 5)
            let order = try await shop.buy(product, 5)
            let event = try await prices.next()
            #expect(event["key"] == .integer(product))
            #expect(event["topic"] == "price")
            // Other tests place orders too; all that come are orders, ours among them.
            while true {
                let event = try await orders.next()
                #expect(event["topic"] == "order")
                if event["key"] == order["orderId"] { break }
            }
            await prices.close()
            await orders.close()
        }

        @Test func `a subscriber resumes from its number`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let filter: JSONObject = ["topics": ["stock"], "productIds": [.integer(product)]]
            let first = try await Watch(daemon, filter)
            for _ in 0..<3 { try await shop.buy(product) }
            let seen = try await first.next()
            await first.close()
            for _ in 0..<3 { try await shop.buy(product) }
            var resumed = filter
            resumed["from"] = seen["sequence"]
            let second = try await Watch(daemon, resumed)
            for expected in [48, 47, 46, 45, 44] as [Int64] {
                #expect(try await second.next()["after"]?["stock"] == .integer(expected))
            }
            let pulled = try await shop.all("events.list", resumed)
            #expect(pulled.map { $0["after"]?["stock"]?.integer } == [48, 47, 46, 45, 44])
            await second.close()
        }

        /// What the shop has let go of is a gap that is told, whatever the overflow policy, and the rest follows.
        @Test(arguments: ["conflate", "gap", "disconnect"])
        func `a subscriber from before the oldest event is told the gap`(overflow: String) async throws {
            let daemon = try await TestDaemon.start()
            let psql = try await daemon.psql(as: "postgres")
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let resumed: JSONObject = ["from": 1, "overflow": .string(overflow)]
            _ = try await shop.all("events.list", [:])
            try await psql.run(
                """
                update event_sequence set last_number = 19999999;
                update inventory set stock = stock + 1 where product_id = \(product);
                select number_events();
                update event_range set at = at - interval '91 days';
                """
            )
            // Not while the feed reads.
            let database = try await daemon.database()
            while try await database.text("select expire_events()::text") != "true" { await Task.yield() }
            await database.close()
            let watch = try await Watch(daemon, resumed)
            for await notification in watch.client.notifications {
                #expect(notification.method == "events.gap")
                #expect(notification.params["fromSequence"] == 2)
                #expect(notification.params["toSequence"] == 19_999_999)
                #expect(notification.params["reason"] == "EXPIRED")
                break
            }
            #expect(try await watch.next()["sequence"] == 20_000_000)
            #expect(try await shop.all("events.list", resumed.removing("overflow")).first?["sequence"] == 20_000_000)
            await watch.close()
            #expect(await daemon.stop() == 0)
        }

        @Test func `a snapshot is where the stream goes on`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            try await shop.buy(product)
            let watch = try await Watch(daemon, ["productIds": [.integer(product)], "snapshot": true])
            let rows = try #require(watch.reply["snapshot"]?.array)
            #expect(rows.count == 1)
            #expect(rows.first?["price"] == "100.00")
            #expect(rows.first?["stock"] == 49)
            try await shop.buy(product)
            #expect(try await watch.next()["before"]?["stock"] == 49)
            await watch.close()
        }

        @Test func `an ended subscription is silent`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let filter: JSONObject = ["topics": ["stock"], "productIds": [.integer(product)]]
            let watch = try await Watch(daemon, filter)
            _ = try await watch.client.call(
                "events.unsubscribe",
                ["subscription": try #require(watch.reply["subscription"])]
            )
            try await shop.buy(product)
            let later = try await watch.client.call("events.subscribe", filter)
            try await shop.buy(product)
            let event = try await watch.next()
            #expect(event["subscription"] == later["subscription"])
            #expect(event["after"]?["stock"] == 48)
            await watch.close()
        }

        /// An operator's psql obeys the same triggers, leaves the same history, and is heard of.
        @Test func `direct SQL is heard of too`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let watch = try await Watch(daemon, ["productIds": [.integer(product)]])
            let psql = try await daemon.psql()
            try await psql.run("update inventory set stock = 4 where product_id = \(product)")
            #expect(try await watch.next()["after"] == ["stock": 4])
            #expect(try await watch.next()["after"]?["price"] == "110.00")
            try await psql.run("update inventory set price = 99.50 where product_id = \(product)")
            let pinned = try await watch.next()
            #expect(pinned["topic"] == "catalogue" && pinned["after"]?["pin"] == "99.50")
            let typed = try await watch.next()
            #expect(typed["after"]?["price"] == "99.50")
            #expect(typed["cause"]?["kind"] == "pin")
            try await shop.restock(product, 40)
            #expect(try await shop.price(product) == "99.50", "a price typed by hand stands")
            let history = try await shop.all("price.history", ["productId": .integer(product)])
            #expect(history.map { $0["new"] } == ["99.50", "110.00"])
            await watch.close()
        }
    }
}

/// A subscriber on a connection of its own.
struct Watch: Sendable {
    let client: TestClient
    let reply: JSONObject
    /// The number after which its events come.
    let start: Int64

    init(_ daemon: TestDaemon, _ params: JSONObject) async throws {
        client = try await daemon.client()
        reply = try await client.call("events.subscribe", params)
        start = try #require(reply["sequence"]?.integer)
    }

    /// The next event's parameters.
    func next() async throws -> JSONObject {
        for await notification in client.notifications {
            #expect(notification.method == "events.event")
            return notification.params
        }
        throw RPCClientError.disconnected
    }

    func close() async {
        await client.close()
    }
}
