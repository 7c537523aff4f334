import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Words for people, what is asked before a write, and what a script may not guess; on a terminal beside the real daemon.
    @Suite
    struct ReplAskTests {
        private func script(
            _ arguments: [String],
            _ daemon: TestDaemon
        ) async throws -> (status: Int32, errors: String) {
            let program = try ChildProgram(TestDaemon.program("pricing-repl"), ["--socket", daemon.socket] + arguments)
            while await program.line() != nil {}
            return (await program.exit(), await program.errorText())
        }

        @Test func `a product is what its title says, and is tried before it is moved`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Yoga mat"])
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("try restock yoga mat +20\r")
            #expect(repl.expect("→ \(product) Yoga mat"))
            #expect(repl.expect("+20"))
            #expect(repl.expect("pricing> "))
            #expect(try await shop.stock(product) == 50)
            repl.type("restock yoga mat +20\r")
            #expect(repl.expect("stock 50 → 70"))
            repl.type(".\r")
            #expect(repl.expect("\(product) Yoga mat"))
            #expect(repl.expect("stock 70"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `what cannot be taken back is asked; no is no, and yes means what was shown`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Yoga mat"])
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("product.archive productId=\(product)\r")
            #expect(repl.expect("it cannot be taken back"))
            #expect(repl.expect("do it?"))
            repl.type("no\r")
            #expect(repl.expect("nothing was changed"))
            #expect(repl.expect("pricing> "))
            #expect(try await shop.client.call("product.get", ["productId": .integer(product)])["archived"] == false)
            repl.type("product.archive productId=\(product)\r")
            #expect(repl.expect("do it?"))
            repl.type("yes\r")
            #expect(repl.expect("archived"))
            #expect(repl.expect("pricing> "))
            #expect(try await shop.client.call("product.get", ["productId": .integer(product)])["archived"] == true)
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a script guesses nothing and asks nobody`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let first = try await shop.product(["title": "Yoga mat, blue"])
            let second = try await shop.product(["title": "Yoga mat, green"])
            let vague = try await script(["-c", "restock yoga +5"], daemon)
            #expect(vague.status == 3)
            #expect(vague.errors.contains("\"yoga\" is 2 products; name one"))
            #expect(try await shop.stock(first) == 50)
            #expect(try await shop.stock(second) == 50)
            let plain = try await script(["-c", "restock yoga mat, green +5"], daemon)
            #expect(plain.status == 0)
            #expect(try await shop.stock(second) == 55)
            let grave = try await script(["-c", "halt"], daemon)
            #expect(grave.status == 3)
            #expect(grave.errors.contains("--yes"))
            let told = try await script(["--yes", "-c", "halt"], daemon)
            #expect(told.status == 0)
            let halts = try await shop.client.call("pricing.halts")["items"]?.array ?? []
            #expect(halts.contains { $0["scope"] == "all" && $0["resumedAt"]?.isNull == true })
        }
    }
}
