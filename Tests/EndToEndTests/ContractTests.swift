import Foundation
import JSON
import Postgres
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// The live `rpc.discover` keeps its word: it fits OpenRPC's own schema, every example in it runs, and what a dry run
    /// says is what the call then does. (That each reply fits its schema, `TestClient` sees to, here and everywhere.)
    @Suite
    struct ContractTests {
        private static let daemon = Task { try await TestDaemon.start(hasDemo: true) }

        @Test func `the document lists every method`() async throws {
            let client = try await Self.daemon.value.client()
            let document = try await client.call("rpc.discover")
            let methods = (document["methods"]?.array ?? []).compactMap(\.object)
            #expect(methods.compactMap { $0["name"]?.string } == AllMethods.list.map(\.name))
            for method in methods {
                #expect(method["paramStructure"] == "by-name")
                #expect(method["x-role"]?.string.flatMap { Role(rawValue: $0) } != nil)
                #expect(["read", "write", "destructive", "session"].contains(method["x-effect"]?.string))
                for error in method["errors"]?.array ?? [] {
                    let reason = try #require(error["data"]?["reason"]?.string)
                    #expect(document["components"]?["errors"]?[reason] == error)
                }
            }
            await client.close()
        }

        @Test func `one method is described as in the whole, with the schemas that it needs`() async throws {
            let client = try await Self.daemon.value.client()
            let whole = try await client.call("rpc.discover")
            let one = try await client.call("rpc.discover", ["method": "order.place"])
            let described = whole["methods"]?.array?.first { $0["name"] == "order.place" }
            #expect(one["methods"]?.array == [try #require(described)])
            let schemas = one["components"]?["schemas"]?.object ?? [:]
            #expect(schemas["WantedLine"] != nil && schemas["CallMeta"] != nil && schemas["Rule"] == nil)
            for (name, schema) in schemas { #expect(whole["components"]?["schemas"]?[name] == schema) }
            #expect(try await client.call("rpc.discover", ["method": "none.such"])["methods"] == [])
            await client.close()
        }

        @Test func `the document fits the meta schema`() async throws {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "openrpc-meta-schema.json")
            let reader = JSONSchemaReader(in: try JSONParser.parse(Array(try Data(contentsOf: file))))
            let client = try await Self.daemon.value.client()
            let document = try await client.call("rpc.discover")
            await client.close()
            #expect(reader.violations(of: .object(document)) == [])

            var first = try #require(document["methods"]?.array?.first?.object)
            let breaks: [(String, JSONValue?, String)] = [
                ("result", nil, "/methods/0/result: is missing"),
                ("paramStructure", "by-hand", "/methods/0/paramStructure: enum"),
                ("role", "viewer", "/methods/0/role: nothing is allowed here"),
                ("params", [["name": "x", "schema": ["type": "text"]]], "/methods/0/params/0/schema/type: enum"),
            ]
            for (member, value, sentence) in breaks {
                let sound = first[member]
                first[member] = value
                var broken = document
                broken["methods"] = [.object(first)]
                let violations = reader.violations(of: .object(broken))
                #expect(violations.contains { $0.hasPrefix(sentence) }, "\(member): \(violations)")
                first[member] = sound
            }
        }

        /// In the document's order, on one connection, and each gives what its method promises.
        @Test func `every example runs`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let client = try await daemon.client()
            let document = try await client.call("rpc.discover")
            var token: JSONValue?
            for method in document["methods"]?.array ?? [] {
                let name = try #require(method["name"]?.string)
                let examples = try #require(method["examples"]?.array)
                #expect(!examples.isEmpty, "\(name) has no example")
                for example in examples {
                    let params = (example["params"]?.array ?? []).compactMap { param -> (String, JSONValue)? in
                        guard let key = param["name"]?.string, let value = param["value"] else { return nil }
                        return (key, value)
                    }
                    var given = JSONObject(params)
                    // A token is what login.open gave.
                    if given["token"] != nil { given["token"] = token }
                    let reply = try await client.call(name, given)
                    token = reply["token"] ?? token
                    let made = try #require(example["result"]?["value"]?.object)
                    #expect(Promise.violations(name, JSONObject(params), made) == [], "the example's own result")
                }
            }
            #expect(await daemon.program.exit() == 0, "the last one ends the daemon")
        }

        /// What every other test of the daemon leans on sees a reply, or accepted parameters, outside the schema.
        @Test func `a broken promise is seen`() {
            let reply: JSONObject = ["at": "now", "sandbox": "yes"]
            #expect(
                Promise.violations("clock.get", ["when": 1], reply) == [
                    "result/sandbox: type \"boolean\" is broken by \"yes\"", "result/virtual: is missing",
                    "params/when: is not declared",
                ]
            )
            #expect(Promise.violations("product.get", [:], [:]).contains("params/productId: is missing"))
            #expect(Promise.violations("product.gett", [:], [:]) == ["there is no such method"])
        }

        /// data.generate runs in many transactions, so neither one rollback nor one reply under a key stands for it; a dry
        /// run of login.open counts as an attempt, and no two give the same token.
        private static let rehearsed = AllMethods.list.filter {
            $0.effect == .write && !["data.generate", "login.open"].contains($0.name)
        }.map(\.name)

        @Test(arguments: rehearsed)
        func `a write does what its dry run said`(name: String) async throws {
            let daemon = try await Self.daemon.value
            let client = try await daemon.client()
            let database = try await daemon.database()
            let method = try #require(AllMethods.byName[name])
            let position = try #require(
                try await client.call("events.list", ["from": 9_007_199_254_740_992])["sequence"]
            )
            let before = try await Shelf(database)
            let said = try await dryRun(method, client, database)
            var params = method.example
            params["_meta"] = ["idempotencyKey": .string("contract \(name)")]
            let reply = try await client.call(name, params)
            #expect(reply["_meta"]?["replayed"] == false)
            let after = try await Shelf(database)
            let events = try await client.all("events.list", ["from": position])
            #expect(before.moves(said["stock"]) == before.stockMoves(to: after))
            #expect(before.moves(said["prices"]) == before.priceMoves(to: after))
            #expect(before.guards(said["guards"]) == before.guardsBound(until: after))
            #expect(Self.essence(said["events"]) == Self.essence(.array(events.map { .object($0) })))

            let again = try await client.call(name, params)
            #expect(again.removing("_meta") == reply.removing("_meta"))
            // A change of a password is kept under no key.
            #expect(again["_meta"]?["replayed"] == .bool(name != "user.changePassword"))
            await database.close()
            await client.close()
        }

        @Test func `a rehearsed generation leaves nothing`() async throws {
            let daemon = try await Self.daemon.value
            let client = try await daemon.client()
            let database = try await daemon.database()
            let said = try await dryRun(try #require(AllMethods.byName["data.generate"]), client, database)
            #expect(said["stock"]?.array?.isEmpty == false)
            await database.close()
            await client.close()
        }

        /// Runs a method's example dry and checks that nothing is left of it: what it said it would change.
        private func dryRun(
            _ method: Method,
            _ client: TestClient,
            _ database: PostgresConnection
        ) async throws -> JSONObject {
            let before = try await database.text(Self.fingerprint)
            var dry = method.example
            dry["_meta"] = ["dryRun": true]
            let said = try await client.call(method.name, dry)
            #expect(try await database.text(Self.fingerprint) == before, "a dry run leaves nothing")
            let changes = try #require(said["_meta"]?["wouldChange"]?.object, "wouldChange is missing")
            #expect(changes.keys == ["stock", "prices", "events", "guards"])
            return changes
        }

        /// Events without what two runs cannot share: numbers, times and ids that a sequence gave.
        private static func essence(_ events: JSONValue?) -> [JSONObject] {
            let events = events?.array ?? []
            let rules = events.filter { $0["op"] == "insert" && $0["after"]?["productId"] == nil }
                .compactMap { $0["after"]?["ruleId"] }
            return events.map { event in
                var after = event["after"]?.object
                // The moment of the call.
                for time in ["at", "resumedAt"] { after = after?.removing(time) }
                // The number of a rule that is made, wherever it is followed.
                if let rule = after?["ruleId"], rules.contains(rule) { after = after?.removing("ruleId") }
                if event["op"] == "insert" {
                    // The number of what is made; a product names its category.
                    let own = ["productId", "ruleId", "campaignId", "categoryId"].first { after?[$0] != nil }
                    after = own.flatMap { after?.removing($0) } ?? after
                }
                return [
                    "topic": event["topic"] ?? nil, "op": event["op"] ?? nil, "before": event["before"] ?? nil,
                    "after": after.map { .object($0) } ?? nil, "kind": event["cause"]?["kind"] ?? nil,
                ]
            }
        }

        /// A hash of every row of every table, but for what a tick or the breaker may touch meanwhile.
        private static let fingerprint = """
            select string_agg(table_name || ' ' || (xpath('/row/h/text()', query_to_xml(format(
                'select md5(coalesce(string_agg(r::text, chr(10) order by r::text), '''')) as h from (select '
                || 'to_jsonb(t) - ''ticked_at'' - ''anchor_date'' - ''anchor_price'' as r from %I t) u', table_name),
                false, true, '')))[1]::text, chr(10) order by table_name)
            from information_schema.tables where table_schema = 'pricing' and table_type = 'BASE TABLE'
                and table_name not like 'breaker%' and table_name <> 'tick_state'
            """
    }
}

