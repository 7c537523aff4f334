import Foundation
import Glibc
import JSON
import Postgres
import PricingTestSupport
import RPCTransport
import Testing

@testable import pricing_repl

extension EndToEnd {
    /// What an operator relies on, on a real terminal beside the real daemon.
    @Suite
    struct ReplTrustTests {
        private static let slowCall =
            "lab.run scenarios=[{\"name\":\"a\",\"stock\":25,\"horizon_days\":30,\"customers_per_day\":4,"
            + "\"demand\":\"exponential(40)\",\"base\":50}] policies=[\"learn_calm\"] seasons=100000"

        private func isRunning(_ method: String, _ shop: ShopClient) async throws -> Bool {
            let items = try await shop.client.call("server.requests")["items"]?.array ?? []
            return items.contains { $0["method"]?.string == method }
        }

        @Test func `the daemon ends while one types: the prompt turns, the line stays, events come again`() async throws
        {
            let daemon = try await TestDaemon.start()
            let product = try await ShopClient.open(daemon).product(["title": "Yoga mat"])
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("events.subscribe topics=[\"stock\"]\r")
            #expect(repl.expect("subscription"))
            #expect(repl.expect("pricing> "))
            repl.type("product.get productId=")
            await daemon.kill9()
            #expect(repl.expect("pricing ⟂ 0 s> product.get productId="))
            #expect(repl.expect("pricing ⟂ 1 s> product.get productId="))
            try await daemon.restart()
            #expect(repl.expect("events: none missed while away"))
            #expect(repl.expect("pricing> product.get productId="))
            repl.type("\(product)\r")
            #expect(repl.expect("Yoga mat"))
            #expect(repl.expect("pricing> "))
            let shop = try await ShopClient.open(daemon)
            try await shop.buy(product, 2)
            #expect(repl.expect("\(product) Yoga mat  stock 50 → 48"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `events that were missed while away come after all`() async throws {
            let daemon = try await TestDaemon.start()
            let product = try await ShopClient.open(daemon).product()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("events.subscribe topics=[\"stock\"]\r")
            #expect(repl.expect("subscription"))
            #expect(repl.expect("pricing> "))
            repl.signal(SIGSTOP)
            await daemon.kill9()
            try await daemon.restart()
            let shop = try await ShopClient.open(daemon)
            let watcher = try await daemon.client()
            _ = try await watcher.call("events.subscribe", ["topics": ["stock"]])
            try await shop.buy(product, 3)
            for await notification in watcher.notifications where notification.method == "events.event" { break }
            repl.signal(SIGCONT)
            #expect(repl.expect("events: 1 missed while away, shown from "))
            #expect(repl.expect("stock 50 → 47"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a write that loses its daemon is done once, and the shell says so`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let repl = try #require(
                ReplProcess(["--yes", "--socket", daemon.socket], home: daemon.folder, environment: ["USER=ada"])
            )
            #expect(repl.expect("pricing> "))
            repl.type("product.get productId=\(product)\r")
            #expect(repl.expect("pricing> "))
            // The row is held, so that the restock waits when the daemon ends.
            let held = try await HeldLock(row: product, in: daemon)
            repl.type("inventory.restock productId=\(product) quantity=20\r")
            try await held.awaitWaiter()
            await daemon.kill9()
            #expect(repl.expect("connection lost"))
            #expect(repl.expect("not known yet whether it was done · trying again"))
            try await held.release()
            try await daemon.restart()
            #expect(repl.expect("once (key repl-"))
            #expect(repl.expect("pricing> "))
            let again = try await ShopClient.open(daemon)
            #expect(try await again.stock(product) == 70)
            let moved = try await again.client.call(
                "inventory.movements",
                ["productId": .integer(product), "limit": 1]
            )
            #expect(moved["items"]?.array?.first?["actor"] == "ada")
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test(arguments: [("C.UTF-8", "⟂"), ("C", "offline")])
        func `the shell starts without a daemon and finds it when it comes`(_ locale: String, _ mark: String)
            async throws
        {
            let daemon = try await TestDaemon.start()
            let product = try await ShopClient.open(daemon).product(["title": "Late"])
            #expect(await daemon.stop() == 0)
            let repl = try #require(
                ReplProcess(["--socket", daemon.socket], home: daemon.folder, environment: ["LC_ALL=\(locale)"])
            )
            #expect(repl.expect("pricing> "))
            #expect(repl.expect("no daemon answers at \(daemon.socket)"))
            #expect(repl.expect("pricing \(mark) "))
            repl.type("product.get productId=\(product)\r")
            #expect(repl.expect("error: no connection"))
            try await daemon.restart()
            #expect(repl.expect("pricing> "))
            repl.type("product.get productId=\(product)\r")
            #expect(repl.expect("Late"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a second control c leaves the call behind, and what was typed ahead is the next line`() async throws
        {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Ahead"])
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("\(Self.slowCall)\r")
            while try await !isRunning("lab.run", shop) { try Task.checkCancellation() }
            repl.type("product.get productId=\(product)")
            repl.type("\u{3}\u{3}\u{3}")
            #expect(repl.expect("CANCELLED"))
            #expect(repl.expect("pricing> product.get productId=\(product)"))
            #expect(repl.screen.lines.filter { $0.contains("product.get") }.count == 1)
            repl.type("\r")
            #expect(repl.expect("Ahead"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a daemon that hangs does not hold the prompt, and what it says at last is told`() async throws {
            let daemon = try await TestDaemon.start()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            let shop = try await ShopClient.open(daemon)
            repl.type("\(Self.slowCall)\r")
            while try await !isRunning("lab.run", shop) { try Task.checkCancellation() }
            daemon.program.signal(SIGSTOP)
            #expect(repl.expect("pricing> ", pressing: "\u{3}"))
            daemon.program.signal(SIGCONT)
            #expect(repl.expect("CANCELLED"))
            repl.type("\u{3}\\q\r")
            #expect(repl.end() == 0)
        }

