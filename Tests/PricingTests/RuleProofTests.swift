import JSONRPC
import Postgres
import PricingTestSupport
import Testing

@Suite("Proofs about rules", .enabled(if: TestCluster.isAvailable, needsServer))
struct RuleProofTests {
    private static let original: JSONObject = [
        "strategy": "bands", "parameters": ["basis": "current", "up": .decimal("0.1"), "down": .decimal("0.1")],
    ]

    @Test("The original rule ratchets down and runs away both ways, and the walks show it")
    func original() async throws {
        try await Shop.with { shop in
            let reply = try await shop.object("lint_rule", Self.original)
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

    @Test("A step up that is larger than the step down ratchets up; limits only bound the drift")
    func others() async throws {
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

    @Test("Rules of base are sound, whatever the strategy; a cut at high stock is advised against")
    func sound() async throws {
        try await Shop.with { shop in
            for strategy in ["bands", "cover", "deadline", "learn", "restock", "markdown", "manual"] {
                for preset in ["calm", "balanced", "agile"] {
                    let rule: JSONObject = ["strategy": .string(strategy), "preset": .string(preset)]
                    let found = try await codes(shop, rule)
                    #expect(found == (strategy == "bands" ? ["HIGH_STOCK_CUT"] : []), "\(strategy) \(preset)")
                }
            }
            #expect(try await codes(shop, ["strategy": "bands", "parameters": ["down": 0]]) == [])
        }
    }

    @Test("What the numbers of a rule forbid is found")
    func numbers() async throws {
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
                (["strategy": "learn", "parameters": ["dailyCap": .decimal("0.08")]], "NEVER_MOVES", true),
                (["strategy": "learn", "parameters": ["dailyCap": .decimal("0.15")]], "STOCK_NEVER_MOVES", false),
            ] as [(JSONObject, String, Bool)] {
                let reply = try await shop.object("lint_rule", rule)
                let found = try await codes(shop, rule)
                #expect(code.isEmpty ? found == [] : found.contains(code), "\(rule): \(found)")
                #expect(reply["ok"] == .bool(!isError), "\(rule): \(found)")
            }
        }
    }

    @Test("A stored rule is tried on its products and their normal orders")
    func stored() async throws {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 400)
            let buyer = try await shop.buyer()
            #expect(try await codes(shop, ["ruleId": 1]) == ["HIGH_STOCK_CUT"])
            for _ in 0..<5 { try await shop.run(place(buyer, [(product, 6)])) }
            let reply = try await shop.object("lint_rule", ["ruleId": 1])
            let oscillation = try #require(reply["findings"]?.array?.first)
            #expect(oscillation["code"] == "OSCILLATION")
            #expect(oscillation["productId"] == .integer(Int64(product)))
            let walk = try #require(try walks(reply)["OSCILLATION"])
            #expect(Set(walk.map(\.cents)) == [10_000, 11_000])
        }
    }

    @Test("rule.create refuses what is an error, with its counterexample")
    func refused() async throws {
        try await Shop.with { shop in
            for parameters in [#"{"basis": "current"}"#, #"{"dailyCap": 0.01}"#] {
                let strategy = parameters.contains("basis") ? "bands" : "learn"
                let error = await shop.refusal(
                    "select create_rule('{\"name\": \"n\", \"strategy\": \"\(strategy)\", \"parameters\": \(parameters)}')"
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
        try await shop.object("lint_rule", rule)["findings"]?.array?.compactMap { $0["code"]?.string } ?? []
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
