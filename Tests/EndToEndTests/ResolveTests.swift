import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What a person means by a text.
    @Suite
    struct ResolveTests {
        private static let daemon = Task { try await TestDaemon.start(hasDemo: true) }

        /// A text, and the labels of the match (empty: none) and of the first candidates.
        @Test(arguments: [
            ("product", "3", "Wireless mouse", ["Wireless mouse"]),
            ("product", "el-MOUSE", "Wireless mouse", ["Wireless mouse"]),
            ("product", "spade", "Spade", ["Spade"]), ("product", "garden", "Garden hose 25 m", ["Garden hose 25 m"]),
            ("product", "book", "", ["Bookmark", "Cookbook of soups"]),
            ("product", "mouse wire", "Wireless mouse", ["Wireless mouse"]),
            ("product", "el-", "", ["Laptop 14 inch", "Noise cancelling headphones"]),
            ("product", "nothing of that", "", []), ("product", "99999999999999999999", "", []),
            ("product", "%", "", []),
            ("user", "CHLOE.evans@mail.example", "Chloe Evans", ["Chloe Evans"]),
            ("user", "ada", "Ada Fischer", ["Ada Fischer"]),
            ("user", "mail.example", "", ["Chloe Evans"]), ("user", "1", "Ada Fischer", ["Ada Fischer"]),
            ("order", "4", "Order 4", ["Order 4"]), ("order", "chloe evans", "", ["Order 7", "Order 1"]),
            ("order", "hugo", "Order 6", ["Order 6"]), ("rule", "bands", "bands 1", ["bands 1"]),
            ("rule", "bands 1", "bands 1", ["bands 1"]), ("category", "KITCHEN", "Kitchen", ["Kitchen"]),
            ("category", "for", "", ["Kitchen"]),
            ("supplier", "de-100200300", "Northwind Trading", ["Northwind Trading"]),
            ("supplier", "green", "Green Fields", ["Green Fields"]),
        ])
        func `a text means`(kind: String, text: String, match: String, first: [String]) async throws {
            let client = try await Self.daemon.value.client()
            let reply = try await client.call("server.resolve", ["kind": .string(kind), "text": .string(text)])
            let labels = (reply["candidates"]?.array ?? []).compactMap { $0["label"]?.string }
            #expect(Array(labels.prefix(first.count)) == first)
            #expect(first.isEmpty == labels.isEmpty)
            #expect((reply["match"]?["label"]?.string ?? "") == match)
            await client.close()
        }

        @Test func `a second line tells one from its like, and what is archived comes last`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let title = "Çay Bardağı \(ShopClient.unique())"
            let old = try await shop.product(["title": .string(title), "sku": .string("OLD \(title)")])
            func resolve(_ text: String, limit: Int64 = 20) async throws -> JSONObject {
                try await shop.client.call(
                    "server.resolve",
                    ["kind": "product", "text": .string(text), "limit": .integer(limit)]
                )
            }
            #expect(try await resolve(title.lowercased())["match"]?["id"] == .integer(old))
            let new = try await shop.product(["title": .string(title)])
            #expect(try await resolve(title)["match"] == nil, "two of one title")
            _ = try await shop.client.call("product.archive", ["productId": .integer(old)])
            let reply = try await resolve("cay bardagi \(title.split(separator: " ").last ?? "")")
            #expect(reply["match"]?["id"] == .integer(new))
            #expect(reply["candidates"]?.array?.map { $0["id"] } == [.integer(new), .integer(old)])
            let category = "Category of test"
            let detail = try #require(reply["candidates"]?.array?.last?["detail"]?.string)
            #expect(detail.hasPrefix("OLD \(title), \(category)") && detail.hasSuffix(", 100.00, archived"))
            #expect(try await resolve("OLD \(title)")["match"]?["id"] == .integer(old), "its own SKU names it still")
            #expect(try await resolve("cay", limit: 1)["candidates"]?.array?.count == 1)
        }
    }
}
