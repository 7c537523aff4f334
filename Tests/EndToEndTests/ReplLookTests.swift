import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What is looked at again and again, what Tab knows, and who made a rule.
    @Suite
    struct ReplLookTests {
        @Test func `a look in words is watched as a call is, and what it names is found once`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Yoga mat"])
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("watch why yoga mat every 200ms until stock<50\r")
            #expect(repl.expect("→ \(product) Yoga mat"))
            #expect(repl.expect("watch why yoga mat · every change, else 0.2 s"))
            #expect(repl.expect("\(product) Yoga mat: 100.00"))
            try await shop.buy(product, 45)
            #expect(repl.expect("110.00"))
            #expect(repl.expect("pricing> "))
            #expect(!repl.seen.contains("→"))
            repl.type("\\watch 0.2 find yoga\r")
            #expect(repl.expect("watch find yoga · every change, else 0.2 s"))
            #expect(repl.expect("110.00"))
            repl.type("\u{3}")
            #expect(repl.expect("pricing> "))
            repl.type("watch show nothing of the kind\r")
            #expect(repl.expect("no product is called"))
            #expect(repl.expect("pricing> "))
            repl.type("watch restock 1 +1\r")
            #expect(repl.expect("error: "))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `Tab knows the categories that may stand still, and what may be watched`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("halt Kit\t")
            #expect(repl.expect("halt cat 3·Kitchen "))
            repl.type("\"feed wrong\"\r")
            #expect(repl.expect("halted: 3 Kitchen, 4 products keep their price · orders go on · resume cat 3"))
            #expect(repl.expect("pricing> "))
            repl.type("resume \t")
            #expect(repl.expect("cat 3  Kitchen"))
            #expect(repl.expect("18  Yoga mat"))
            #expect(repl.expect("pricing> resume "))
            repl.type("cat kitchen\r")
            #expect(repl.expect("resumed: 3 Kitchen"))
            #expect(repl.expect("pricing> "))
            repl.type("watch wh\t")
            #expect(repl.expect("who"))
            repl.type("y Yog\t")
            #expect(repl.expect("watch why 18·Yoga_mat "))
            repl.type("\u{3}")
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `who made the versions of a rule, and what each changed`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let shop = try await daemon.client()
            let change: JSONObject = [
                "ruleId": 1, "parameters": ["up": .decimal("0.2")], "_meta": ["actor": "ann"],
            ]
            _ = try await shop.call("rule.revise", change)
            let repl = try #require(
                ReplProcess(["--socket", daemon.socket], home: daemon.folder, columns: 200)
            )
            #expect(repl.expect("pricing> "))
            repl.type("who rule bands\r")
            #expect(repl.expect("#  made"))
            #expect(repl.expect("in force since"))
            #expect(repl.expect("2  "))
            #expect(repl.expect("ann"))
            #expect(repl.expect("up 0.1000 → 0.2000"))
            #expect(repl.expect("1  "))
            #expect(repl.expect("retired"))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }
}
