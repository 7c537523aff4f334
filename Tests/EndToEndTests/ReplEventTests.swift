import Foundation
import JSON
import Postgres
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// What the shell shows of the real daemon's events, on a real terminal.
    @Suite
    struct ReplEventTests {
        @Test func `an event line names its product, and its title where there is one`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let sku = "K-\(ShopClient.unique())"
            let product = try await shop.product(["title": "Kettle \(ShopClient.unique())", "sku": .string(sku)])
            let title = try #require(try await shop.get(product)["title"]?.string)
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("events.subscribe topics=[\"stock\",\"price\",\"automation\",\"order\"]\r")
            #expect(repl.expect("subscription"))
            #expect(repl.expect("pricing> "))
            try await shop.buy(product, 45)
            #expect(repl.expect("  \(product) \(title)  stock 50 → 5  (sale orderId="))
            #expect(repl.expect("  \(product) \(title)  price 100.00 → 110.00 ▲10%  stock 5"))
            #expect(repl.expect("  order "))
            let halt = try await shop.client.call(
                "pricing.halt",
                ["scope": "productId", "productId": .integer(product), "reason": "test"]
            )
            #expect(repl.expect("automation halt haltId=\(halt["haltId"] ?? nil)"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `events of a burst while a call runs become one line that counts them`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("events.subscribe topics=[\"stock\"] productIds=[\(product)]\r")
            #expect(repl.expect("subscription"))
            #expect(repl.expect("pricing> "))
            // A call that lasts until it is cancelled.
            repl.type(
                "lab.run scenarios=[{\"name\":\"a\",\"stock\":25,\"horizon_days\":30,\"customers_per_day\":4,"
                    + "\"demand\":\"exponential(40)\",\"base\":50}] policies=[\"learn_calm\"] seasons=100000\r"
            )
            while try await !shop.client.call("server.requests")["items"].contains(method: "lab.run") {
                try Task.checkCancellation()
            }
            let watcher = try await daemon.client()
            let subscribed = try await watcher.call(
                "events.subscribe",
                ["topics": ["stock"], "productIds": [.integer(product)]]
            )
            #expect(subscribed["subscription"] != nil)
            let database = try await daemon.database()
            _ = try await database.text(
                """
                with moved as (select inventory_adjust(jsonb_build_object('productId', \(product), 'quantity', 1))
                               from generate_series(1, 2500))
                select count(*)::text from moved
                """
            )
            await database.close()
            var seen = 0
            for await notification in watcher.notifications where notification.method == "events.event" {
                seen += 1
                if seen == 2500 { break }
            }
            repl.type("\u{3}")
            #expect(repl.expect("CANCELLED"))
            // What reaches the shell after the reply has a line of its own.
            #expect(repl.expect("stock 50 "))
            #expect(repl.expect("→ 2550  ("))
            #expect(repl.expect(" moves)"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a script file may begin with a byte order mark, and CSV keeps lines and runs no formula`()
            async throws
        {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "=cmd|'/c calc'!A1"])
            let order = try #require(try await shop.buy(product, 2)["orderId"])
            let script = daemon.folder + "/marked-\(product).txt"
            try "\u{FEFF}order.get orderId=\(order)\nproduct.get productId=\(product)\n"
                .write(toFile: script, atomically: true, encoding: .utf8)
            let repl = try #require(
                ReplProcess(["--socket", daemon.socket, "--format", "csv", script], home: daemon.folder)
            )
            #expect(repl.expect("lines"))
            #expect(repl.expect("[{\"\"productId\"\":\(product),"))
            #expect(repl.expect(",'=cmd|'/c calc'!A1,"))
            #expect(repl.end() == 0)
        }
    }
}

extension JSONValue? {
    /// Whether one of a list's requests is of a method.
    func contains(method: String) -> Bool {
        (self?.array ?? []).contains { $0["method"]?.string == method }
    }
}
