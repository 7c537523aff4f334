import ArgumentParser
import Glibc
import JSON
import PricingClient
import Testing

@testable import pricing_simulate

struct ScenarioFileTests {
    private static let header = "name,stock,horizon_days,customers_per_day,demand,base"

    @Test
    func `Quoted fields, numbers as they are, empty and unknown columns left out`() throws {
        let text = """
            \u{FEFF}\(Self.header),seed,salvage,season_true,note\r
            A,25,30,4.0,"logit(60,10)",50.0,101,,"ramp(0.4,1.6)*weekly(0.5,0)","a ""note"", quoted"\r

            B,6,60,0.5,exponential(400),499.99,9007199254740992,1.5,1,
            """
        let scenarios = try ScenarioFile.scenarios(in: text)
        #expect(
            scenarios == [
                [
                    "name": "A", "demand": "logit(60,10)", "season_true": "ramp(0.4,1.6)*weekly(0.5,0)", "stock": 25,
                    "horizon_days": 30, "customers_per_day": 4, "base": 50, "seed": 101,
                ],
                [
                    "name": "B", "demand": "exponential(400)", "season_true": "1", "stock": 6, "horizon_days": 60,
                    "customers_per_day": .decimal("0.5"), "base": .decimal("499.99"), "salvage": .decimal("1.5"),
                    "seed": 9_007_199_254_740_992,
                ],
            ]
        )
        #expect(try ScenarioFile.rows(in: text)[0].fields["note"] == "a \"note\", quoted")
    }

    @Test(arguments: [
        ("", 1, "there is no header"), ("name,stock\n", 1, "there is no column horizon_days"),
        ("\(header)\n", 1, "no scenario follows the header"),
        ("\(header)\n\nA,1,2,3,linear(9)\n", 3, "5 fields under 6 columns"),
        ("\(header)\nA,many,2,3,linear(9),5\n", 2, "stock is no number: many"),
        ("\(header)\nA,1,2,3,\"linear(9),5\n", 2, "a quotation mark is never closed"),
    ])
    func `What is wrong is said with its line`(text: String, line: Int, problem: String) {
        #expect(throws: CSVTable.Malformed(line: line, problem: problem)) {
            try ScenarioFile.scenarios(in: text)
        }
    }
}

struct RandomScenariosTests {
    @Test
    func `The same seed draws the same, and the first ones do not depend on how many`() {
        var ten = RandomScenarios(seed: 7)
        var three = RandomScenarios(seed: 7)
        var other = RandomScenarios(seed: 8)
        let drawn = ten.draw(10)
        #expect(Array(drawn.prefix(3)) == three.draw(3))
        #expect(drawn != other.draw(10))
    }

