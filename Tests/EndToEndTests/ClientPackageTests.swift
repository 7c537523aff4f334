import Foundation
import JSON
import PricingTestSupport
import Testing

/// The packages for other languages, installed as their users do, against a daemon that dies under them.
@Suite(.serialized, .enabled(if: TestCluster.isAvailable, needsServer), .timeLimit(.minutes(2)))
struct ClientPackageTests {
    private static let orders = 300

    private static let python = """
        import sys
        from pricingd import Client
        customer, product, count = map(int, sys.argv[1:])
        shop = Client(actor="a test")
        events = shop.events(topics=["stock"], productIds=[product])
        lines = [{"productId": product, "quantity": 1}]
        for number in range(count):
            order = shop.call("order.place", {"customerId": customer, "lines": lines}, key=f"python {number}")
            print(f"order {order['orderId']}", flush=True)
        for number in range(count):
            print(f"stock {next(events)['after']['stock']}", flush=True)
        """

    private static let node = """
        import { Client } from "pricingd";
        const [customerId, productId, count] = process.argv.slice(2).map(Number);
        const shop = new Client({ actor: "a test" });
        const events = await shop.events({ topics: ["stock"], productIds: [productId] });
        for (let number = 0; number < count; number++) {
          const lines = [{ productId, quantity: 1 }];
          const order = await shop.call("order.place", { customerId, lines }, { key: `node ${number}` });
          console.log(`order ${order.orderId}`);
        }
        let left = count;
        for await (const event of events) {
          console.log(`stock ${event.after.stock}`);
          if (--left === 0) break;
        }
        shop.close();
        """

    private func shell(_ script: String, in folder: TemporaryFolder) async throws {
        let program = try ChildProgram("/bin/sh", ["-c", script, "sh", folder.path, ExamplesTests.root])
        let said = await program.errorText()
        #expect(await program.exit() == 0, "\(said)")
    }

    @Test func `python's package is installed by pip, typed, and goes on through a crash`() async throws {
        let folder = try TemporaryFolder()
        let install = """
            python3 -m pip install --quiet --no-index --no-deps --no-build-isolation --target "$1" "$2/examples/python"
            """
        try await shell(install, in: folder)
        for name in ["py.typed", "methods.pyi", "shapes.pyi"] {
            #expect(FileManager.default.fileExists(atPath: "\(folder.path)/pricingd/\(name)"))
        }
        try await shell(
            "python3 \"$2/examples/python/typed_methods.py\" '\(try TestDaemon.program("pricingd"))'",
            in: folder
        )
        try Self.python.write(toFile: folder.path + "/trade.py", atomically: true, encoding: .utf8)
        try await trade(["python3", folder.path + "/trade.py"])
    }

    @Test func `node's module is installed by npm, and goes on through a crash`() async throws {
        let folder = try TemporaryFolder()
        try await shell(
            """
            cd "$1" && echo '{}' >package.json
            if command -v npm >&2; then
                exec npm install --silent --offline --no-audit "$2/examples/node" >&2
            fi
            mkdir node_modules && cp -R "$2/examples/node" node_modules/pricingd
            """,
            in: folder
        )
        try Self.node.write(toFile: folder.path + "/trade.mjs", atomically: true, encoding: .utf8)
        try await trade(["node", folder.path + "/trade.mjs"])
    }

    /// Each order is placed once and each event seen once, though the daemon is killed twice.
    private func trade(_ words: [String]) async throws {
        let daemon = try await TestDaemon.start(isSandbox: false)
        let shop = try await ShopClient.open(daemon)
        let product = try await shop.product(["stock": 10_000])
        let program = try ChildProgram(
            "/usr/bin/env",
            words + ["\(shop.customerId)", "\(product)", "\(Self.orders)"],
            environment: ["PRICINGD_SOCKET": daemon.socket]
        )
        var orders: Set<String> = []
        for number in 1...Self.orders {
            guard let line = await program.line(), line.hasPrefix("order ") else { break }
            #expect(orders.insert(line).inserted)
            if number % 100 == 50, number < 200 {
                await daemon.kill9()
                try await daemon.restart()
            }
        }
        #expect(orders.count == Self.orders)
        for stock in (10_000 - Self.orders..<10_000).reversed() {
            guard let line = await program.line() else { break }
            #expect(line == "stock \(stock)")
        }
        let said = await program.errorText()
        #expect(await program.exit() == 0, "\(said)")
        let again = try await daemon.client()
        #expect(try await again.all("order.list", ["customerId": .integer(shop.customerId)]).count == Self.orders)
        await again.close()
        #expect(await daemon.stop() == 0)
    }
}
