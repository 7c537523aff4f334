import Foundation
import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Campaigns over the socket: a weekend by a sandbox's clock, and by the real one.
    @Suite
    struct CampaignCallTests {
        private static let sandbox = Task { try await TestDaemon.start() }
        private static let live = Task { try await TestDaemon.start(isSandbox: false) }

        private static let millis = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

        private static func time(_ secondsFromNow: Double) -> JSONValue {
            .string((Date.now + secondsFromNow).ISO8601Format(millis))
        }

        @Test func `a campaign weekend with a truthful claim`() async throws {
            let shop = try await ShopClient.open(try await Self.sandbox.value)
            let client = shop.client
            func setClock(_ at: String) async throws {
                _ = try await client.call("clock.set", ["at": .string(at)])
            }
            try await setClock("2031-01-01T00:00:00Z")
            let (product, other) = (try await shop.product(), try await shop.product())
            try await setClock("2031-03-01T00:00:00Z")
            let params: JSONObject = [
                "name": "Weekend", "productIds": [.integer(product)], "percentOff": 20,
                "startsAt": "2031-03-07T18:00:00+01:00", "endsAt": "2031-03-09T24:00:00+01:00",
            ]
            #expect(
                try await client.refusal("campaign.create", params).data["violations"]?.array?.first?["path"]
                    == "/endsAt"
            )
            var right = params
            right["endsAt"] = "2031-03-10T00:00:00+01:00"
            let made = try await client.call("campaign.create", right)
            #expect(made["status"] == "scheduled" && made["startsAt"] == "2031-03-07T17:00:00.000Z")
            #expect(made["products"] == 1 && made["warnings"] == [])
            let id = try #require(made["campaignId"])
            let plan = try await client.call("claim.plan", ["productId": .integer(product), "percentOff": 20])
            #expect(plan["firstDay"] == "2031-03-01" && plan["price"] == "80.00")
            try await setClock("2031-03-07T16:59:59Z")
            #expect(try await shop.price(product) == "100.00")
            try await setClock("2031-03-07T17:00:00Z")
            #expect(try await shop.price(product) == "80.00")
            #expect(try await shop.price(other) == "100.00")
            let claim = try await client.call("claim.check", ["productId": .integer(product), "percentOff": 20])
            #expect(claim["truthful"] == true && claim["reference"]?["price"] == "100.00")
            let order = try await shop.buy(product, 45)
            #expect(order["total"] == "3600.00")
            #expect(order["priceChanges"] == [["productId": .integer(product), "old": "80.00", "new": "88.00"]])
            let got = try await client.call("price.get", ["productIds": [.integer(product)]])
            #expect(got["items"]?.array?.first?["regularPrice"] == "110.00")
            let why = try await client.call("price.why", ["productId": .integer(product)])
            #expect(why["steps"]?.array?.last?["step"] == "campaign")
            #expect(
                why["next"]?.array?.first == ["event": "campaign", "at": "2031-03-09T23:00:00.000Z", "price": "110.00"]
            )
            try await setClock("2031-03-10T12:00:00Z")
            #expect(try await shop.price(product) == "110.00")
            let history = try await client.call("price.history", ["productId": .integer(product), "limit": 3])
            let told = history["items"]?.array?.map {
                "\($0["at"]?.string ?? "") \($0["old"]?.string ?? "") \($0["new"]?.string ?? "")"
            }
            #expect(
                told == [
                    "2031-03-09T23:00:00.000Z 88.00 110.00", "2031-03-07T17:00:00.000Z 80.00 88.00",
                    "2031-03-07T17:00:00.000Z 100.00 80.00",
                ]
            )
            #expect(try await client.call("campaign.get", ["campaignId": id])["status"] == "ended")
            let again = try await client.call("campaign.end", ["campaignId": id, "reason": "twice"])
            #expect(again["reason"] == "" && again["endedAt"] == "2031-03-09T23:00:00.000Z", "it had ended")
            #expect(try await client.call("audit.verify")["total"] == 0)
        }

        @Test func `a rehearsal shows what would be charged, and a key makes one campaign`() async throws {
            let shop = try await ShopClient.open(try await Self.live.value)
            let product = try await shop.product()
            var params: JSONObject = [
                "name": "Now", "categoryId": .integer(shop.categoryId), "percentOff": .decimal("12.5"),
                "endsAt": Self.time(3600), "_meta": ["dryRun": true],
            ]
            let said = try await shop.client.call("campaign.create", params)
            #expect(
                said["_meta"]?["wouldChange"]?["prices"] == [
                    ["productId": .integer(product), "old": "100.00", "new": "87.50"]
                ]
            )
            #expect(try await shop.price(product) == "100.00")
            params["_meta"] = ["idempotencyKey": .string("campaign \(ShopClient.unique())")]
            let made = try await shop.client.call("campaign.create", params)
            #expect(try await shop.client.call("campaign.create", params)["campaignId"] == made["campaignId"])
            #expect(try await shop.price(product) == "87.50")
            let found = try await shop.client.call("campaign.list", ["productId": .integer(product)])
            #expect(found["items"]?.array?.count == 1)
            let completed = try await shop.client.call(
                "server.complete",
                ["method": "campaign.end", "param": "campaignId", "prefix": "now"]
            )
            #expect(completed["values"]?.array?.contains { $0["value"] == made["campaignId"] } == true)
            let ended = try await shop.client.call("campaign.end", ["campaignId": made["campaignId"] ?? .null])
            #expect(ended["status"] == "ended" && ended["endedBy"] != .null)
            #expect(try await shop.price(product) == "100.00")
        }

        @Test func `it begins and ends by itself within a second`() async throws {
            let daemon = try await Self.live.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let watch = try await Watch(daemon, ["productIds": [.integer(product)], "topics": ["price"]])
            let made = try await shop.client.call(
                "campaign.create",
                [
                    "name": "Flash", "productIds": [.integer(product)], "percentOff": 50, "startsAt": Self.time(1),
                    "endsAt": Self.time(2),
                ]
            )
            for (price, member) in [("50.00", "startsAt"), ("100.00", "endsAt")] {
                let event = try await watch.next()
                #expect(event["after"]?["price"]?.string == price)
                #expect(event["cause"] == ["kind": "campaign"])
                let (at, due) = (try Self.date(event["at"]), try Self.date(made[member]))
                #expect((0..<1).contains(at.timeIntervalSince(due)), "\(member)")
            }
            await watch.close()
        }

        private static func date(_ value: JSONValue?) throws -> Date {
            try Date(try #require(value?.string), strategy: Self.millis)
        }

        /// What was to begin while no daemon ran begins with the next one; what was over meanwhile never runs.
        @Test func `what was due while the daemon was down comes at once`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let psql = try await daemon.psql()
            await daemon.kill9()
            _ = try await psql.run(
                """
                insert into campaign (name, category_id, percent_off, starts_at, ends_at) values
                    ('over', \(shop.categoryId), 30, now() - interval '3 hours', now() - interval '1 hour'),
                    ('late', \(shop.categoryId), 20, now() - interval '2 hours', now() + interval '1 hour'),
                    ('early', \(shop.categoryId), 10, now() - interval '4 hours', now() + interval '1 hour')
                """
            )
            try await daemon.restart()
            let watch = try await Watch(daemon, ["topics": ["catalogue", "price"], "from": 0])
            var told: [String] = []
            while told.count < 5 {
                let event = try await watch.next()
                let op = event["op"]?.string ?? ""
                guard event["topic"] == "price" || op == "campaign_started" || op == "campaign_ended" else { continue }
                told.append(event["after"]?["name"]?.string ?? event["after"]?["price"]?.string ?? "")
            }
            #expect(told == ["early", "90.00", "over", "late", "80.00"])
            #expect(try await daemon.client().call("price.get", ["productIds": [.integer(product)]])["missing"] == [])
            await watch.close()
        }

        @Test func `two daemons on one database begin and end each product's once`() async throws {
            let one = try await TestDaemon.start(isSandbox: false)
            let shop = try await ShopClient.open(one)
            for _ in 0..<130 { _ = try await shop.product() }
            let database = try #require(try await shop.client.call("server.status")["database"]?.object)
            let place = "host=\(database["host"]?.string ?? "") dbname=pricing user=pricingd"
            let two = try await TestDaemon.start(isSandbox: false, arguments: ["--database-url", place])
            let watch = try await Watch(one, ["topics": ["price"]])
            _ = try await two.client().call(
                "campaign.create",
                [
                    "name": "Both", "categoryId": .integer(shop.categoryId), "percentOff": 20, "startsAt": Self.time(1),
                    "endsAt": Self.time(3),
                ]
            )
            var prices: [String: Int] = [:]
            for _ in 0..<260 { prices[try await watch.next()["after"]?["price"]?.string ?? "", default: 0] += 1 }
            #expect(prices == ["80.00": 130, "100.00": 130])
            await watch.close()
            try await Invariants.expect(one)
            #expect(await two.stop() == 0)
        }
    }
}