    @Test
    func `Of a shop so many products as asked err in the other direction, and nothing else differs`() throws {
        var alike = RandomScenarios(seed: 7)
        var unlike = RandomScenarios(seed: 7)
        let error = RandomScenarios.ShopError(rate: 2)
        let pairs = zip(alike.draw(4, erring: error), unlike.draw(4, erring: error, unlike: 3))
        for (number, (one, other)) in pairs.enumerated() {
            #expect(one["true_rate"] == .decimal("2.0"))
            #expect(other["true_rate"] == .decimal(number < 3 ? "0.5" : "2.0"))
            let beliefs = ["true_rate", "true_elasticity", "ref_rate", "elasticity"]
            for (member, value) in one where !beliefs.contains(member) { #expect(other[member] == value) }
        }
    }

    @Test
    func `Each product's own error comes on top of its shop's, and nothing else differs`() throws {
        var alike = RandomScenarios(seed: 7)
        var scattered = RandomScenarios(seed: 7)
        let pairs = zip(
            alike.draw(400, erring: .init(rate: 2)),
            scattered.draw(400, erring: .init(rate: 2, own: 0.5))
        )
        var logs: [Double] = []
        for (one, other) in pairs {
            let truth = try #require(other["true_rate"].flatMap { Double("\($0)") })
            logs.append(log(truth / 2))
            #expect((0.1...10).contains(truth))
            let beliefs = ["true_rate", "true_elasticity", "ref_rate", "elasticity"]
            for (member, value) in one where !beliefs.contains(member) { #expect(other[member] == value) }
        }
        // Of 400 the mean lies within four of its deviations of 0.025, and theirs within a fifth of what was asked.
        let mean = logs.reduce(0, +) / 400
        #expect(abs(mean) < 0.1)
        #expect((0.4...0.6).contains(sqrt(logs.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 400)))
    }

    @Test
    func `What a shop errs by is asked of shops alone`() {
        for wrong in [["--error", "rate=2"], ["--unlike", "3"], ["--history", "1"]] {
            #expect(throws: (any Error).self) { try Evaluate.parse(["--random", "3"] + wrong) }
        }
        for wrong in ["rate", "rate=", "own=3", "price=2", "rate=2=3"] {
            #expect(throws: (any Error).self) { try Evaluate.parse(["--shops", "3", "--error", wrong]) }
        }
        #expect(throws: Never.self) { try Evaluate.parse(["--shops", "3", "--error", "rate=2", "--error", "own=0.5"]) }
    }

    @Test
    func `Every scenario is one that the laboratory takes, and every kind of demand and season comes up`() throws {
        var random = RandomScenarios(seed: 1)
        var demands: Set<String> = []
        var seasons: Set<String> = []
        for scenario in random.draw(200) {
            #expect((5...150).contains(try #require(scenario["stock"]?.integer)))
            #expect((14...60).contains(try #require(scenario["horizon_days"]?.integer)))
            #expect((10...500).contains(try #require(scenario["base"]?.integer)))
            demands.formUnion(try #require(scenario["demand"]?.string).split(separator: "(").prefix(1).map(String.init))
            seasons.formUnion(
                try #require(scenario["season_true"]?.string).split(separator: "(").prefix(1).map(String.init)
            )
        }
        #expect(demands == ["exponential", "exponential_decay", "linear", "logit", "isoelastic"])
        #expect(seasons == ["1", "ramp", "steps"])
    }
}

struct LabTableTests {
    private static func row(_ scenario: String, _ policy: String, _ share: JSONValue) throws -> LabRow {
        try #require(
            LabRow([
                "policy": .string(policy), "scenario": .string(scenario), "seasons": 10, "mean": .decimal("1487.0600"),
                "meanCi95": .decimal("12.5"), "share": share, "ci95": share.isNull ? .null : .decimal("0.0300"),
                "changes": .decimal("14.105"), "reversals": 7, "soldOut": .decimal("0.4"), "leftOver": 1, "path": .null,
            ])
        )
    }

    @Test
    func `A program gets the members in their order, and no others`() throws {
        let row = try Self.row("A", "learn_calm", .decimal("0.990100"))
        #expect(
            "\(JSONValue.object(row.json))" == """
                {"scenario":"A","policy":"learn_calm","seasons":10,"mean":1487.0600,"share":0.990100,"ci95":0.0300,\
                "changes":14.105,"reversals":7,"soldOut":0.4,"leftOver":1}
                """
        )
        #expect(LabRow(["scenario": "A"]) == nil)
    }

    @Test
    func `Shares with their intervals, the mean where there is no optimum, means and worst at the foot`() throws {
        var table = LabTable(policies: ["learn_calm"], scenarios: ["A", "B", "C"])
        func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
        #expect(words(table.header) == ["scenario", "learn_calm", "changes"])
        #expect(
            words(table.add([try Self.row("A", "learn_calm", .decimal("0.9"))])) == ["A", "0.9000", "±0.0300", "14.1"]
        )
        #expect(
            words(table.add([try Self.row("B", "learn_calm", .decimal("0.8"))])) == ["B", "0.8000", "±0.0300", "14.1"]
        )
        #expect(words(table.add([try Self.row("C", "learn_calm", nil)])) == ["C", "1487.06", "±12.50", "14.1"])
        #expect(table.foot.map(words) == [["mean", "0.8500", "±0.0212", "14.1"], ["worst", "0.8000"]])
    }

    @Test(arguments: [(0.05, 1, "0.1"), (-0.04, 1, "0.0"), (-1.26, 1, "-1.3"), (12.0, 0, "12"), (0.99996, 4, "1.0000")])
    func `Figures have their digits`(value: Double, digits: Int, text: String) {
        #expect(LabTable.fixed(value, digits) == text)
    }
}

