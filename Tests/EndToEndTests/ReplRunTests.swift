import Foundation
import JSON
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Scripts and exports of the shell, beside the real daemon.
    @Suite
    struct ReplRunTests {
        private func run(
            _ arguments: [String],
            _ daemon: TestDaemon
        ) async throws -> (status: Int32, lines: [String], errors: String) {
            let program = try ChildProgram(
                TestDaemon.program("pricing-repl"),
                ["--socket", daemon.socket] + arguments
            )
            var lines: [String] = []
            while let line = await program.line() { lines.append(line) }
            return (await program.exit(), lines, await program.errorText())
        }

        /// More products than a page holds, with a title of their own.
        private func crowd(_ count: Int, _ daemon: TestDaemon) async throws -> String {
            let shop = try await ShopClient.open(daemon)
            let word = "crowd\(ShopClient.unique())"
            let seed = try await shop.product(["title": .string(word)])
            let database = try await daemon.database()
            _ = try await database.text(
                """
                with made as (
                    select product_create(jsonb_build_object('title', '\(word) ' || n, 'basePrice', '5.00',
                        'categoryId', (select category_id from product where product_id = \(seed)), 'stock', 1))
                    from generate_series(2, \(count)) n)
                select count(*)::text from made
                """
            )
            await database.close()
            return word
        }

        @Test func `a list in rows is written to its end, and its count is told`() async throws {
            let daemon = try await TestDaemon.shared()
            let word = try await crowd(730, daemon)
            let csv = try await run(["--format", "csv", "-c", "product.list search=\(word)"], daemon)
            #expect(csv.status == 0)
            #expect(csv.lines.count == 731)
            #expect(csv.lines.filter { $0.contains("basePrice") }.count == 1)
            #expect(csv.errors.hasPrefix("730 rows, 2 pages, complete · "))
            let some = try await run(["--format", "jsonl", "-c", "product.list search=\(word) limit=600"], daemon)
            #expect(some.lines.count == 600)
            #expect(some.errors.hasPrefix("600 rows, 2 pages, more are there · "))
            let folder = try TemporaryFolder()
            let path = folder.path + "/all.json"
            let file = try await run(["-c", "product.list search=\(word) > \(path)"], daemon)
            #expect(file.lines.isEmpty)
            #expect(file.errors.hasPrefix("\(path): 730 rows, 2 pages, complete"))
            let items = try JSONParser.parse(Array(Data(contentsOf: URL(filePath: path))))["items"]?.array
            #expect(items?.count == 730)
            let piped = try await run(["-c", "product.list search=\(word) limit=2 | tsv"], daemon)
            #expect(piped.lines.count == 3)
        }

        @Test func `a file that cannot be written is told, and a refused list leaves what was there`() async throws {
            let daemon = try await TestDaemon.shared()
            let folder = try TemporaryFolder()
            let path = folder.path + "/kept.csv"
            try "kept\n".write(toFile: path, atomically: true, encoding: .utf8)
            let refused = try await run(["-c", "product.list categoryId=999999999999999999999 > \(path)"], daemon)
            #expect(refused.status == 1)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "kept\n")
            let nowhere = try await run(["-c", "product.list > \(folder.path)/a/b.csv"], daemon)
            #expect(nowhere.status == 3)
            #expect(nowhere.errors.contains("No such file or directory"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["kept.csv"])
        }

        @Test func `a script ends at its first error and says where`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let folder = try TemporaryFolder()
            let inner = folder.path + "/inner.txt"
            try "# once\n\nproduct.get productId=999999999\n".write(toFile: inner, atomically: true, encoding: .utf8)
            let restock = "inventory.restock productId=\(product) quantity=1"
            let outer = folder.path + "/night.txt"
            try "\\set p \(product)\nproduct.get productId=${p}\n\\i \(inner)\n\(restock)\n"
                .write(toFile: outer, atomically: true, encoding: .utf8)
            let ended = try await run([outer], daemon)
            #expect(ended.status == 1)
            #expect(ended.lines.count == 1)
            #expect(ended.errors.contains("\n\(inner):3: error 101 PRODUCT_NOT_FOUND"))
            let usage = try await run(["-c", "product.get nonsense", "-c", restock], daemon)
            #expect(usage.status == 3)
            #expect(try await shop.stock(product) == 50)
            let going = try await run(["--keep-going", outer], daemon)
            #expect(going.status == 1)
            #expect(try await shop.stock(product) == 51)
        }

        @Test func `a script asks for the description of what it calls, once and no more`() async throws {
            let folder = try TemporaryFolder()
            let daemon = try await TestDaemon.start(arguments: ["--mirror-dir", folder.path + "/mirror"])
            let product = try await ShopClient.open(daemon).product()
            let get = "product.get productId=\(product)"
            #expect(
                try await run(["-c", get, "-c", "session.ping", "-c", get, "-c", "why \(product)"], daemon).status == 0
            )
            #expect(await daemon.stop() == 0)
            var asked: [String] = []
            for file in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/mirror") {
                let text = try String(contentsOfFile: folder.path + "/mirror/" + file, encoding: .utf8)
                asked += text.split(separator: "\n").filter { $0.contains("\"rpc.discover\"") && $0.contains("params") }
                    .map(String.init)
            }
            #expect(asked.count == 2)
            #expect(asked.contains { $0.contains("\"params\":{\"method\":\"product.get\"}") })
            #expect(asked.contains { $0.contains("\"params\":{\"method\":\"price.why\"}") })
        }

        @Test func `a watch ends when its condition holds`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type("\\watch product.get productId=\(product) every 200ms until stock=49\r")
            #expect(repl.expect("watch product.get productId=\(product) · every 0.2 s"))
            #expect(repl.expect("stock"))
            try await shop.buy(product, 1)
            #expect(repl.expect("\u{1B}[7m49\u{1B}[27m"))
            #expect(repl.expect("pricing> "))
            repl.type("\\watch session.ping\r")
            #expect(repl.expect("Ctrl-C ends"))
            repl.type("\u{3}")
            #expect(repl.expect("pricing> "))
            repl.type("\\mute\r\\as python\r")
            #expect(repl.expect("events are muted"))
            #expect(repl.expect("import json, socket"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `the editor's text is the next line, and the start file has run before`() async throws {
            let daemon = try await TestDaemon.shared()
            let home = try TemporaryFolder()
            let folder = home.path + "/.config/pricing"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try "\\set greeting session.ping\n\\format json\n"
                .write(toFile: folder + "/replrc", atomically: true, encoding: .utf8)
            let repl = try #require(
                ReplProcess(
                    ["--socket", daemon.socket],
                    home: home.path,
                    environment: ["EDITOR=sed -i s/old/server.status/"]
                )
            )
            #expect(repl.expect("pricing> "))
            repl.type("\\e old\r")
            #expect(repl.expect("server.status"))
            repl.type("\u{3}${greeting}\r")
            #expect(repl.expect("[?2004l{"))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `completion offers the newest orders first`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let orders = try await [shop.buy(product), shop.buy(product)].map { $0["orderId"] ?? nil }
            let found = try await shop.client.call(
                "server.complete",
                ["method": "order.get", "param": "orderId", "prefix": "", "limit": 2]
            )
            #expect(found["values"]?.array?.map { $0["value"] } == orders.reversed())
        }
    }
}
