import PricingTestSupport
import Testing

@Suite("What would change a price next", .enabled(if: TestCluster.isAvailable, needsServer))
struct ExplanationTests {
    static let strategies = ["bands", "cover", "deadline", "learn", "restock", "markdown", "manual"]

    /// Declarations that bring each strategy into motion; the same for all.
    private static let declared = """
        elasticity = 1.25, ref_rate = 1.2, decay = 0.01, unit_cost = 30,
        season_start = pricing_now(), season_end = pricing_now() + interval '30 days'
        """

    @Test("Each stated change, carried out, gives the very price that was stated", arguments: strategies)
    func comesTrue(strategy: String) async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            for stock in [2, 11, 17, 40, 104] {
                for event in ["sales", "restock", "tick"] {
                    let product = try await shop.product(stock: stock)
                    try await shop.run(
                        """
                        update product set rule_id = (select rule_id from rule where name = '\(strategy)'), \(Self.declared)
                        where product_id = \(product)
                        """
                    )
                    try await carryOut(event, product, shop)
                }
            }
        }
    }

    /// Does what `price.why` says of an event, and compares.
    private func carryOut(_ event: String, _ product: Int, _ shop: Shop) async throws {
        let told = try await shop.rows(
            """
            select concat_ws(' ', m ->> 'price', m ->> 'quantity', m ->> 'at')
            from json_array_elements(explain_product_price('{"productId": \(product)}') -> 'next') m
            where m ->> 'event' = '\(event)'
            """
        )
        guard let parts = told.first?.split(separator: " ").map(String.init) else { return }
        let posted = try await shop.price(product)
        switch event {
        case "tick":
            _ = try await shop.value("select set_clock('{\"at\": \"\(parts[1])\"}')")
        default:
            let units = try #require(Int(parts[1]))
            let sign = event == "sales" ? -1 : 1
            if units > 1 {
                try await move(product, (units - 1) * sign, shop)
                #expect(try await shop.price(product) == posted, "\(event) of \(units): no earlier")
            }
            try await move(product, sign, shop)
        }
        #expect(try await shop.price(product) == parts[0], "\(event) of product \(product)")
    }

    private func move(_ product: Int, _ units: Int, _ shop: Shop) async throws {
        try await shop.run("update inventory set stock = stock + \(units) where product_id = \(product)")
    }

    @Test("A preview of the present stock is the posted price, and of another one what that stock brings")
    func preview() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 40)
            let preview = "select preview_price('{\"productId\": \(product), \"stock\": 5}') ->> 'price'"
            let told = try await shop.value(preview)
            try await shop.run("update inventory set stock = 5 where product_id = \(product)")
            #expect(try await shop.price(product) == told)
            let rule = try await shop.value("select rule_id from rule where name = 'learn'")
            let other = try await shop.value(
                "select preview_price('{\"productId\": \(product), \"rule\": \(rule)}') ->> 'price'"
            )
            try await shop.run("update product set rule_id = \(rule) where product_id = \(product)")
            #expect(try await shop.price(product) == other)
        }
    }
}
