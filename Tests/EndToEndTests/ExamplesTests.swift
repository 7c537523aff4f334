import Foundation
import JSON
import PricingProtocol
import PricingTestSupport
import Testing

/// Every example of `examples/`, run as a user would run it, against a real daemon.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer), .timeLimit(.minutes(2)))
struct ExamplesTests {
    /// The clone that holds this file.
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL.path

    /// One of the languages.
    enum Language: String, CaseIterable {
        case python
        case node
        case shell
        case go

        /// Those whose program is here.
        static let installed = allCases.filter { language in
            language != .go || FileManager.default.isExecutableFile(atPath: "/usr/bin/go")
        }

        /// The words that run `examples/<language>/<name>`.
        func command(_ name: String) -> [String] {
            switch self {
            case .python: ["python3", "examples/python/\(name).py"]
            case .node: ["node", "examples/node/\(name).mjs"]
            case .shell: ["bash", "examples/shell/\(name).sh"]
            case .go: ["go", "run", "examples/go/\(name).go"]
            }
        }
    }

    /// How a program ended.
    private struct Outcome {
        let status: Int32
        let output: [String]
        let errors: String
    }

    private static func start(_ words: [String], _ daemon: TestDaemon) throws -> ChildProgram {
        try ChildProgram("/usr/bin/env", ["-C", root] + words, environment: ["PRICINGD_SOCKET": daemon.socket])
    }

    private static func run(_ words: [String], _ daemon: TestDaemon) async throws -> Outcome {
        let program = try start(words, daemon)
        try program.closeInput()
        var output: [String] = []
        while let line = await program.line() { output.append(line) }
        return Outcome(status: await program.exit(), output: output, errors: await program.errorText())
    }

    @Test(arguments: Language.installed)
    func `orders are placed once and refusals are typed`(in language: Language) async throws {
        let daemon = try await TestDaemon.shared()
        let shop = try await ShopClient.open(daemon)
        let product = try await shop.product(["stock": 12])
        let command = language.command("place_order")
        func place(_ product: Int64, _ quantity: Int, _ key: String) async throws -> Outcome {
            try await Self.run(command + ["\(shop.customerId)", "\(product)", "\(quantity)", key], daemon)
        }

        let first = try await place(product, 2, "examples-\(language)")
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.output.first?.hasSuffix(": 200.00") == true, "\(first.output)")
        #expect(first.output.dropFirst() == ["  product \(product): 100.00 -> 110.00"])

        let again = try await place(product, 2, "examples-\(language)")
        #expect(again.status == 0)
        #expect(again.output.first == first.output.first.map { $0 + " (placed before, same key)" })

        let tooMuch = try await place(product, 11, "examples-\(language)-much")
        #expect(tooMuch.status == 1)
        #expect(tooMuch.output.isEmpty)
        #expect(tooMuch.errors.hasPrefix("product \(product): 11 wanted, only 10 available"))

