import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What an operator has to know is told in the status, on the dashboard, in the metrics and as events. Daemons of
    /// their own, since they count everything.
    @Suite
    struct StatusTests {
        /// The figures of status, dashboard and metrics, which agree.
        private struct Told: Equatable {
            var isHalted = false
            var halts: Int64 = 0
            var isTripped = false
            var overdue: Int64 = 0

            init(isHalted: Bool = false, halts: Int64 = 0, isTripped: Bool = false, overdue: Int64 = 0) {
                self.isHalted = isHalted
                self.halts = halts
                self.isTripped = isTripped
                self.overdue = overdue
            }

            init(status: JSONValue?) {
                self.init(
                    isHalted: status?["halted"] == true,
                    halts: Int64(status?["halts"]?.array?.count ?? -1),
                    isTripped: status?["breaker"]?["tripped"] == true,
                    overdue: Int64(status?["overdue"]?.array?.count ?? -1)
                )
            }

            init(stats: JSONObject) {
                self.init(
                    isHalted: stats["halted"] == true,
                    halts: stats["halts"]?.integer ?? -1,
                    isTripped: stats["breakerTripped"] == true,
                    overdue: stats["overdueDeliveries"]?.integer ?? -1
                )
            }

            init(metrics: PrometheusText) {
                func value(_ name: String) -> Int64 { Int64(metrics.values["pricingd_" + name] ?? -1) }
                self.init(
                    isHalted: value("automation_halted") == 1,
                    halts: value("automation_halts"),
                    isTripped: value("breaker_open") == 1,
                    overdue: value("overdue_deliveries")
                )
            }
        }

        private func expect(
            _ told: Told,
            _ client: TestClient,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let text = try #require(try await client.call("server.metrics")["text"]?.string)
            let found = [
                Told(status: try await client.call("server.status")["automation"]),
                Told(stats: try await client.call("dashboard.stats")), Told(metrics: try PrometheusText(text)),
            ]
            #expect(found == [told, told, told], sourceLocation: sourceLocation)
        }

        @Test func `halts and the breaker show everywhere, by call or direct SQL, until a person resumes`() async throws
        {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let psql = try await daemon.psql()
            let watch = try await Watch(daemon, ["topics": ["automation"]])
            try await expect(Told(), shop.client)
            try await psql.run(
                """
                insert into automation_halt (product_id, reason, actor, halted_at)
                values (\(product), 'by hand', 'ann', now())
                """
            )
            let halt = try await watch.next()
            #expect(halt["op"] == "halt" && halt["cause"] == ["kind": "halt", "reason": "by hand"])
            #expect(halt["after"]?["scope"] == "product" && halt["after"]?["productId"] == .integer(product))
            try await expect(Told(halts: 1), shop.client)
            try await psql.run(
                "insert into automation_halt (reason, actor, halted_at) values ('it tripped', 'breaker', now())"
            )
            #expect(try await watch.next()["after"]?["scope"] == "all")
            try await expect(Told(isHalted: true, halts: 2, isTripped: true), shop.client)
            _ = try await shop.client.call("pricing.resume", ["scope": "all", "reason": "looked"])
            let resumed = try await watch.next()
            #expect(resumed["op"] == "resume" && resumed["cause"] == ["kind": "resume", "reason": "looked"])
            try await expect(Told(halts: 1), shop.client)
            try await psql.run("update automation_halt set resumed_at = now() where resumed_at is null")
            #expect(try await watch.next()["op"] == "resume")
            try await expect(Told(), shop.client)
            await watch.close()
        }

        @Test func `a delivery that is overdue shows everywhere until it comes`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            _ = try await shop.client.call("clock.set", ["at": "2031-01-01T00:00:00Z"])
            let product = try await shop.product(["sku": "late-1"])
            let expected = try await shop.client.call(
                "inventory.expect",
                ["productId": .integer(product), "quantity": 5, "eta": "2031-01-10T12:00:00Z"]
            )
            try await expect(Told(), shop.client)
            let watch = try await Watch(daemon, ["topics": ["automation"]])
            _ = try await shop.client.call("clock.set", ["at": "2031-01-11T00:00:00Z"])
            let event = try await watch.next()
            #expect(event["op"] == "overdue" && event["key"] == expected["expectationId"])
            #expect(event["after"]?["sku"] == "late-1" && event["after"]?["open"] == 5)
            try await expect(Told(overdue: 1), shop.client)
            let status = try await shop.client.call("server.status")["automation"]?["overdue"]?.array?.first
            #expect(status?["productId"] == .integer(product) && status?["eta"] == "2031-01-10T12:00:00.000Z")
            _ = try await shop.client.call(
                "inventory.restock",
                ["productId": .integer(product), "quantity": 5, "expectationId": expected["expectationId"] ?? nil]
            )
            try await expect(Told(), shop.client)
            await watch.close()
        }

        @Test func `a category that is made, changed or deleted is an event and a deed, by call or direct SQL`()
            async throws
        {
            let daemon = try await TestDaemon.start()
            let client = try await daemon.client()
            let watch = try await Watch(daemon, ["topics": ["catalogue"]])
            let made = try await client.call(
                "category.create",
                ["name": "Garden", "description": "Pots", "_meta": ["actor": "ann"]]
            )
            let id = try #require(made["categoryId"])
            let insert = try await watch.next()
            #expect(insert["op"] == "insert" && insert["key"] == id && insert["before"]?.isNull == true)
            #expect(insert["after"] == ["categoryId": id, "name": "Garden", "description": "Pots"])
            #expect(insert["cause"] == ["kind": "call"] && insert["actor"] == "ann")
            let psql = try await daemon.psql()
            try await psql.run(
                "update category set name = name; update category set name = 'Plants' where category_id = \(id)"
            )
            let update = try await watch.next()
            #expect(update["op"] == "update" && update["before"] == ["name": "Garden"])
            #expect(update["after"] == ["categoryId": id, "name": "Plants"] && update["cause"] == ["kind": "sql"])
            _ = try await client.call("category.delete", ["categoryId": id])
            let delete = try await watch.next()
            #expect(delete["op"] == "delete" && delete["key"] == id && delete["after"]?.isNull == true)
            #expect(delete["before"]?["name"] == "Plants")
            let deeds = try await client.all("audit.trail", [:]).filter { $0["kind"] == "category" }
            #expect(deeds.compactMap { $0["cause"]?.string } == ["call", "sql", "call"])
            await watch.close()
        }

        /// Numbers that a dry run drew are not given again.
        @Test func `what a dry run of a new category showed is what is made`() async throws {
            let client = try await TestDaemon.shared().client()
            let number = ShopClient.unique()
            let row: JSONObject = [
                "title": "Shown \(number)", "basePrice": "3.00", "category": .string("Imported \(number)"),
            ]
            for (method, params) in [
                ("category.create", ["name": .string("Shown \(number)"), "description": "x"]),
                ("product.import", ["rows": [.object(row)], "createMissing": true, "mode": "atomic"]),
            ] as [(String, JSONObject)] {
                func call(_ meta: JSONObject) async throws -> JSONValue? {
                    var params = params
                    params["_meta"] = .object(meta)
                    return try await client.call(method, params)["_meta"]
                }
                let shown = try await call(["dryRun": true])
                #expect(shown?["wouldChange"]?["events"]?.array?.first?["after"]?["categoryId"] != nil)
                _ = try await call(["expect": try #require(shown?["digest"])])
            }
            await client.close()
        }
    }
}