/// Stock and posted price of every product, and the guards that ever bound, as the tables hold them: what a call changed is
/// the difference of two of these.
private struct Shelf {
    private var stock: [Int64: String] = [:]
    private var price: [Int64: String] = [:]
    private var bound: [String] = []

    init(_ database: PostgresConnection) async throws {
        let text = try await database.text(
            """
            select json_build_object(
                'products', (select json_agg(json_build_object('id', product_id, 'stock', stock::text,
                    'price', price::text)) from inventory),
                'guards', (select coalesce(json_agg(product_id || ' ' || binding_guard order by price_change_id), '[]')
                    from price_change where binding_guard is not null))::text
            """
        )
        let found = try JSONParser.parse(Array(text.utf8))
        for product in found["products"]?.array ?? [] {
            guard let id = product["id"]?.integer else { continue }
            stock[id] = product["stock"]?.string
            price[id] = product["price"]?.string
        }
        bound = (found["guards"]?.array ?? []).compactMap(\.string)
    }

    /// What a dry run says of stock or prices, each product's moves taken together. A product that the call makes has no
    /// number yet that two runs share.
    func moves(_ said: JSONValue?) -> [String] {
        var moves: [Int64: (old: String, new: String)] = [:]
        for move in said?.array ?? [] {
            guard let id = move["productId"]?.integer else { return ["a move without a product"] }
            let old = moves[id]?.old ?? Self.text(move["old"])
            moves[id] = (old, Self.text(move["new"]))
        }
        return moves.map { "\(name($0.key)): \($0.value.old) -> \($0.value.new)" }.sorted()
    }