struct SeasonPlotTests {
    private static let plot = SeasonPlot(
        title: "A & B <1>",
        path: [
            PathPoint(time: 0, price: 50, stock: 10), PathPoint(time: 5, price: 100, stock: 9),
            PathPoint(time: 7.5, price: 75, stock: 5),
        ],
        horizon: 10
    )

    @Test
    func `In the terminal every moment shows one price and one stock`() {
        let lines = Self.plot.lines
        #expect(lines.count == 1 + 12 + 6 + 1)
        let panel = lines.dropFirst().prefix(12).map { Array($0.split(separator: "│", maxSplits: 1)[1]) }
        for column in 0..<72 { #expect(panel.count { $0[column] == "━" } == 1) }
        #expect(panel[11].prefix(36).allSatisfy { $0 == "━" } && panel[0][36..<54].allSatisfy { $0 == "━" })
        #expect(lines[1].contains("100.00") && lines[12].contains("50.00"))
    }

    @Test
    func `As SVG a step at each evaluation, with text that breaks no markup`() {
        let svg = Self.plot.svg
        #expect(svg.contains("M60.0 175.0H420.0V50.0H600.0V112.5H780"), "\(svg)")
        #expect(svg.contains("M60.0 340.0H420.0V350.0H600.0V390.0H780"))
        #expect(svg.contains("A &amp; B &lt;1&gt;") && svg.hasSuffix("</svg>\n"))
    }
}

struct EstimatePlotTests {
    /// Two products whose rate was typed half of what it is; under `learns` both know it on the second day.
    private static func plot() throws -> EstimatePlot {
        let scenarios: [JSONObject] = ["A", "B"].map {
            ["name": .string($0), "horizon_days": 2, "ref_rate": 3, "true_rate": 2, "elasticity": 2]
        }
        let rows = try ["learns", "stays"].flatMap { policy in
            try ["A", "B"].map { name in
                let path: [JSONValue] = [0, 1].map { day in
                    [
                        "t": .integer(day), "price": 10, "stock": 1, "elasticity": 4,
                        "rate": day == 1 && policy == "learns" ? 6 : 3,
                    ]
                }
                return try #require(
                    LabRow([
                        "scenario": .string(name), "policy": .string(policy), "mean": 1, "changes": 0,
                        "path": .array(path),
                    ])
                )
            }
        }
        return EstimatePlot(rows, of: scenarios, under: ["learns", "stays", "fixed"])
    }

    @Test
    func `In the terminal the factor to the truth, day by day, of each policy that estimates`() throws {
        let lines = try Self.plot().lines.map { $0.split(separator: " ").joined(separator: " ") }
        #expect(
            lines.dropFirst(2) == [
                "rate day 0 day 1 day 2", "learns 2.000 1.000 1.000", "stays 2.000 2.000 2.000",
                "elasticity day 0 day 1 day 2", "learns 2.000 2.000 2.000", "stays 2.000 2.000 2.000",
            ]
        )
    }

    @Test
    func `As SVG the truth is the axis`() throws {
        let svg = try Self.plot().svg
        #expect(svg.contains("M60.0 130.0L220.0 440.0L380.0 440.0"), "\(svg)")
        #expect(svg.contains(">stays<") && !svg.contains("fixed") && svg.hasSuffix("</svg>\n"))
    }
}
