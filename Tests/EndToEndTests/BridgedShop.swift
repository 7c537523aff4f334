import Foundation
import JSON
import Postgres
import PricingTestSupport
import Testing

/// A merchant's own shop database, as many have it, and `examples/bridge/bridge.py` between it and a daemon.
struct BridgedShop {
    /// How the bridge ended.
    struct Outcome {
        let status: Int32
        let output: [String]
        let errors: String
    }

    private static let folder = ExamplesTests.root + "/examples/bridge"

    private static let tables = """
        create table products (
            id bigint generated always as identity primary key, sku text unique, name text not null,
            price numeric(10, 2) not null, quantity integer not null check (quantity >= 0)
        );
        create table orders (
            id bigint generated always as identity primary key, status text not null default 'paid',
            created_at timestamptz not null default now()
        );
        create table order_items (
            order_id bigint not null references orders, product_id bigint not null references products,
            quantity integer not null, price numeric(10, 2) not null
        );
        -- The check-out: the order and the stock that it takes, or neither.
        create function sell(skus text[], units integer) returns bigint language plpgsql as $$
        declare
            number bigint;
        begin
            insert into orders default values returning id into number;
            insert into order_items select number, id, units, price from products where sku = any (skus);
            update products set quantity = quantity - units where sku = any (skus);
            return number;
        end $$
        """

    /// Counts the steps of the bridge, and dies at one of them as by a power cut: a step is a call or an answer of the
    /// daemon, and what is sent to psql or comes back from it.
    private static let mortal = """
        import os, runpy, signal, sys
        left, script = int(sys.argv[1]), sys.argv[2]
        def count(frame, event, argument):
            global left
            code = frame.f_code
            if not code.co_filename.endswith(("/bridge.py", "/pricingd_client.py")):
                return
            name = argument.__name__ if event.startswith("c_") else code.co_name
            if name in ("call", "run", "_read", "sendall", "write", "flush"):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(count)
        sys.argv = sys.argv[2:]
        runpy.run_path(script, run_name="__main__")
        """

    let daemon: TestDaemon
    let client: TestClient
    /// The shop's database, as the shop uses it.
    let psql: Psql
    /// What tells this shop's SKUs and its customer from those of other tests.
    let name: String
    /// pricingd's customer for the sales of this shop.
    let customerId: Int64

    private let database: TestDatabase
    private let categoryId: Int64
    private let places: [String: String]

    /// A shop with these SKUs, each of price 1.00 there and of the given stock, and the bridge's table of the README.
    static func open(_ daemon: TestDaemon, skus: [String], stock: Int) async throws -> BridgedShop {
        let database = try await TestCluster.shared().database()
        let place = database.settings.keywords
        let (host, port) = (try #require(place["host"]), try #require(place["port"]))
        let shop = try await ShopClient.open(daemon)
        let name = "shop\(ShopClient.unique())"
        let customer = try await shop.client.call(
            "user.create",
            ["fullName": "A shop", "email": .string("\(name)@test.example")]
        )
        let bridged = BridgedShop(
            daemon: daemon,
            client: shop.client,
            psql: try Psql(
                host: host,
                port: try #require(Int64(port)),
                database: database.name,
                user: try #require(place["user"])
            ),
            name: name,
            customerId: try #require(customer["userId"]?.integer),
            database: database,
            categoryId: shop.categoryId,
            places: [
                "PGHOST": host, "PGPORT": port, "PGDATABASE": database.name, "PGUSER": try #require(place["user"]),
                "PRICINGD_SOCKET": daemon.socket,
            ]
        )
        try await bridged.psql.run(Self.tables)
        for sku in skus {
            let row = "'\(bridged.sku(sku))', 'A product', 1, \(stock)"
            try await bridged.psql.run("insert into products (sku, name, price, quantity) values (\(row))")
        }
        // A sale of long ago, which the stock knows of: no order becomes of it.
        try await bridged.sell(skus, 0)
        let page = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
        let block = try #require(page.firstMatch(of: /```sql\n([\s\S]*?)```/))
        try await bridged.psql.run(String(block.1))
        return bridged
    }

    func close() async throws {
        await client.close()
        try await database.drop()
    }

    /// The SKU of this shop's own.
    func sku(_ short: String) -> String { "\(name)-\(short)" }

    /// Makes pricingd know a SKU, with a base price of 100.00.
    func declare(_ short: String, stock: Int64, highStock: Int64 = 100) async throws {
        _ = try await client.call(
            "product.create",
            [
                "sku": .string(sku(short).uppercased()), "title": "Product", "basePrice": "100.00",
                "categoryId": .integer(categoryId), "stock": .integer(stock), "lowStock": 10,
                "highStock": .integer(highStock),
            ]
        )
    }

    func get(_ short: String) async throws -> JSONObject {
        try await client.call("product.get", ["sku": .string(sku(short))])
    }

    func adjust(_ short: String, _ units: Int64) async throws {
        _ = try await client.call("inventory.adjust", ["sku": .string(sku(short)), "quantity": .integer(units)])
    }

    /// Sells so many units of each in the shop: the order's id.
    @discardableResult
    func sell(_ shorts: [String], _ units: Int) async throws -> String {
        let skus = shorts.map { "'\(sku($0))'" }.joined(separator: ",")
        return try #require(try await psql.run("select sell(array[\(skus)]::text[], \(units))").first)
    }

    /// Corrects the shop's stock by hand.
    func correct(_ short: String, _ units: Int64) async throws {
        try await psql.run("update products set quantity = quantity + \(units) where sku = '\(sku(short))'")
    }

    /// Price and stock as the shop has them.
    func row(_ short: String) async throws -> String {
        try #require(try await psql.run("select price, quantity from products where sku = '\(sku(short))'").first)
    }

    /// Price and stock as pricingd has them, written as `row` does.
    func posted(_ short: String) async throws -> String {
        let product = try await get(short)
        return "\(try #require(product["price"]?.string))|\(try #require(product["stock"]?.integer))"
    }

    /// pricingd's orders of this shop's customer, sorted: which order of the shop each is, and its lines.
    func orders() async throws -> [String] {
        try await client.all("order.list", ["customerId": .integer(customerId)]).map { order in
            let lines = order["lines"]?.array ?? []
            let bought = lines.map { "\($0["sku"]?.string ?? "") \($0["quantity"]?.integer ?? 0)" }
            return "\(order["shippingAddress"]?.string ?? ""): \(bought.sorted().joined(separator: ", ").lowercased())"
        }.sorted()
    }

    /// Starts the bridge, which dies at that step or ends once all is done.
    func start(dyingAt step: Int = 0) throws -> ChildProgram {
        try ChildProgram(
            "/usr/bin/env",
            [
                "python3", "-c", Self.mortal, String(step), Self.folder + "/bridge.py", "\(name)@test.example",
                "--once",
            ],
            environment: places
        )
    }

    /// Runs the bridge until all is done.
    func run() async throws -> Outcome {
        let program = try start()
        var output: [String] = []
        while let line = await program.line() { output.append(line) }
        return Outcome(status: await program.exit(), output: output, errors: await program.errorText())
    }
}
