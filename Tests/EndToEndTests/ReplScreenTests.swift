import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Screens of all sorts: narrow and wide ones, plain locales, a window that is pulled about.
    @Suite
    struct ReplScreenTests {
        @Test(arguments: [(60, "C.UTF-8"), (200, "C.UTF-8"), (60, "C")])
        func `an event above a line that is typed is whole, and the line is drawn again`(
            _ columns: UInt16,
            _ locale: String
        ) async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let title = "A kettle whose title is longer than what is left of a narrow screen"
            let product = try await shop.product(["title": .string(title)])
            let repl = try #require(
                ReplProcess(
                    ["--socket", daemon.socket],
                    home: daemon.folder,
                    environment: ["LC_ALL=\(locale)"],
                    columns: columns
                )
            )
            #expect(repl.expect("pricing> "))
            repl.type("tail \(product)\r")
            #expect(repl.expect("told here"))
            #expect(repl.expect("pricing> "))
            repl.type("product.get productId=\(product)")
            #expect(repl.expect("productId=\(product)"))
            // Pulled about while events come.
            for wide in stride(from: columns, to: columns + 20, by: 1) { repl.resize(columns: wide) }
            repl.resize(columns: columns)
            try await shop.buy(product, 45)
            // Broken between words where it has no room.
            let events = [
                "\(product) \(title)  stock 50 → 5", "\(product) \(title)  price 100.00 → 110.00 ▲10%  stock 5",
            ]
            #expect(
                repl.expectScreen { screen in
                    events.joined(separator: " ").split(separator: " ").allSatisfy { word in
                        screen.lines.contains { $0.split(separator: " ").contains(word) }
                    } && (columns > 60 || screen.lines.filter { $0.hasPrefix("  ") }.count >= 3)
                },
                "\(repl.screen.text)"
            )
            #expect(repl.expect("pricing> product.get productId=\(product)"))
            repl.type("\r")
            #expect(repl.expect("110.00"))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `an empty list is not shown, and what is too large says how large it may be`() async throws {
            let daemon = try await TestDaemon.shared()
            let product = try await ShopClient.open(daemon).product()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("price.get productIds=[\(product)]\r")
            #expect(repl.expect("100.00"))
            #expect(repl.expect("(1 row)"))
            repl.type("price.get productIds=[999999999]\r")
            #expect(repl.expect("missing | 999999999"))
            repl.type("product.list limit=10000\r")
            #expect(repl.expect("/limit: at most 500"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }
}
