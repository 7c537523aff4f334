import Foundation
import JSON
import PricingTestSupport
import Testing

@testable import pricing_repl

extension EndToEnd {
    /// The tour, charts, the wire and prose, on a terminal beside the real daemon.
    @Suite
    struct ReplTourTests {
        @Test func `the tour ends with a price having moved, and the shop is as it was`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let shop = try await daemon.client()
            let before = try await shop.call("product.list")["items"]
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("\\tour\r")
            for sentence in ["find ", "why ", "plot ", "try adjust ", "\\as shell"] {
                #expect(repl.expect("pricing> \(sentence)"))
                #expect(repl.expect("Enter goes on"))
                repl.type("\r")
            }
            #expect(repl.expect("pricing> adjust "))
            #expect(repl.expect("price "))
            #expect(repl.expect(" → "))
            #expect(repl.expect("And back"))
            #expect(repl.expect("That was the tour"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
            func figures(_ items: JSONValue??) -> [String] {
                ((items ?? nil)?.array ?? []).map { "\($0["productId"] ?? 0) \($0["price"] ?? 0) \($0["stock"] ?? 0)" }
            }
            #expect(figures(try await shop.call("product.list")["items"]) == figures(before))
            let moves = try await shop.call("price.changes", ["cause": "adjust"])["items"]?.array ?? []
            #expect(moves.count >= 2)
        }

        @Test func `outside a sandbox the tour asks before it moves a price`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false, hasDemo: true)
            let shop = try await daemon.client()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("\\tour\r")
            for _ in 0..<5 {
                #expect(repl.expect("Enter goes on"))
                repl.type("\r")
            }
            #expect(repl.expect("in this shop. Do it?"))
            repl.type("no\r")
            #expect(repl.expect("nothing was changed"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
            #expect(try await shop.call("price.changes", ["cause": "adjust"])["items"]?.array?.isEmpty == true)
        }

        @Test(arguments: [("TERM=xterm", " │"), ("TERM=dumb", " |"), ("LC_ALL=C", " |")])
        func `a price over time is a chart`(_ variable: String, _ drawn: String) async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Plotted"])
            try await shop.buy(product, 45)
            let repl = try #require(
                ReplProcess(["--socket", daemon.socket], home: daemon.folder, environment: [variable])
            )
            #expect(repl.expect("pricing> "))
            repl.type("plot \(product)\r")
            #expect(repl.expect("\(product) Plotted"))
            #expect(repl.expect("110.00\(drawn)"))
            #expect(repl.expect("100.00\(drawn)"))
            #expect(repl.expect("pricing> "))
            repl.type("plot \(product) stock\r")
            #expect(repl.expect("stock"))
            #expect(repl.expect(" 5"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `the wire shows the lines of a call`() async throws {
            let daemon = try await TestDaemon.shared()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("\\wire\r")
            #expect(repl.expect("the wire is shown"))
            repl.type("session.ping\r")
            #expect(repl.expect("→ {\"jsonrpc\":\"2.0\",\"id\":"))
            #expect(repl.expect("\"method\":\"session.ping\"}"))
            #expect(repl.expect("← {\"jsonrpc\":\"2.0\",\"id\":"))
            #expect(repl.expect("\"result\":{"))
            #expect(repl.expect("pricing> "))
            repl.type("\\wire off\rsession.ping\r")
            #expect(repl.expect("the wire is not shown"))
            #expect(repl.expect("ok"))
            #expect(repl.expect("pricing> "))
            #expect(!repl.seen.contains("jsonrpc"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `an order, a person and a rule are said in a sentence before their members`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder, columns: 200))
            #expect(repl.expect("pricing> "))
            repl.type("show order 1\r")
            #expect(repl.expect("is completed: 2 units of 2 products for Chloe Evans, "))
            #expect(repl.expect("Laptop 14 inch"))
            #expect(repl.expect("pricing> "))
            repl.type("show chloe.evans@mail.example\r")
            #expect(repl.expect("Chloe Evans"))
            #expect(repl.expect(" is a customer since "))
            #expect(repl.expect("with 2 orders."))
            #expect(repl.expect("email"))
            #expect(repl.expect("pricing> "))
            repl.type("show rule bands\r")
            #expect(repl.expect("(bands) is in force since "))
            #expect(repl.expect("Low stock adds 10 %, high stock takes off 10 %, prices are looked at every "))
            #expect(repl.expect("tickSeconds"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a rule is changed after its effect was seen and agreed to`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let shop = try await daemon.client()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("rule bands up=20%\r")
            #expect(repl.expect("rule bands 2 would be in force"))
            #expect(repl.expect("do it?"))
            repl.type("no\r")
            #expect(repl.expect("nothing was changed"))
            #expect(repl.expect("pricing> "))
            #expect(try await shop.call("rule.list", ["status": "active"])["items"]?.array?.first?["version"] == 1)
            repl.type("rule bands up=20%\r")
            #expect(repl.expect("do it?"))
            repl.type("yes\r")
            #expect(repl.expect("rule bands 2 is in force: "))
            #expect(repl.expect("pricing> "))
            let active = try await shop.call("rule.list", ["status": "active"])["items"]?.array ?? []
            let bands = active.first { $0["name"] == "bands" }
            #expect(bands?["version"] == 2)
            #expect(bands?["parameters"]?["up"]?.description == "0.2000")
            #expect(bands?["parameters"]?["down"]?.description == "0.1000")
            repl.type("rule bands upp=1\r")
            #expect(repl.expect("^^^"))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a mistake in a deed is named with what is allowed; a category is no word`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder, in: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("find low\r")
            #expect(repl.expect("2 products"))
            repl.type("find low > low.csv\r")
            #expect(repl.expect("low.csv: 2 rows, 1 page, complete"))
            repl.type("sell 1 x0 to chloe.evans@mail.example\r")
            #expect(repl.expect("^^"))
            #expect(repl.expect("'x0' is no number of units; allowed: x1…"))
            repl.type("find cat kitchen\r")
            #expect(repl.expect("→ 3 Kitchen"))
            #expect(repl.expect("4 products"))
            repl.type("try halt all \"stop\"\r")
            #expect(repl.expect("all prices would stand still until resumed, while orders go on"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }
}
