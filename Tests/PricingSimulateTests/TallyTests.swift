import JSON
import PricingClient
import Testing

@testable import pricing_simulate

struct TallyTests {
    private static func move(_ product: Int64, _ old: String, _ new: String, sequence: Int64 = 1) throws -> PriceMove {
        try #require(
            PriceMove(event: [
                "sequence": .integer(sequence), "topic": "price", "key": .integer(product),
                "before": ["price": .string(old)],
                "after": ["price": .string(new), "stock": 4, "title": "Kettle", "reason": "low stock"],
            ])
        )
    }

    @Test
    func `An empty run has no latency and still adds up`() {
        let json = Tally().json
        #expect(json["placed"] == 0)
        #expect(json["latencyMs"]?["median"] == .null)
        #expect(Tally().lines == ["orders placed   0", "restocks        0", "price moves     0"])
    }

    @Test
    func `Median and 99th percentile are latencies that were measured`() {
        var tally = Tally()
        for n in (1...100).reversed() { tally.note(.order([:]), latency: .milliseconds(n)) }
        tally.note(refusal: "INSUFFICIENT_STOCK", latency: .milliseconds(500))
        let latency = tally.json["latencyMs"]
        #expect(latency?["median"] == .decimal("51.00"))
        #expect(latency?["p99"] == .decimal("100.00"))
        #expect(tally.json["refused"] == ["INSUFFICIENT_STOCK": 1])
        #expect(tally.lines[1] == "refused         1  INSUFFICIENT_STOCK")
    }

    @Test
    func `Movers are judged from their first price to their last, and who came back is none`() throws {
        var tally = Tally()
        tally.note(try Self.move(1, "10.00", "11.00"))
        tally.note(try Self.move(1, "11.00", "10.00"))
        tally.note(try Self.move(2, "4.00", "3.00"))
        tally.note(try Self.move(3, "100.00", "110.00"))
        #expect(tally.json["priceMoves"] == 4)
        let movers = tally.json["largestMovers"]?.array?.compactMap { $0["productId"]?.integer }
        #expect(movers == [2, 3])
    }

    @Test
    func `A move reads as one line`() throws {
        let line = try Self.move(1, "10.00", "11.05").line
        #expect(line.hasPrefix("Kettle  "))
        #expect(line.hasSuffix("10.00 → 11.05  (+10.5 %)  stock 4  low stock"))
        #expect(PriceMove(event: ["topic": "stock", "sequence": 1, "key": 1]) == nil)
    }

    @Test(arguments: [
        ("10.00", "9.00", "-10.0 %"), ("3.00", "3.00", "+0.0 %"), ("0.01", "0.02", "+100.0 %"),
        ("0.00", "1.00", "+0.0 %"), ("x", "1.00", "+0.0 %"), ("0.01", "9999999999999.99", "+0.0 %"),
    ])
    func `Changes are rounded to a tenth, whatever the text`(old: String, new: String, text: String) {
        #expect(Figures.change(old, new) == text)
    }
}

struct ProgressBarTests {
    @Test
    func `A file gets a line each tenth, and none twice`() {
        var bar = ProgressBar(isInteractive: false)
        let lines = (0...1000).compactMap { bar.show(done: $0, total: 1000, "orders") }
        #expect(lines.count == 11)
        #expect(lines.last == "100 %  1000 of 1000 orders\n")
        #expect(bar.end() == "")
    }

    @Test
    func `A person gets a bar that redraws itself`() {
        var bar = ProgressBar(isInteractive: true)
        #expect(bar.end() == "")
        let text = bar.show(done: 5, total: 10, "orders")
        #expect(text?.hasPrefix("\r" + String(repeating: "█", count: 20) + "░") == true)
        #expect(bar.show(done: 5, total: 10, "orders") == nil)
        #expect(bar.end() == "\n")
    }

    @Test
    func `Nonsense from the daemon draws no nonsense`() {
        var bar = ProgressBar(isInteractive: false)
        #expect(bar.show(done: -5, total: 10, "") == "0 %  -5 of 10 \n")
        #expect(bar.show(done: .max, total: 1, "")?.hasPrefix("100 %") == true)
        #expect(bar.show(done: 0, total: 0, "") == nil)
    }
}
