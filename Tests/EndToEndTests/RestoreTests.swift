import Foundation
import Glibc
import JSON
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// A shop that is dumped while it trades, and comes back elsewhere.
    @Suite
    struct RestoreTests {
        /// The documentation's own commands.
        private static func documented(_ program: String) throws -> String {
            let page = ExamplesTests.root + "/Sources/pricingd/pricingd.docc/Backup.md"
            let text = try String(contentsOfFile: page, encoding: .utf8)
            return String(try #require(text.split(separator: "\n").first { $0.hasPrefix("\(program) ") }))
        }

        private func shell(_ command: String, _ places: [String: String]) async throws {
            let places = places.map { "\($0.key)='\($0.value)'" }.joined(separator: "; ")
            let named = command.replacing(/\b(DIR|NEWDIR|shop\.dump)\b/) { "$" + $0.1.replacing(".", with: "_") }
            let program = try ChildProgram("/bin/sh", ["-ec", "\(places); \(named)"])
            let said = await program.errorText()
            #expect(await program.exit() == 0, "\(command): \(said)")
            #expect(said.isEmpty, "\(command): \(said)")
        }

        @Test func `the documented restore ends well, and old events are not told as new`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false, hasDemo: true)
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Kept", "stock": 50])
            try await shop.buy(product, 2)
            let fresh = try await TestDaemon.start(isSandbox: false)
            let follower = try await fresh.client()
            _ = try await follower.call("events.subscribe", ["topics": ["stock"]])

            let places = [
                "DIR": daemon.dataDirectory, "NEWDIR": fresh.dataDirectory, "shop_dump": daemon.folder + "/dump",
            ]
            try await shell(try Self.documented("pg_dump"), places)
            try await shop.buy(product, 1)
            try await shell(try Self.documented("pg_restore"), places)

            let restored = try await ShopClient.open(fresh)
            #expect(try await restored.client.call("product.get", ["productId": .integer(product)])["stock"] == 48)
            #expect(try await restored.client.call("audit.verify")["differences"]?.array?.isEmpty == true)
            var news = follower.notifications.makeAsyncIterator()
            for _ in 1...2 {
                _ = try await restored.client.call(
                    "inventory.restock",
                    ["productId": .integer(product), "quantity": 5]
                )
                let gap = try #require(await news.next())
                #expect(gap.method == "events.gap")
                #expect(gap.params["reason"] == "RESTORED")
                let event = try #require(await news.next())
                #expect(event.method == "events.event")
                let (last, sequence) = (gap.params["toSequence"]?.integer, event.params["sequence"]?.integer)
                #expect(try #require(sequence) > #require(last))
                #expect(event.params["after"]?["stock"] == 53)
                // Once more into the same shop: its numbers begin again where the dump was made.
                try await shell(try Self.documented("pg_restore"), places)
            }
            _ = try await restored.client.call("inventory.restock", ["productId": .integer(product), "quantity": 5])

            // It stands on its own: a daemon finds nothing to do to it.
            #expect(await fresh.stop() == 0)
            try await fresh.restart()
            let again = try await fresh.client()
            #expect(try await again.call("product.get", ["productId": .integer(product)])["stock"] == 53)
            await again.close()
            #expect(await fresh.stop() == 0)
            #expect(await daemon.stop() == 0)
        }
    }
}