        @Test(arguments: [SIGTERM, SIGHUP]) func `a signal gives the terminal back`(_ number: Int32) async throws {
            let daemon = try await TestDaemon.shared()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("half")
            #expect(repl.expect("half"))
            #expect(!repl.isCooked)
            repl.signal(number)
            #expect(repl.expect("\u{1B}[?2004l"))
            #expect(repl.endingSignal() == number)
            #expect(repl.isCooked)
        }

        @Test func `control z stops the shell and fg brings the line back`() async throws {
            let daemon = try await TestDaemon.shared()
            let shell = try #require(
                ReplProcess(
                    ["--norc", "--noprofile", "-i"],
                    home: daemon.folder,
                    environment: ["PS1=bash: "],
                    program: "/bin/bash"
                )
            )
            #expect(shell.expect("bash: "))
            shell.type("\(try #require(ReplProcess.program)) --socket \(daemon.socket)\r")
            #expect(shell.expect("pricing> "))
            shell.type("server.pi\u{1A}")
            #expect(shell.expect("Stopped"))
            #expect(shell.expect("bash: "))
            shell.type("fg\r")
            #expect(shell.expect("pricing> server.pi"))
            shell.type("\u{3}")
            #expect(shell.expect("pricing> "))
            shell.type("\\q\r")
            #expect(shell.expect("bash: "))
            shell.type("exit\r")
            #expect(shell.end() == 0)
        }

        @Test func `vi's command mode`() async throws {
            let daemon = try await TestDaemon.shared()
            let folder = try TemporaryFolder()
            try "bind -v\n".write(toFile: folder.path + "/.editrc", atomically: true, encoding: .utf8)
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: folder.path))
            #expect(repl.expect("pricing> "))
            repl.type("xxsession.peng")
            #expect(repl.expect("xxsession.peng"))
            // A second ESC does nothing; two letters go at the beginning, one is another at the end.
            repl.type("\u{1B}\u{1B}0xx$hhri\r")
            #expect(repl.expect("ok\r\n"))
            #expect(repl.expect("pricing> "))
            // A paste is one in vi too, and the arrow above finds the line before.
            repl.type("\u{1B}[200~session.ping\r\u{1B}[201~")
            #expect(repl.expect("session.ping"))
            repl.type("\u{3}")
            #expect(repl.expect("pricing> "))
            repl.type("\u{1B}[A")
            #expect(repl.expect("session.ping"))
            repl.type("\u{3}\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `enter goes on in an open bracket, and up moves within the text`() async throws {
            let daemon = try await TestDaemon.shared()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("events.list {\r\"limit\": 1,\r\"from\": 0\r")
            repl.type("\u{1B}[A\u{1B}[A\u{1B}[F")
            // The second row's end: one more digit makes a page of 11.
            repl.type("\u{1B}[D1\u{1B}[B\u{1B}[B}\r")
            #expect(repl.expect("row"))
            #expect(repl.expect("pricing> "))
            repl.type("\u{1B}[A")
            #expect(repl.expect("\"limit\": 11,"))
            repl.type("\u{3}\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `two sessions share one history`() async throws {
            let daemon = try await TestDaemon.shared()
            let home = try TemporaryFolder()
            let first = try #require(ReplProcess(["--socket", daemon.socket], home: home.path))
            let second = try #require(ReplProcess(["--socket", daemon.socket], home: home.path))
            #expect(first.expect("pricing> "))
            #expect(second.expect("pricing> "))
            for (repl, number) in [(first, 11), (second, 12), (first, 13)] {
                repl.type("price.get productIds=[\(number)]\r")
                #expect(repl.expect("row"))
                #expect(repl.expect("pricing> "))
            }
            second.type(" session.ping\r")
            #expect(second.expect("pricing> "))
            second.type("\u{1B}[A")
            #expect(second.expect("productIds=[13]"))
            second.type("\u{3}\\q\r")
            first.type("\\q\r")
            #expect([first.end(), second.end()] == [0, 0])
            let file = try String(contentsOfFile: home.path + "/.local/state/pricing/history.jsonl", encoding: .utf8)
            let numbers = file.split(separator: "\n").compactMap { line in
                (try? JSONParser.parse(Array(line.utf8)))?["text"]?.string
            }
            #expect(numbers.prefix(3) == [11, 12, 13].map { "price.get productIds=[\($0)]" }[...])
            #expect(!file.contains("session.ping"))
        }

        @Test(arguments: ["dumb", "xterm"]) func `a resize in a burst keeps the line`(_ terminal: String) async throws {
            let daemon = try await TestDaemon.shared()
            let repl = try #require(
                ReplProcess(
                    ["--socket", daemon.socket],
                    home: daemon.folder,
                    environment: ["TERM=\(terminal)"],
                    columns: 200
                )
            )
            #expect(repl.expect("pricing> "))
            repl.type("product.list search=\"")
            #expect(repl.expect("search="))
            for columns in 60...90 as ClosedRange<UInt16> { repl.resize(columns: columns) }
            repl.type("nothing of this name\"\r")
            #expect(repl.expect("(0 rows)"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }
}
