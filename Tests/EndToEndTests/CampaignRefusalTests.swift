import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Each bad input of campaigns and claims, with the member that it is refused for.
    @Suite
    struct CampaignRefusalTests {
        @Test func `what no schema can say is refused with its member`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = JSONValue.integer(try await shop.product())
            let week: JSONObject = ["startsAt": "2090-01-01T00:00:00Z", "endsAt": "2090-01-08T00:00:00Z"]
            let price: JSONValue = ["productId": product, "price": "9.00"]
            for (given, path) in [
                (["percentOff": 20], "/all"), (["percentOff": 20, "all": false], "/all"),
                (["percentOff": 20, "all": true, "productIds": [product]], "/productIds"),
                (["percentOff": 20, "prices": [price]], "/percentOff"), (["all": true], "/percentOff"),
                (["percentOff": 20, "prices": [price], "all": true], "/prices"),
                (["percentOff": 0, "all": true], "/percentOff"),
                (["percentOff": 20, "all": true, "endsAt": "2090-01-01T00:00:00Z"], "/endsAt"),
                (
                    [
                        "percentOff": 20, "all": true, "startsAt": "2001-01-01T00:00:00Z",
                        "endsAt": "2001-02-01T00:00:00Z",
                    ], "/endsAt"
                ),
                (["prices": [price, price]], "/prices/1/productId"),
                (["percentOff": 20, "all": true, "endsAt": "2090-01-08"], "/endsAt"),
                (["percentOff": 20, "all": true, "startsAt": "2090-01-01T00:00:00"], "/startsAt"),
            ] as [(JSONObject, String)] {
                var params: JSONObject = ["name": "Refused"]
                for (name, value) in week { params[name] = value }
                for (name, value) in given { params[name] = value }
                let refusal = try await shop.client.refusal("campaign.create", params)
                #expect(refusal.reason == "INVALID_PARAMS")
                #expect(refusal.data["violations"]?.array?.first?["path"]?.string == path, "\(given)")
            }
            for method in ["claim.check", "claim.plan"] {
                let refusal = try await shop.client.refusal(method, ["productId": product, "percentOff": 0])
                #expect(refusal.data["violations"]?.array?.first?["path"] == "/percentOff")
            }
            let found = try await shop.client.call("campaign.list", ["productId": product])
            #expect(found["items"] == [], "nothing was made")
        }

        @Test func `what is not there, or in the way, has its code`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let (product, archived) = (try await shop.product(), try await shop.product())
            _ = try await shop.client.call("product.archive", ["productId": .integer(archived)])
            func fixed(_ product: Int64, _ day: Int) -> JSONObject {
                [
                    "name": "Fixed", "prices": [["productId": .integer(product), "price": "70.00"]],
                    "startsAt": .string("2090-01-0\(day)T00:00:00Z"),
                    "endsAt": .string("2090-01-0\(day + 2)T00:00:00Z"),
                ]
            }
            let percent: JSONObject = ["name": "x", "percentOff": 20, "endsAt": "2090-01-08T00:00:00Z"]
            let first = try await shop.client.call("campaign.create", fixed(product, 1))
            for (method, params, reason) in [
                ("campaign.get", ["campaignId": 999_999_999], "CAMPAIGN_NOT_FOUND"),
                ("campaign.end", ["campaignId": 999_999_999], "CAMPAIGN_NOT_FOUND"),
                ("campaign.create", fixed(product, 2), "CAMPAIGN_OVERLAPS"),
                ("campaign.create", fixed(archived, 5), "PRODUCT_ARCHIVED"),
                ("campaign.create", fixed(999_999_999, 5), "PRODUCT_NOT_FOUND"),
                ("campaign.create", percent.with("categoryId", 999_999_999), "CATEGORY_NOT_FOUND"),
                ("campaign.create", percent.with("productIds", [.integer(archived)]), "PRODUCT_ARCHIVED"),
                ("claim.check", ["productId": .integer(archived), "percentOff": 20], "PRODUCT_ARCHIVED"),
                ("claim.plan", ["productId": 999_999_999, "percentOff": 20], "PRODUCT_NOT_FOUND"),
            ] as [(String, JSONObject, String)] {
                let refusal = try await shop.client.refusal(method, params)
                #expect(refusal.reason == reason, "\(method) \(params)")
                if reason == "CAMPAIGN_OVERLAPS" { #expect(refusal.data["campaignId"] == first["campaignId"]) }
            }
            _ = try await shop.client.call("campaign.create", fixed(product, 3))
            _ = try await shop.client.call("campaign.end", ["campaignId": first["campaignId"] ?? .null])
            _ = try await shop.client.call("campaign.create", fixed(product, 1))
        }
    }
}

extension JSONObject {
    fileprivate func with(_ name: String, _ value: JSONValue) -> JSONObject {
        var object = self
        object[name] = value
        return object
    }
}
