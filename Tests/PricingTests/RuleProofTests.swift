import JSON
import Postgres
import PricingProtocol
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct RuleProofTests {
    private static let original: JSONObject = [
        "strategy": "bands", "parameters": ["basis": "current", "up": .decimal("0.1"), "down": .decimal("0.1")],
    ]

    @Test
    func `The original rule ratchets down and runs away both ways, and the walks show it`() async throws {
        try await Shop.with { shop in
            let reply = try await shop.object("rule_lint", Self.original)
            #expect(reply["ok"] == false)
            let walks = try walks(reply)
            #expect(Set(walks.keys) == ["RATCHET_DOWN", "RUNAWAY_UP", "RUNAWAY_DOWN"])
            for (code, walk) in walks {
                // Every step is the rule's own, taken again here: a tenth of the last price, rounded half up.
                for (before, after) in zip(walk, walk.dropFirst()) {
                    let tenth = after.stock <= 10 ? 11 : after.stock >= 100 ? 9 : 10
                    #expect(after.cents == (before.cents * tenth + 5) / 10, "\(code)")
                }
                #expect(walk.first?.cents == 10_000)
            }
            let ratchet = try #require(walks["RATCHET_DOWN"])
            #expect(ratchet.first?.stock == ratchet.last?.stock)
            #expect(try #require(ratchet.last).cents < 9_500)
            #expect(try #require(walks["RUNAWAY_UP"]?.last).cents > 20_000)
            #expect(try #require(walks["RUNAWAY_DOWN"]?.last).cents < 5_000)
        }
    }

    @Test
    func `A step up that is larger than the step down ratchets up; limits only bound the drift`() async throws {
        try await Shop.with { shop in
            var rule = Self.original
            rule["parameters"] = ["basis": "current", "up": .decimal("0.2"), "down": .decimal("0.1")]
            let upward = try await codes(shop, rule)
            #expect(upward.contains("RATCHET_UP"))
            rule = Self.original
            rule["ceiling"] = "120.00"
            let bounded = try await codes(shop, rule)
            #expect(!bounded.contains("RUNAWAY_UP"), "held at the ceiling at once")
            rule["ceiling"] = "1000.00"
            let free = try await codes(shop, rule)
            #expect(free.contains("RUNAWAY_UP"))
        }
    }

    @Test
    func `A step too large for some products is named with them, by lint and by the activation`() async throws {
        try await Shop.with { shop in
            let cheap = try await shop.product(base: "10.00")
            let dear = try await shop.product(base: "1000.00")
            let rule = try await shop.object(
                "rule_create",
                ["name": "coarse", "strategy": "bands", "parameters": ["priceStep": "50.00"]]
            )
            let id = try #require(rule["ruleId"])
            let drafted = try await shop.object("rule_lint", ["ruleId": id])
            let found = try coarse(drafted)
            #expect(found["productIds"] == [.integer(Int64(cheap))])
            let active = try await shop.object("rule_activate", ["ruleId": id, "all": true])
            let warning = try #require(active["warnings"]?.array?.first?.object)
            #expect(warning["code"] == "STEP_TOO_LARGE" && warning["count"] == 1)
            #expect(warning["productIds"] == [.integer(Int64(cheap))])
            #expect(try await shop.price(cheap) == "10.00", "and not the ceiling")
            #expect(try await shop.price(dear) == "1000.00")
            for _ in 1...25 { _ = try await shop.product(base: "3.00", rule: "coarse") }
            let many = try coarse(try await shop.object("rule_lint", ["ruleId": id]))
            #expect(many["productIds"]?.array?.count == 20 && many["count"] == 26)
            let fine = try await shop.object("rule_activate", ["ruleId": 1, "all": true])
            #expect(fine["warnings"] == [])
        }
    }

    @Test
    func `A price change of a time when small prices were rounded up to a step is still what its inputs give`()
        async throws
    {
        try await Shop.with { shop in
            let inputs = """
                {"mode": "declaration", "strategy": "bands", "base": 10, "up": 0.1, "down": 0.1, "low": 10, "high": 100,
                 "gap": 4, "bandBefore": 0, "stock": 50, "posted": 10, "anchor": 10, "dailyCap": null, "floor": 5,
                 "ceiling": 20, "deadBand": null, "step": 50, "offset": 0}
                """
            let then = try await shop.value("select price from recompute_price($1)", [.text(inputs)])
            #expect(then == "20")
            let rounded = "select price from recompute_price($1::jsonb || '{\"rounding\": \"cent\"}')"
            let now = try await shop.value(rounded, [.text(inputs)])
            #expect(now == "10.00")
        }
    }

    private func coarse(_ reply: JSONObject) throws -> JSONObject {
        let findings = (reply["findings"]?.array ?? []).compactMap(\.object)
        return try #require(findings.first { $0["code"] == "STEP_TOO_LARGE" })
    }

    @Test
    func `Rules of base are sound, whatever the strategy; a cut at high stock is advised against`() async throws {
        try await Shop.with { shop in
            for strategy in Strategies.names {
                for preset in ["calm", "balanced", "agile"] {
                    let rule: JSONObject = ["strategy": .string(strategy), "preset": .string(preset)]
                    let found = try await codes(shop, rule)
                    #expect(found == (strategy == "bands" ? ["HIGH_STOCK_CUT"] : []), "\(strategy) \(preset)")
                }
            }
            #expect(try await codes(shop, ["strategy": "bands", "parameters": ["down": 0]]) == [])
        }
    }

    @Test
    func `What the numbers of a rule forbid is found`() async throws {
        try await Shop.with { shop in
            let bold: JSONValue = ["up": .decimal("0.2"), "down": 0]
            for (rule, code, isError) in [
                (["parameters": bold, "normalOrder": 4], "", false),
                (["parameters": bold, "normalOrder": 5], "OSCILLATION", true),
                (["parameters": bold, "lowStock": 50, "highStock": 52], "OVERLAPPING_BANDS", true),
                (["parameters": bold, "floor": "90.00", "ceiling": "80.00"], "LIMITS_CROSSED", true),
                (["parameters": bold, "unitCost": "300.00"], "FLOOR_ABOVE_CEILING", false),
                (["parameters": bold, "lowStock": 0], "BAND_UNREACHABLE", false),
                (["parameters": bold, "ceiling": "110.00"], "LOW_ABOVE_CEILING", false),
                (["parameters": ["down": .decimal("0.6")]], "HIGH_BELOW_FLOOR", false),
                (["strategy": "learn", "parameters": ["dailyCap": .decimal("0.06")]], "NEVER_MOVES", true),
                (
                    ["strategy": "learn", "parameters": ["dailyCap": .decimal("0.1"), "leastFall": .decimal("0.2")]],
                    "NEVER_MOVES", true
                ),
                (
                    ["strategy": "learn", "parameters": ["dailyCap": .decimal("0.15"), "bandStock": .decimal("0.2")]],
                    "STOCK_NEVER_MOVES", false
                ),
            ] as [(JSONObject, String, Bool)] {
                let reply = try await shop.object("rule_lint", rule)
                let found = try await codes(shop, rule)
                #expect(code.isEmpty ? found == [] : found.contains(code), "\(rule): \(found)")
                #expect(reply["ok"] == .bool(!isError), "\(rule): \(found)")
            }
        }
    }

    @Test
    func `A stored rule is tried on its products and their normal orders`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 400)
            let buyer = try await shop.buyer()
            #expect(try await codes(shop, ["ruleId": 1]) == ["HIGH_STOCK_CUT"])
            for _ in 0..<5 { try await shop.run(place(buyer, [(product, 6)])) }
            let reply = try await shop.object("rule_lint", ["ruleId": 1])
            let oscillation = try #require(reply["findings"]?.array?.first)
            #expect(oscillation["code"] == "OSCILLATION")
            #expect(oscillation["productId"] == .integer(Int64(product)))
            let walk = try #require(try walks(reply)["OSCILLATION"])
            #expect(Set(walk.map(\.cents)) == [10_000, 11_000])
        }
    }

    @Test
    func `rule.create refuses what is an error, with its counterexample`() async throws {
        try await Shop.with { shop in
            for parameters in [#"{"basis": "current"}"#, #"{"dailyCap": 0.01}"#] {
                let strategy = parameters.contains("basis") ? "bands" : "learn"
                let error = await shop.refusal(
                    "select rule_create('{\"name\": \"n\", \"strategy\": \"\(strategy)\", \"parameters\": \(parameters)}')"
                )
                #expect(error?.sqlState?.code == "PR302")
                let facts = try JSONParser.parse(Array(try #require(error?.detail).utf8))
                #expect(facts["counterexample"]?["trace"]?.array?.isEmpty == false)
                #expect(facts["violations"]?.array?.first?["path"] == "/parameters")
            }
            #expect(try await shop.value("select count(*) from rule where name = 'n'") == "0")
        }
    }

    private struct Step {
        let stock: Int64
        let cents: Int
    }

    private func codes(_ shop: Shop, _ rule: JSONObject) async throws -> [String] {
        try await shop.object("rule_lint", rule)["findings"]?.array?.compactMap { $0["code"]?.string } ?? []
    }

    /// The counterexamples by code.
    private func walks(_ reply: JSONObject) throws -> [String: [Step]] {
        var walks: [String: [Step]] = [:]
        for finding in reply["findings"]?.array ?? [] {
            guard let code = finding["code"]?.string, let trace = finding["counterexample"]?["trace"]?.array else {
                continue
            }
            walks[code] = try trace.map {
                let digits = try #require($0["price"]?.string).filter { $0 != "." }
                return Step(stock: try #require($0["stock"]?.integer), cents: try #require(Int(digits)))
            }
        }
        return walks
    }
}