    /// A product that the call made had no units before.
    func stockMoves(to after: Shelf) -> [String] {
        moves(after.stock.mapValues { _ in "0" }.merging(stock) { $1 }, after.stock)
    }

    /// A product that the call made had no price before, so that none of its moved.
    func priceMoves(to after: Shelf) -> [String] { moves(price, after.price.filter { price[$0.key] != nil }) }

    /// What a dry run says of guards.
    func guards(_ said: JSONValue?) -> [String] {
        (said?.array ?? []).map { "\(name($0["productId"]?.integer ?? 0)) \(Self.text($0["guard"]))" }
    }

    func guardsBound(until after: Shelf) -> [String] {
        after.bound.dropFirst(bound.count).map { line in
            let parts = line.split(separator: " ")
            return "\(name(Int64(parts[0]) ?? 0)) \(parts[1])"
        }
    }

    private func moves(_ before: [Int64: String], _ after: [Int64: String]) -> [String] {
        after.filter { before[$0.key] != $0.value }
            .map { "\(name($0.key)): \(before[$0.key] ?? "") -> \($0.value)" }.sorted()
    }

    private func name(_ product: Int64) -> String { stock[product] == nil ? "new" : "\(product)" }

    private static func text(_ value: JSONValue?) -> String { value?.string ?? "\(value ?? .null)" }
}
