import JSONRPC
import Postgres
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Every method of `rpc.discover`, called as its example says on the demo shop, keeps its word: the reply fits the
    /// declared shape, a repeat under the same key is the same reply, and a dry run says what the call then does.
    @Suite
    struct ContractTests {
        private static let daemon = Task { try await TestDaemon.start(hasDemo: true) }

        @Test func theDocumentListsEveryMethod() async throws {
            let client = try await Self.daemon.value.client()
            let document = try await client.call("rpc.discover")
            let methods = (document["methods"]?.array ?? []).compactMap(\.object)
            #expect(methods.compactMap { $0["name"]?.string } == AllMethods.list.map(\.name))
            for method in methods {
                #expect(method["paramStructure"] == "by-name")
                #expect(method["x-role"]?.string.flatMap { Role(rawValue: $0) } != nil)
                #expect(method["x-effect"]?.string.flatMap { Method.Effect(rawValue: $0) } != nil)
                for error in method["errors"]?.array ?? [] {
                    let reason = try #require(error["data"]?["reason"]?.string)
                    #expect(document["components"]?["errors"]?[reason] == error)
                }
            }
            await client.close()
        }

        /// Every method but the one that ends the daemon, which has a test of its own.
        @Test(arguments: AllMethods.list.map(\.name).filter { $0 != "server.drain" }) func aMethodKeepsItsWord(
            name: String
        )
            async throws
        {
            let daemon = try await Self.daemon.value
            let client = try await daemon.client()
            let method = try #require(AllMethods.byName[name])
            var params = try await example(of: method, client)
            let violations = Self.violations(params, method.parameters)
            #expect(violations.isEmpty, "the example: \(violations)")
            // data.generate runs in many transactions: neither one reply under a key nor one rollback.
            let isAtomicWrite = method.effect == .write && name != "data.generate"
            let said = isAtomicWrite ? try await dryRun(method, params, client, daemon) : []
            let position = try await client.call("events.list", ["from": Self.afterAll])["sequence"]
            if isAtomicWrite { params["_meta"] = ["idempotencyKey": .string("contract \(name)")] }
            let reply = try await client.call(name, params)
            let mismatches = Self.violations(reply, method.result)
            #expect(mismatches.isEmpty, "the reply \(JSONValue.object(reply)): \(mismatches)")
            if isAtomicWrite {
                #expect(reply["_meta"]?["replayed"] == false)
                let again = try await client.call(name, params)
                #expect(again.removing("_meta") == reply.removing("_meta"))
                #expect(again["_meta"]?["replayed"] == true)
                let events = try await client.all("events.list", ["from": try #require(position)])
                #expect(Self.essence(events) == Self.essence(said), "what happened is what the dry run said")
            }
            await client.close()
        }

        /// Runs a call dry and checks that nothing is left of it: the events that it said there would be.
        private func dryRun(
            _ method: Method,
            _ params: JSONObject,
            _ client: RPCClient,
            _ daemon: TestDaemon
        ) async throws -> [JSONObject] {
            let database = try await daemon.database()
            _ = try await client.call("events.list", ["from": Self.afterAll])
            let before = try await database.text(Self.fingerprint)
            var dry = params
            dry["_meta"] = ["dryRun": true]
            let said = try await client.call(method.name, dry)
            #expect(try await database.text(Self.fingerprint) == before, "a dry run leaves nothing")
            await database.close()
            let mismatches = Self.violations(said, method.result)
            #expect(mismatches.isEmpty, "the dry reply: \(mismatches)")
            let changes = try #require(said["_meta"]?["wouldChange"]?.object, "wouldChange is missing")
            #expect(changes.keys == ["stock", "prices", "events", "guards"])
            return (changes["events"]?.array ?? []).compactMap(\.object)
        }

        private static let afterAll: JSONValue = 9_007_199_254_740_992

        /// Events without what two runs cannot share: numbers, times and ids that a sequence gave.
        private static func essence(_ events: [JSONObject]) -> [JSONObject] {
            events.map { event in
                [
                    "topic": event["topic"] ?? nil, "op": event["op"] ?? nil, "before": event["before"] ?? nil,
                    "after": event["after"] ?? nil, "kind": event["cause"]?["kind"] ?? nil,
                ]
            }
        }

        private static func violations(_ object: JSONObject, _ shape: ObjectShape) -> [String] {
            var validator = SchemaValidator()
            validator.check(object, shape)
            return validator.violations.map { "\($0.path) \($0.message)" }
        }

        /// A hash of every row of every table, but for what a tick may touch meanwhile.
        private static let fingerprint = """
            select string_agg(table_name || ' ' || (xpath('/row/h/text()', query_to_xml(format(
                'select md5(coalesce(string_agg(r::text, chr(10) order by r::text), '''')) as h from (select '
                || 'to_jsonb(t) - ''ticked_at'' - ''anchor_date'' - ''anchor_price'' as r from %I t) u', table_name),
                false, true, '')))[1]::text, chr(10) order by table_name)
            from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'
            """

        /// The method's own example, or where it has none, parameters of things made for it.
        private func example(of method: Method, _ client: RPCClient) async throws -> JSONObject {
            if let example = method.example { return example }
            func made(_ method: String, _ params: JSONObject, _ id: String) async throws -> JSONObject {
                [id: try #require(try await client.call(method, params)[id])]
            }
            func order(_ steps: String...) async throws -> JSONObject {
                let lines: JSONValue = [["productId": 3, "quantity": 2]]
                let id = try await made("order.place", ["customerId": 3, "lines": lines], "orderId")
                for step in steps {
                    var params = id
                    params["status"] = .string(step)
                    _ = try await client.call("order.advance", params)
                }
                return id
            }
            let number = Shop.unique()
            let user: JSONObject = [
                "fullName": "Somebody", "email": .string("somebody\(number)@test.example"), "password": "open sesame",
            ]
            switch method.name {
            case "supplier.delete": return try await made("supplier.create", ["companyName": "Gone"], "supplierId")
            case "product.archive":
                let product: JSONObject = ["title": "Gone", "basePrice": "5.00", "categoryId": 1]
                return try await made("product.create", product, "productId")
            case "product.import":
                let row: JSONObject = ["basePrice": "8.00", "categoryId": 1, "stock": 20]
                let rows = (1...2).map { number in
                    var row = row
                    row["title"] = .string("Imported \(number)")
                    return JSONValue.object(row)
                }
                return ["rows": .array(rows + [["productId": 2, "title": "Imported anew"]])]
            case "price.pin": return ["productId": 3, "price": "26.00", "reason": "a test"]
            case "rule.activate":
                let rule: JSONObject = ["name": .string("rule \(number)"), "strategy": "bands"]
                return try await made("rule.create", rule, "ruleId")
            case "order.advance":
                var params = try await order()
                params["status"] = "processing"
                return params
            case "order.cancel": return try await order()
            case "order.return": return try await order("processing", "completed")
            case "user.delete": return try await made("user.create", user, "userId")
            case "user.authenticate":
                _ = try await client.call("user.create", user)
                return user.removing("fullName")
            case "clock.set": return ["at": "2040-01-01T00:00:00Z"]
            case "data.generate": return ["users": 3, "suppliers": 2, "products": 4, "orders": 10, "seed": 3]
            case "events.unsubscribe":
                return try await made("events.subscribe", [:], "subscription").removing("sequence")
            default:
                Issue.record("\(method.name) has no example, and this test makes none")
                return [:]
            }
        }
    }
}
