import Markup
import Testing

/// Figures, times and drawings.
struct WordsTests {
    @Test(arguments: [
        ("0.05", "0.05"), ("523.60", "523.60"), ("1523.60", "1,523.60"), ("-1234567.00", "-1,234,567.00"),
        ("999", "999"),
        ("600.0000", "600.00"), ("600.1250", "600.125"), ("committed", "committed"), ("12345x", "12345x"),
    ])
    func `Money has its thousands apart`(amount: String, words: String) {
        #expect(Words.money(amount) == words)
    }

    @Test(arguments: [(1.005, 2, "1"), (-0.04, 1, "0"), (12.5, 1, "12.5"), (1e300, 2, "0"), (1999.999, 2, "2000")])
    func `A number has no decimals that say nothing`(value: Double, places: Int, text: String) {
        #expect(Decimals.text(value, places) == text)
    }

    @Test(arguments: [
        "1970-01-01T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "2026-11-27T14:03:00.000Z", "2100-03-01T00:00:00.000Z",
    ])
    func `A time is read and written alike`(text: String) throws {
        #expect(try #require(Moment(text)).text == text)
    }

    @Test
    func `A time of day is in words, and a text that is no time is not one`() {
        #expect(Words.time("2026-11-27T14:03:00.000Z").text.contains(">27 Nov 2026, 14:03</time>"))
        #expect(Moment("yesterday") == nil && Moment("2026-11-27 14:03:00.000Z") == nil)
    }

    @Test
    func `A change says its direction`() {
        #expect(Words.change("100.00", "104.20") == "+4.2 %" && Words.change("100.00", "95.00") == "−5.0 %")
        #expect(Words.change(nil, "1.00") == nil && Words.label("bindingGuard") == "Binding guard")
        #expect(Words.label("productId") == "Product" && Words.counted(1, "order") == "1 order")
    }

    @Test
    func `An axis has round ticks inside its range`() {
        let axis = Axis(3...97, from: 190, to: 10)
        #expect(axis.ticks(5) == [20, 40, 60, 80])
        #expect(axis.place(3) == 190 && axis.place(97) == 10)
        #expect(Axis(5...5, from: 0, to: 10).ticks(4).allSatisfy { (4...6).contains($0) })
    }

    @Test
    func `A price that stands still has labels that differ, and its curve is steps`() {
        let flat = Curve("Flat", points: [(0, 27.34), (80, 27.34)], now: (40, 27.34)).html.text
        let labels = flat.matches(of: /text-anchor="end">([0-9.,]+)</).map { String($0.1) }
        #expect(labels.count > 2 && Set(labels).count * 2 == labels.count, "two drawings, each label once in each")
        let steep = Curve("Steep", points: [(0, 12_000), (5, 12_000), (6, 11_000), (9, 11_000)], now: nil).html.text
        #expect(steep.contains(">11,000<") && steep.contains(#/d="M[0-9. ]+H[0-9.]+V[0-9.]+H[0-9.]+"/#))
    }

    @Test
    func `Names of levels stand beside the drawing and apart from each other`() throws {
        let start = try #require(Moment("2026-11-01T00:00:00.000Z"))
        let text = Timeline(
            "Mug",
            prices: [.init(at: start, 10)],
            stocks: [.init(at: start, 200)],
            stockLevels: [.init("low", 4), .init("high", 5)],
            end: try #require(Moment("2026-11-03T00:00:00.000Z"))
        ).html.text
        let names = text.matches(of: /level-name" x="([0-9.]+)" y="([0-9.]+)">/)
        let places = names.prefix(2).compactMap { Double($0.2) }
        #expect(places.count == 2 && places[0] - places[1] >= 11 && Double(names[0].1) == 1168)
    }

    @Test
    func `A timeline steps from price to price, and its reasons are text`() throws {
        let start = try #require(Moment("2026-11-01T00:00:00.000Z"))
        let later = try #require(Moment("2026-11-02T00:00:00.000Z"))
        let text = Timeline(
            "Mug",
            prices: [.init(at: start, 10), .init(at: later, 12, reason: "<sale>")],
            stocks: [.init(at: start, 20)],
            priceLevels: [.init("floor", 8)],
            end: try #require(Moment("2026-11-03T00:00:00.000Z"))
        ).html.text
        #expect(text.contains("&lt;sale&gt;") && !text.contains("<sale>"))
        #expect(text.contains("viewBox=\"0 0 1200 326\"") && text.contains("viewBox=\"0 0 340 326\""))
        #expect(text.matches(of: /class="price" d="M54 [\d.]+L609 ([\d.]+)L609/).count == 1)
    }

    @Test
    func `Shares add up to the whole, and nothing is a sentence`() {
        let shares = Shares("Stock", [.init("A", 3, "3"), .init("B", 1, "1")]).html.text
        #expect(shares.contains("75 %") && shares.contains("25 %"))
        #expect(Shares("Stock", []).html.text.contains("Nothing yet"))
    }
}