        let nothing = try await place(999_999_999, 1, "examples-\(language)-none")
        #expect(nothing.status == 1)
        #expect(nothing.errors.hasPrefix("PRODUCT_NOT_FOUND: "))
    }

    @Test(arguments: Language.installed.filter { $0 != .go })
    func `prices are watched`(in language: Language) async throws {
        // A daemon of its own: the watcher ends after one move, of any price.
        let daemon = try await TestDaemon.start()
        let shop = try await ShopClient.open(daemon)
        let product = try await shop.product(["title": "Green mug", "stock": 12])
        let watcher = try Self.start(language.command("watch_prices") + ["1"], daemon)
        #expect(await watcher.line()?.hasPrefix("watching from event ") == true)
        try await shop.buy(product, 2)
        #expect(await watcher.line() == "Green mug: 100.00 -> 110.00  (stock 10, low stock)")
        #expect(await watcher.line() == nil)
        let errors = await watcher.errorText()
        #expect(await watcher.exit() == 0, "\(errors)")
        #expect(await daemon.stop() == 0)
    }

    @Test
    func `conversations go as written`() async throws {
        let daemon = try await TestDaemon.start(isSandbox: false)
        let outcome = try await Self.run(["python3", "examples/python/replay.py"], daemon)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.count == 3)
        #expect(await daemon.stop() == 0)
    }

    @Test
    func `generic client calls every method`() async throws {
        let daemon = try await TestDaemon.start(hasDemo: true)
        for method in AllMethods.list {
            let words = method.example.map { key, value in "\(key)=\(value.string ?? "\(value)")" }
            let outcome = try await Self.run(
                ["python3", "examples/python/pricingd_client.py", method.name] + words,
                daemon
            )
            // Each call has a connection of its own, which never subscribed and has no login.
            let refusals = ["events.unsubscribe": "SUBSCRIPTION_NOT_FOUND", "login.get": "LOGIN_EXPIRED"]
            if let refusal = refusals[method.name] {
                #expect(outcome.status == 1)
                #expect(outcome.errors.hasPrefix("\(refusal): "), "\(outcome.errors)")
            } else {
                #expect(outcome.status == 0, "\(method.name) \(words): \(outcome.errors)")
                #expect(outcome.output.first == "{" || outcome.output == ["{}"], "\(method.name)")
            }
        }
        #expect(await daemon.program.exit() == 0)
    }

    @Test(arguments: [
        (["product.gett"], 1, "METHOD_NOT_FOUND: "), (["product.get", "productId=one"], 3, "productId wants integer"),
        (["product.get", "id=1"], 3, "'id=1' is no parameter of product.get; it takes productId, sku, _meta"),
    ])
    func `generic client says what is wrong`(words: [String], status: Int32, sentence: String) async throws {
        let daemon = try await TestDaemon.shared()
        let outcome = try await Self.run(["python3", "examples/python/pricingd_client.py"] + words, daemon)
        #expect(outcome.status == status)
        #expect(outcome.errors.hasPrefix(sentence), "\(outcome.errors)")
    }

    @Test
    func `tables follow the document and the daemon gives the same`() async throws {
        let daemon = try await TestDaemon.shared()
        let pricingd = try TestDaemon.program("pricingd")
        let outcome = try await Self.run(["python3", "examples/python/protocol_tables.py", pricingd], daemon)
        #expect(outcome.status == 0, "\(outcome.errors)")

        let printed = try await Self.run([pricingd, "openrpc"], daemon)
        let client = try await daemon.client()
        let document = try await client.call("rpc.discover")
        await client.close()
        #expect(printed.output.count == 1)
        #expect(try JSONParser.parse(Array((printed.output.first ?? "").utf8)) == .object(document))
    }

    @Test(arguments: ["pricingd", "pricing-bench", "pricing-repl", "pricing-simulate"])
    func `every program tells the same version`(name: String) async throws {
        let daemon = try await TestDaemon.shared()
        let outcome = try await Self.run([try TestDaemon.program(name), "--version"], daemon)
        #expect(outcome.status == 0 && outcome.output == [Release.version], "\(outcome.errors)")
    }

    @Test func `quickstart shows moving prices and leaves nothing`() async throws {
        let run = try await Quickstart(root: Self.root)
        let lines = await run.lines(until: nil)
        #expect(await run.program.exit() == 0, "\(lines.joined(separator: "\n"))")
        #expect(lines.contains { $0.contains(" → ") && $0.contains("stock ") }, "a price moved on the screen")
        #expect(lines.contains { $0.hasPrefix("product_id | title") }, "the prices farthest from base")
        #expect(lines.contains { $0.hasPrefix("  guards: floor ") }, "why one of them is what it is")
        #expect(lines.last == "== Stopped; nothing is left behind")
        #expect(run.leftovers(lines).isEmpty)
    }

    @Test func `quickstart cleans up after ctrl c`() async throws {
        let run = try await Quickstart(root: Self.root)
        var lines = await run.lines(until: "== Orders for 20 seconds, and the prices that they move")
        run.interrupt()
        lines += await run.lines(until: nil)
        #expect(await run.program.exit() == 130)
        #expect(lines.last?.hasPrefix("== Stopped") == false)
        #expect(run.leftovers(lines).isEmpty)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")))
    func `unit is hardened`() async throws {
        let program = try ChildProgram(
            "/usr/bin/systemd-analyze",
            ["security", "--offline=true", "--threshold=15", "--no-pager", Self.root + "/examples/pricingd.service"]
        )
        while await program.line() != nil {}
        #expect(await program.exit() == 0, "exposure above 1.5")
    }
}
