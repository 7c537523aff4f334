import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension ShopClient {
    /// A product under a rule that keeps moves of over 5 % for a yes, with a base of 150.00 that waits for one.
    func proposal() async throws -> (product: Int64, proposal: JSONValue) {
        let made = try await client.call(
            "rule.create",
            [
                "name": .string("careful \(ShopClient.unique())"), "strategy": "bands",
                "parameters": ["approveAbove": .decimal("0.05")],
            ]
        )
        #expect(made["parameters"]?["approveAbove"] == .decimal("0.0500"))
        let rule = try #require(made["ruleId"])
        _ = try await client.call("rule.activate", ["ruleId": rule])
        let product = try await product(["ruleId": rule])
        _ = try await client.call("product.update", ["productId": .integer(product), "basePrice": "150.00"])
        let open = try await client.call("proposal.list", ["productId": .integer(product), "status": "open"])
        return (product, try #require(open["items"]?.array?.first?["proposalId"]))
    }
}

extension EndToEnd {
    /// Proposals over the socket: rehearsed, expected, keyed, told, counted.
    @Suite
    struct ProposalCallTests {
        private static let daemon = Task { try await TestDaemon.start() }

        @Test func `an approval is rehearsed, confirmed and repeated`() async throws {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            let (product, proposal) = try await shop.proposal()
            #expect(try await shop.price(product) == "100.00")
            var params: JSONObject = ["proposalId": proposal, "_meta": ["dryRun": true]]
            let said = try await shop.client.call("proposal.approve", params)
            let change = try #require(said["_meta"]?["wouldChange"]?["prices"]?.array?.first)
            #expect(change["old"] == "100.00" && change["new"] == "150.00")
            #expect(try await shop.price(product) == "100.00")
            let digest = try #require(said["_meta"]?["digest"])
            params["_meta"] = ["expect": "0123"]
            #expect(try await shop.client.refusal("proposal.approve", params).reason == "STALE")
            let key = JSONValue.string("approve \(ShopClient.unique())")
            params["_meta"] = ["expect": digest, "idempotencyKey": key, "actor": "ann"]
            let done = try await shop.client.call("proposal.approve", params)
            #expect(done["status"] == "approved" && done["price"] == "150.00" && done["decidedBy"] == "ann")
            let again = try await shop.client.call("proposal.approve", params)
            #expect(again["_meta"]?["replayed"] == true)
            let late = try await shop.client.refusal("proposal.approve", ["proposalId": proposal])
            #expect(late.reason == "STALE" && late.data["status"] == "approved")
            let history = try await shop.client.call("price.history", ["productId": .integer(product)])
            let change2 = try #require(history["items"]?.array?.first)
            #expect(change2["cause"] == "approval" && change2["actor"] == "ann")
            #expect(try await shop.client.call("audit.verify")["total"] == 0)
        }

        @Test func `what makes a proposal is rehearsed too, and its digest holds`() async throws {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            let (product, _) = try await shop.proposal()
            var params: JSONObject = [
                "productId": .integer(product), "basePrice": "100.00", "_meta": ["dryRun": true],
            ]
            _ = try await shop.client.call("product.update", params.removing("_meta"))
            params["basePrice"] = "170.00"
            let said = try await shop.client.call("product.update", params)
            let events = try #require(said["_meta"]?["wouldChange"]?["events"]?.array)
            #expect(events.contains { $0["op"] == "proposal_made" })
            params["_meta"] = ["expect": said["_meta"]?["digest"] ?? .null]
            _ = try await shop.client.call("product.update", params)
            let open = try await shop.client.call("proposal.list", ["productId": .integer(product), "status": "open"])
            #expect(open["items"]?.array?.first?["proposed"] == "170.00")
        }

        @Test func `it is told, counted and found`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let watch = try await Watch(daemon, ["topics": ["automation"]])
            let (product, proposal) = try await shop.proposal()
            let status = try await shop.client.call("server.status")
            #expect(status["automation"]?["openProposals"] == 1)
            #expect(try await shop.client.call("dashboard.stats")["openProposals"] == 1)
            let metrics = try await shop.client.call("server.metrics")["text"]?.string
            #expect(metrics?.contains("pricingd_open_proposals 1\n") == true)
            let completed = try await shop.client.call(
                "server.complete",
                ["method": "proposal.approve", "param": "proposalId"]
            )
            #expect(completed["values"]?.array?.first?["value"] == proposal)
            let why = try await shop.client.call("price.why", ["productId": .integer(product)])
            #expect(why["proposal"]?["proposalId"] == proposal && why["proposed"] == "150.00")
            let rejected = try await shop.client.call(
                "proposal.reject",
                ["proposalId": proposal, "reason": "too dear", "_meta": ["actor": "ann"]]
            )
            #expect(rejected["status"] == "rejected" && rejected["price"] == "100.00")
            for op in ["proposal_made", "proposal_rejected"] {
                let event = try await watch.next()
                #expect(event["op"]?.string == op && event["key"] == proposal)
                #expect(event["after"]?["productId"] == .integer(product))
            }
            await watch.close()
            let trail = try await shop.client.call("audit.trail", ["actor": "ann"])
            #expect(trail["items"]?.array?.first?["kind"] == "reject")
            #expect(try await shop.client.call("dashboard.stats")["openProposals"] == 0)
            #expect(
                try await shop.client.refusal("proposal.reject", ["proposalId": 999]).reason == "PROPOSAL_NOT_FOUND"
            )
            #expect(await daemon.stop() == 0)
        }

        @Test func `a campaign is found by what people call it`() async throws {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            let name = "Midsummer \(ShopClient.unique())"
            let made = try await shop.client.call(
                "campaign.create",
                [
                    "name": .string(name), "categoryId": .integer(shop.categoryId), "percentOff": 20,
                    "startsAt": "2098-06-01T00:00:00Z", "endsAt": "2098-06-08T00:00:00Z",
                ]
            )
            for text in [name.lowercased(), String(made["campaignId"]?.integer ?? 0)] {
                let found = try await shop.client.call("server.resolve", ["kind": "campaign", "text": .string(text)])
                #expect(found["match"]?["id"] == made["campaignId"], "\(text)")
                #expect(found["match"]?["detail"]?.string?.hasPrefix("scheduled, 20 %, 2098-06-01") == true)
            }
        }
    }
}
