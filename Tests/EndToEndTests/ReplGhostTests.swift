import JSON
import PricingTestSupport
import Testing

@testable import pricing_repl

extension EndToEnd {
    /// The effect behind a line that is not sent yet, and what is tried.
    @Suite
    struct ReplGhostTests {
        @Test func `the effect stands behind the line before it is done, and nothing is done`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Yoga mat"])
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("adjust yoga mat -45")
            #expect(repl.expect("   stock 50 -> 5, price 100.00 -> 110.00"))
            #expect(try await shop.stock(product) == 50)
            repl.type("\u{7F}0")
            #expect(repl.expect("   stock 50 -> 10, price "))
            repl.type("\r")
            #expect(repl.expect("stock 50 → 10"))
            #expect(repl.expect("pricing> "))
            // The same line again has another effect.
            repl.type("adjust \(product) -4")
            #expect(repl.expect("   stock 10 -> 6, price"))
            repl.type("\r")
            #expect(repl.expect("stock 10 → 6"))
            #expect(repl.expect("pricing> "))
            repl.type("adjust \(product) -4")
            #expect(repl.expect("   stock 6 -> 2, price"))
            repl.type("\u{3}")
            #expect(repl.expect("pricing> "))
            repl.type("try restock \(product) +1\r")
            #expect(repl.expect("Yoga mat"))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
            #expect(try await shop.stock(product) == 6)
        }

        @Test func `a refusal is explained, and a name alone is shown`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("18\r")
            #expect(repl.expect("SP-MAT"))
            repl.type("find cat kitchen\r%1\r")
            #expect(repl.expect("KI-PAN-IRON"))
            repl.type("pin . 9999\r")
            #expect(repl.expect("OUTSIDE_LIMITS"))
            #expect(repl.expect("pricing> "))
            repl.type("\\explain\r")
            #expect(repl.expect("remedy"))
            #expect(repl.expect("pricing> "))
            repl.type("help halt\r")
            #expect(repl.expect("halt kitchen \"supplier feed wrong\""))
            repl.type("tail orders\r")
            #expect(repl.expect("told here"))
            repl.type("sell 2 x1 to user 3\r")
            #expect(repl.expect(" pending, 249.00: 1 × EL-PHONES-NC for user 3"))
            repl.type("resume all\r")
            #expect(repl.expect("nothing was halted"))
            repl.type("show cat kitchen\r")
            #expect(repl.expect("4 products · "))
            #expect(repl.expect(" ms · %1 … %4 name the rows"))
            repl.type("why order 1\r")
            #expect(repl.expect("'1' is too much; usage: why PRODUCT"))
            repl.type("product.lst\r")
            #expect(repl.expect("^^^^^^^^^^^"))
            #expect(repl.expect("didYouMean=product.list"))
            repl.type("undo since yesterday\r")
            #expect(repl.expect("0 taken back, 20 left"))
            #expect(repl.expect("left: products 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 10 more: it was made since"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a long sentence is broken between words`() {
            #expect(
                DisplayText.wrapped("  guards: floor 1.00 ok | ceiling 2.00 ok", to: 30) == """
                      guards: floor 1.00 ok |
                        ceiling 2.00 ok
                    """
            )
            #expect(DisplayText.wrapped("short", to: 5) == "short")
            #expect(DisplayText.wrapped("\u{1B}[1mbold\u{1B}[0m it", to: 7) == "\u{1B}[1mbold\u{1B}[0m it")
            #expect(DisplayText.wrapped("unbreakable 1234567", to: 4) == "unbreakable\n  1234567")
        }
    }
}
