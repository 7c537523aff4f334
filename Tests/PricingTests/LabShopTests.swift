import JSON
import PricingTestSupport
import Testing

/// The laboratory's shops: what one season teaches the next.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct LabShopTests {
    /// Twelve products that really sell `rate` times as often as was typed.
    private static func products(erring rate: Double, horizon: Int = 20) -> JSONValue {
        .array(
            (1...12).map { number in
                [
                    "name": .string("p\(number)"), "stock": 30, "horizon_days": .integer(Int64(horizon)),
                    "customers_per_day": 8, "demand": "exponential(50)", "base": 100, "elasticity": 2,
                    "ref_rate": .decimal("\(8 * 0.1353 / rate)"), "true_rate": .decimal("\(rate)"),
                    "seed": .integer(Int64(number)),
                ]
            }
        )
    }

    /// The shop's first season under `learn_pooled_calm`: of each product the path.
    private static func paths(_ request: JSONObject, _ shop: Shop) async throws -> [[JSONValue]] {
        let request = JSONObject(
            request.map { ($0.key, $0.value) }
                + [("policies", ["learn_pooled_calm"]), ("first", 0), ("count", 1), ("pathOf", 0)]
        )
        let text = try await shop.value("select lab_shops('\(JSONValue.object(request))'::jsonb)")
        return (try JSONParser.parse(Array(text.utf8)).array ?? []).compactMap { $0["path"]?.array }
    }

    /// How many times what was typed a product is believed to sell before its first sale.
    private static func opening(_ path: [JSONValue], typed: Double) throws -> Double {
        let rate = try #require(path.first?["rate"])
        return try #require(Double("\(rate)")) / typed
    }

    @Test
    func `New products begin with what the former ones taught, whichever way these erred`() async throws {
        try await Shop.with { shop in
            let now = Self.products(erring: 2)
            let typed = 8 * 0.1353 / 2
            let alone = try await Self.paths(["scenarios": now], shop)
            #expect(alone.count == 12)
            for path in alone { #expect(abs(try Self.opening(path, typed: typed) - 1) < 1e-9) }

            // Whether new products err as the former ones did shows by their own sales: a half of it is believed before.
            for (rate, range) in [(2.0, 1.2...1.6), (0.5, 0.7...0.9)] {
                let taught = try await Self.paths(
                    ["scenarios": now, "former": Self.products(erring: rate), "history": 1],
                    shop
                )
                for path in taught {
                    let opening = try Self.opening(path, typed: typed)
                    #expect(range.contains(opening), "of former products that sold \(rate) times what was typed")
                }
            }
        }
    }

    @Test
    func `A path under a pooled policy is that of the product in its shop`() async throws {
        try await Shop.with { shop in
            let products = Self.products(erring: 2).array ?? []
            func fifthDay(_ products: [JSONValue]) async throws -> [Double] {
                try await Self.paths(["scenarios": .array(products)], shop).map { path in
                    let ticks = path.filter { $0["cause"] == "tick" }
                    return try #require(ticks.dropFirst(20).first?["rate"].flatMap { Double("\($0)") })
                }
            }
            let together = try await fifthDay(products)
            #expect(together.count == 12)
            // Each sells twice what was typed, and believes it sooner for what the others sold.
            for (product, rate) in zip(products, together) { #expect(rate > (try await fifthDay([product]))[0]) }
        }
    }
}
