import JSON
import PricingTestSupport
import Testing

/// Claims after the EU's price indication rule. Days count from the first of January 2031.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct ClaimTests {
    private func check(_ shop: Shop, _ percent: JSONValue = 20) async throws -> JSONObject {
        try await shop.object("claim_check", ["productId": 1, "percentOff": percent])
    }

    private func plan(_ shop: Shop, _ percent: JSONValue = 20) async throws -> JSONObject {
        try await shop.object("claim_plan", ["productId": 1, "percentOff": percent])
    }

    private func pin(_ shop: Shop, _ price: JSONValue) async throws {
        _ = try await shop.object("price_pin", ["productId": 1, "price": price, "reason": "test"])
    }

    /// A product of 100.00 that is born on day 0.
    private func withProduct(_ body: (Shop) async throws -> Void) async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product()
            try await body(shop)
        }
    }

    @Test func `a price that stood for longer is carried in`() async throws {
        try await withProduct { shop in
            try await shop.setDay(100)
            try await pin(shop, "80.00")
            let said = try await check(shop)
            #expect(said["truthful"] == true && said["price"] == "80.00" && said["tooYoung"] == false)
            #expect(said["reference"] == ["price": "100.00", "on": "2031-03-12"])
            #expect(said["firstDay"] == "2031-04-11")
            #expect(try await check(shop, .decimal("20.1"))["truthful"] == false)
            try await shop.setDay(150)
            #expect(try await check(shop)["truthful"] == true, "the days before it began do not move on")
        }
    }

    @Test func `a lower price of the thirty days before counts, until it lies behind them`() async throws {
        try await withProduct { shop in
            try await shop.setDay(60)
            try await pin(shop, "90.00")
            try await shop.setDay(61)
            try await pin(shop, "100.00")
            try await shop.setDay(80)
            #expect(try await plan(shop)["firstDay"] == "2031-04-03", "day 61 at noon, and thirty days")
            try await pin(shop, "80.00")
            let said = try await check(shop)
            #expect(said["truthful"] == false)
            #expect(said["reference"] == ["price": "90.00", "on": "2031-03-02"])
            #expect(said["reason"]?.string?.contains("11.11 % below 90.00") == true)
        }
    }

    @Test func `buyers are shown a reduction where its claim is true, and a reason that claims none`() async throws {
        try await withProduct { shop in
            func offer() async throws -> JSONObject { try await shop.object("product_offer", ["productId": 1]) }
            #expect(try await offer()["reduction"]?.isNull == true)
            try await shop.setDay(20)
            try await pin(shop, "80.00")
            #expect(try await offer()["reduction"]?.isNull == true, "too young")
            try await shop.setDay(21)
            try await pin(shop, "100.00")
            try await shop.setDay(70)
            #expect(try await offer()["reduction"]?.isNull == true, "a rise")
            try await pin(shop, "70.00")
            var told = try await offer()
            #expect(told["reduction"]?["lowest30"] == "100.00" && told["reduction"]?["percentOff"] == 30)
            #expect(told["why"]?.string?.contains("by hand") == true)
            try await pin(shop, "99.50")
            #expect(try await offer()["reduction"]?.isNull == true, "70.00 was lower")
            _ = try await shop.object("price_unpin", ["productId": 1])
            var reasons: Set<String> = []
            for stock in [0, 5, 30, 500] {
                try await shop.run("update inventory set stock = \(stock) where product_id = 1")
                told = try await offer()
                reasons.insert(told["why"]?.string ?? "")
                #expect(told["unitsLeft"] == (stock == 5 ? 5 : .null))
            }
            #expect(reasons.count == 4 && reasons.contains("Few are left, so it costs more than usual."), "\(reasons)")
        }
    }

    @Test(arguments: [("2031-04-02", false), ("2031-04-03", true)])
    func `what is planned comes true on its day and not a day before`(day: String, isTrue: Bool) async throws {
        try await withProduct { shop in
            try await shop.setDay(60)
            try await pin(shop, "90.00")
            try await shop.setDay(61)
            try await pin(shop, "100.00")
            try await shop.setClock("\(day)T00:00:00Z")
            #expect(try await plan(shop)["firstDay"] == "2031-04-03")
            try await pin(shop, "80.00")
            #expect(try await check(shop)["truthful"]?.bool == isTrue)
        }
    }

    @Test func `a product is too young, and a birth is no reduction`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product(stock: 500)
            #expect(try await shop.price(1) == "90.00", "born below its base")
            let said = try await check(shop, 10)
            #expect(said["truthful"] == false && said["tooYoung"] == true && said["reducedSince"] == .null)
            #expect(said["firstDay"] == "2031-02-01")
            try await shop.setDay(40)
            let later = try await check(shop, 10)
            #expect(later["truthful"] == false && later["tooYoung"] == false && later["reducedSince"] == .null)
            #expect(later["reason"]?.string?.contains("is not reduced") == true)
        }
    }

    @Test func `a campaign is one reduction, however its price moves with stock`() async throws {
        try await withProduct { shop in
            try await shop.setDay(40)
            _ = try await shop.object(
                "campaign_create",
                ["name": "Sale", "all": true, "percentOff": 20, "endsAt": "2031-03-01T00:00:00Z"]
            )
            let buyer = try await shop.buyer()
            _ = try await shop.object(
                "order_place",
                ["customerId": .integer(Int64(buyer)), "lines": [["productId": 1, "quantity": 45]]]
            )
            try await shop.setDay(41)
            #expect(try await shop.price(1) == "88.00")
            #expect(try await check(shop)["truthful"] == false, "scarce, it is dearer")
            #expect(try await check(shop, 12)["truthful"] == true)
            try await shop.run("update inventory set stock = 50, cause.kind = 'restock' where product_id = 1")
            let said = try await check(shop)
            #expect(said["truthful"] == true)
            #expect(said["reducedSince"] == "2031-02-10T12:00:00.000Z")
            // Planned while it runs: from its end the lower price has to lie thirty days back.
            #expect(try await plan(shop, 30)["firstDay"] == "2031-03-31")
            try await shop.setClock("2031-03-02T00:00:00Z")
            let after = try await check(shop)
            #expect(after["truthful"] == false && after["firstDay"] == "2031-03-31")
        }
    }

    @Test func `a second campaign within the first is measured against the first`() async throws {
        try await withProduct { shop in
            for (day, percent, ends) in [(40, 10, "2031-03-01T00:00:00Z"), (45, 20, "2031-02-20T00:00:00Z")] {
                try await shop.setDay(day)
                _ = try await shop.object(
                    "campaign_create",
                    ["name": "Sale", "all": true, "percentOff": .integer(Int64(percent)), "endsAt": .string(ends)]
                )
            }
            let said = try await check(shop)
            #expect(said["price"] == "80.00" && said["truthful"] == false)
            #expect(said["reference"]?["price"] == "90.00")
            try await shop.setClock("2031-02-21T00:00:00Z")
            #expect(try await check(shop, 10)["truthful"] == true, "the first one goes on as it began")
        }
    }

    @Test func `what floor and rounding leave of a percentage is said`() async throws {
        try await withProduct { shop in
            try await shop.setDay(40)
            let said = try await plan(shop, 60)
            #expect(said["firstDay"] == .null && said["reference"] == .null && said["price"] == "50.00")
            #expect(said["reason"] == "floor and rounding leave 50.00, which is not 60 % below 100.00")
        }
    }
}
