import Glibc
import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What is watched in one place, on terminals of all sorts.
    @Suite
    struct ReplWatchTests {
        private func shell(
            _ daemon: TestDaemon,
            columns: UInt16 = 80,
            _ environment: [String] = []
        ) throws -> ReplProcess {
            let repl = try #require(
                ReplProcess(
                    ["--socket", daemon.socket],
                    home: daemon.folder,
                    environment: environment,
                    columns: columns
                )
            )
            #expect(repl.expect("pricing> "))
            return repl
        }

        private func leave(_ repl: ReplProcess) {
            repl.type("\u{3}")
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test(arguments: [80, 60, 200])
        func `prices are watched in place, each change at once and with what was there`(_ columns: Int) async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let word = "teapot\(ShopClient.unique())"
            let title = JSONValue.string("\(word) with a title that is longer than a narrow terminal has columns")
            let one = try await shop.product(["title": title])
            let two = try await shop.product(["title": title])
            let repl = try shell(daemon, columns: UInt16(columns))
            repl.type("watch price \(word) every 600s\r")
            let head = "watch price \(word) · every change, else 600 s"
            #expect(repl.expectScreen { $0.text.contains("\(two)  \(word)") && $0.text.contains(head) })
            try await shop.buy(one, 45)
            func isOneTable(_ screen: TerminalScreen) -> Bool {
                let frame = screen.lines.drop { !$0.hasPrefix("watch price") }
                return frame.filter { $0.hasPrefix("watch price") }.count == 1
                    && [one, two].allSatisfy { product in
                        // A shorter number stands further to the right.
                        frame.filter { (" " + $0).contains(" \(product)  \(word)") }.count == 1
                    }
                    && frame.allSatisfy { $0.count < columns }
            }
            #expect(
                repl.expectScreen {
                    $0.text.contains("110.00  ◂ 100.00") && $0.text.contains("5  ◂ 50") && isOneTable($0)
                }
            )
            try await shop.buy(two, 1)
            #expect(repl.expectScreen { $0.text.contains("49  ◂ 50") && $0.text.contains("5  ◂ 50") })
            leave(repl)
        }

        @Test func `a window that is pulled about while one watches has one table`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "A teapot whose title is as long as this"])
            let repl = try shell(daemon, columns: 100)
            repl.type("watch \(product) every 600s\r")
            #expect(repl.expectScreen { $0.text.contains("100.00") })
            for columns in [UInt16(60), 41, 70, 120, 50] {
                repl.resize(columns: columns)
                #expect(repl.expectScreen { $0.lines[0].hasPrefix("watch ") && $0.lines[0].count == columns - 1 })
            }
            try await shop.buy(product, 45)
            #expect(
                repl.expectScreen {
                    $0.text.contains("110.00  ◂ 100.00") && $0.lines.filter { $0.contains("A teap") }.count == 1
                        && $0.lines.filter { $0.contains("watch \(product)") }.count == 1
                },
                "\(repl.screen.text)"
            )
            leave(repl)
        }

        @Test func `a terminal that cannot go back gets a block a change`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Teapot"])
            let repl = try shell(daemon, ["TERM=dumb"])
            repl.type("watch \(product) every 100ms until stock<40\r")
            #expect(repl.expect("watch \(product) · every change, else 0.1 s · Ctrl-C ends"))
            #expect(repl.expect("\(product)  Teapot  100.00     50"))
            try await shop.buy(product, 1)
            #expect(repl.expect("watch \(product) · "))
            #expect(repl.expect("49  ◂ 50"))
            try await shop.buy(product, 10)
            #expect(repl.expect("watch \(product) · "))
            #expect(repl.expect("39  ◂ 49"))
            #expect(repl.expect("pricing> "))
            #expect(!repl.screen.styles.joined().contains { !$0.isEmpty })
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a daemon that goes while one watches is waited for, and the table goes on`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Teapot"])
            let repl = try shell(daemon)
            repl.type("watch stock every 600s\r")
            #expect(repl.expectScreen { $0.text.contains("every change") && $0.text.contains("50  100.00") })
            await daemon.kill9()
            #expect(repl.expectScreen { $0.text.contains("watch stock · ⟂ ") && $0.text.contains("Teapot") })
            try await daemon.restart()
            #expect(repl.expectScreen { $0.text.contains("watch stock · every change, else 600 s") })
            let again = try await ShopClient.open(daemon)
            try await again.buy(product, 3)
            #expect(
                repl.expectScreen {
                    $0.text.contains("47  ◂ 50") && $0.lines.filter { $0.contains("Teapot") }.count == 1
                }
            )
            leave(repl)
        }

        @Test func `orders are watched too, and what is named wrongly is marked`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Teapot"])
            let repl = try shell(daemon)
            repl.type("watch orders every 600s until status=cancelled\r")
            #expect(repl.expectScreen { $0.text.contains("watch orders · every change, else 600 s") })
            let order = try await shop.buy(product, 2)["orderId"] ?? nil
            #expect(repl.expectScreen { $0.text.contains("pending     200.00") || $0.text.contains("pending  200.00") })
            _ = try await shop.client.call("order.cancel", ["orderId": order, "reason": "twice"])
            #expect(repl.expect("cancelled"))
            #expect(repl.expect("◂ pending"))
            #expect(repl.expect("pricing> "))
            repl.type("watch price under cheap every 5s\r")
            #expect(repl.expect("watch price under cheap\r\n"))
            #expect(repl.expect(String(repeating: " ", count: 20)))
            #expect(repl.expect("^^^^^"))
            #expect(repl.expect("'cheap' is no price"))
            repl.type("watch order 1\r")
            #expect(repl.expect("error: "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `what goes into a pipe is told in lines, with a condition block by block`() async throws {
            let daemon = try await TestDaemon.shared()
            let product = try await ShopClient.open(daemon).product(["title": "Teapot"])
            func run(_ command: String) async throws -> [String] {
                let program = try ChildProgram(
                    TestDaemon.program("pricing-repl"),
                    ["--socket", daemon.socket, "--format", "table", "-c", command]
                )
                var lines: [String] = []
                while let line = await program.line() { lines.append(line) }
                #expect(await program.exit() == 0)
                return lines
            }
            #expect(try await run("watch price").first?.hasPrefix("told here · ") == true)
            #expect(try await run("watch \(product)").first?.hasPrefix("told here · ") == true)
            let until = try await run("watch \(product) until stock=50")
            #expect(until.contains { $0.contains("Teapot") })
        }
    }
}
