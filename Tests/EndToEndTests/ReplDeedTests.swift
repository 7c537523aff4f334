import JSON
import Testing

@testable import pricing_repl

struct ReplDeedTests {
    /// Friday 2026-11-27 20:00 in a zone an hour ahead of UTC.
    private let times = HumanTime(zone: .fixed(hours: 1), now: { 1_795_806_000 })

    private func deed(_ text: String) throws -> Deed {
        let language = CommandLanguage(catalogue: ReplSamples.catalogue, times: times)
        guard case .deed(let deed) = try language.parse(text) else { throw SyntaxError.malformed("no deed: \(text)") }
        return deed
    }

    private func call(_ text: String) throws -> String {
        let deed = try deed(text)
        let things = deed.slots.enumerated().map {
            Named(kind: $0.element.reference.kinds[0], id: Int64($0.offset + 1))
        }
        let call = deed.call(things)
        return "\(call.method) \(JSONValue.object(call.parameters))"
    }

    @Test(arguments: [
        (
            "find yoga mat in kitchen low under 20",
            #"product.list {"limit":500,"maxPrice":"20","search":"yoga mat","categoryId":1}"#
        ),
        ("show order 3019", #"order.get {"orderId":1}"#), ("show rule bands/2", #"rule.get {"ruleId":1}"#),
        ("show ada@example.com", #"user.get {"userId":1}"#), ("why yoga mat", #"price.why {"productId":1}"#),
        ("why yoga mat at 3", #"price.preview {"stock":3,"productId":1}"#),
        ("restock yoga mat +20 came in", #"inventory.restock {"quantity":20,"reason":"came in","productId":1}"#),
        ("adjust #18 -3 broken", #"inventory.adjust {"quantity":-3,"reason":"broken","productId":1}"#),
        (
            "sell yoga mat x2, 19 to chloe",
            #"order.place {"lines":[{"quantity":2,"productId":1},{"quantity":1,"productId":2}],"customerId":3}"#
        ),
        (
            "pin 18·Yoga_mat 35 until mon 9:00 fair",
            #"price.pin {"price":"35","until":"2026-11-30T08:00:00Z","reason":"fair","productId":1}"#
        ),
        ("halt kitchen feed wrong", #"pricing.halt {"reason":"feed wrong","categoryId":1}"#),
        ("halt", #"pricing.halt {"scope":"all","reason":"halt at the shell"}"#),
        ("undo change 7", #"price.rollback {"reason":"undone at the shell","priceChangeIds":[7]}"#),
        (
            "undo since yesterday 22:00",
            #"price.rollback {"reason":"undone at the shell","all":true,"to":"2026-11-26T21:00:00Z"}"#
        ),
        ("who rule bands", #"rule.list {"ruleId":1}"#),
        ("tail orders", #"events.subscribe {"topics":["order"]}"#),
    ])
    func `a deed is a call`(_ text: String, _ expected: String) throws {
        #expect(try call(text) == expected)
    }

    @Test func `what is named`() throws {
        func what(_ text: String) throws -> Reference.What? { try deed("why " + text).slots.first?.reference.what }
        #expect(try what("18") == .number(18))
        #expect(try what("#18") == .number(18))
        #expect(try what("18·Yoga_mat") == .number(18))
        #expect(try what("%2") == .row(2))
        #expect(try what(".") == .last)
        #expect(try what("yoga mat") == .text("yoga mat"))
        #expect(try what("\"14 inch\"") == .text("14 inch"))
        #expect(try deed("show order 7").slots[0].reference.kinds == [.order])
        #expect(try deed("halt kitchen x").slots[0].reference.kinds == [.category, .product])
    }

    @Test(arguments: [
        ("restock 18 +0", 11..<13), ("pin 18 cheap", 7..<12), ("expect 18 +4 on never", 16..<21),
        ("why 18 at none", 10..<14), ("show 18 19", 8..<10), ("sell to chloe", 5..<7), ("why at 3", 4..<6),
        ("undo since never", 11..<16), ("restock 18 \"20\"", 11..<15), ("try \\q", nil),
    ])
    func `a deed that cannot be read says where`(_ text: String, _ place: Range<Int>?) {
        #expect { try deed(text) } throws: {
            guard let error = $0 as? SyntaxError, case .malformed = error else { return false }
            return error.place == place
        }
    }

    /// Each word that a deed needs, left out.
    @Test(arguments: [
        ("show", "PRODUCT or user NAME or order N or rule NAME or cat NAME"), ("why", "PRODUCT"),
        ("why 18 at", "STOCK"), ("history", "PRODUCT"), ("history 18 since", "WHEN"), ("plot", "PRODUCT"),
        ("plot 18 stock since", "WHEN"), ("restock", "PRODUCT"), ("restock 18", "+N"), ("restock yoga mat", "+N"),
        ("adjust", "PRODUCT"), ("adjust 18", "+N or -N"), ("expect", "PRODUCT"), ("expect 18", "+N"),
        ("expect 18 +4", "on WHEN"), ("expect 18 +4 on", "WHEN"), ("sell", "PRODUCT"), ("sell 18 x2", "to USER"),
        ("sell 18,", "PRODUCT"), ("sell yoga mat", "to USER"), ("sell 18 x2 to", "USER"), ("pin", "PRODUCT"),
        ("pin 18", "PRICE"), ("pin 18 35 until", "WHEN"), ("unpin", "PRODUCT"),
        ("halt kitchen", "REASON"), ("resume", "CATEGORY or PRODUCT"), ("undo", "PRODUCT or since WHEN"),
        ("undo since", "WHEN"), ("undo 18 since", "WHEN"), ("undo change", "N of a price change"),
        ("rule", "RULE"), ("rule bands", "PARAMETER=VALUE"), ("who", "PRODUCT or rule NAME"),
        ("who rule", "RULE"), ("find cat", "CATEGORY"), ("find lamp under", "PRICE"), ("find over", "PRICE"),
        ("watch", "price, stock, orders, PRODUCT or COMMAND"), ("watch price under", "PRICE"), ("try", "COMMAND"),
        ("try pin 18", "PRICE"),
    ])
    func `a word that is missing is named, with an example`(_ text: String, _ what: String) {
        for text in [text, text + "  "] {
            #expect {
                let language = CommandLanguage(catalogue: ReplSamples.catalogue, times: times)
                _ = try language.parse(text)
            } throws: {
                guard case .missing(let missing, let example)? = $0 as? SyntaxError else { return false }
                return missing == what && !example.isEmpty
            }
        }
    }

    @Test func `what is missing is marked behind the end`() {
        let shown = Caret.text("pin 18  ", at: .max ..< .max, width: 80, palette: .plain)
        #expect(shown == "  pin 18 \n         ^")
    }

    @Test func `each word's examples can be read`() throws {
        for word in DeedWord.allCases where word != .watch {
            for example in word.example.split(separator: " · ") { _ = try deed(String(example)) }
        }
    }

    @Test func `trying`() throws {
        let language = CommandLanguage(catalogue: ReplSamples.catalogue, times: times)
        #expect(try deed("try restock 18 +2").isAttempt)
        #expect(try deed("restock 18 +2 ?").isAttempt)
        let tried = Command.attempt(method: "product.get", parameters: ["productId": 1])
        #expect(try language.parse("try product.get productId=1") == tried)
        #expect(try language.parse("product.get productId=1 ?") == tried)
    }

    @Test(arguments: [
        ("2h", HumanTime.Direction.future, "2026-11-27 22:00"), ("2h", .past, "2026-11-27 18:00"),
        ("22:00", .future, "2026-11-27 22:00"), ("22:00", .past, "2026-11-26 22:00"),
        ("yesterday", .past, "2026-11-26 00:00"), ("tomorrow 9:30", .future, "2026-11-28 09:30"),
        ("sunday", .future, "2026-11-29 00:00"), ("sunday", .past, "2026-11-22 00:00"),
        ("fri", .future, "2026-12-04 00:00"), ("fri", .past, "2026-11-27 00:00"),
        ("2026-11-30 09:00", .future, "2026-11-30 09:00"), ("january", .past, "2026-01-01 00:00"),
        ("december", .past, "2025-12-01 00:00"), ("2026-11-27T19:00:00Z", .past, "2026-11-27 20:00"),
    ])
    func `times as people say them`(_ text: String, _ direction: HumanTime.Direction, _ wall: String) throws {
        let moment = try #require(times.moment(text, direction))
        #expect(WallTime(moment, in: times.zone).text == wall)
    }

    @Test(arguments: ["", "never", "25:00", "2026-02-30", "9", "2026-11-30 9:0", "-2h", "a b c"])
    func `what is no time`(_ text: String) { #expect(times.moment(text, .future) == nil) }

    @Test func `an effect is shown, the largest move first, and no number is cut`() {
        let meta: JSONObject = [
            "digest": "d",
            "wouldChange": [
                "stock": [],
                "prices": [
                    ["productId": 1, "sku": nil, "old": "100.00", "new": "101.00"],
                    ["productId": 2, "sku": "B", "old": "1234567.80", "new": "617283.90"],
                ],
                "events": [["topic": "price", "key": 1, "after": ["title": "A lamp with a very long name indeed"]]],
                "guards": [],
            ],
        ]
        let text = EffectView(meta).text(width: 50, palette: .plain)
        #expect(
            text == """
                would move 2 prices
                #  title                price now       then
                2  B                   1234567.80  617283.90  ▼50%
                1  A lamp with a ver…      100.00     101.00   ▲1%

                """
        )
        #expect(EffectView([:]).text(width: 50, palette: .plain) == "would move no price and no stock\n")
    }

    @Test func `a sparkline and a change`() {
        #expect(Sparkline.text([1, 1, 2, 8]) == "▁▁▂█")
        #expect(Sparkline.text([5, 5]) == "▁▁")
        #expect(Sparkline.text((0..<300).map(Double.init)).count == 30)
        #expect(Amount("35.20")?.change(from: Amount(cents: 3200)) == "▲10%")
        #expect(Amount("0.99")?.change(from: Amount(cents: 109)) == "▼9.2%")
        #expect(Amount("1.234") == nil)
    }

    @Test func `colours are asked for, refused or left to the terminal`() {
        func isOn(_ choice: Palette.Choice, _ terminal: Bool, _ names: [String: String] = [:]) -> Bool {
            Palette(choice, isTerminal: terminal) { names[$0] }.isOn
        }
        #expect(isOn(.auto, true) && !isOn(.auto, false) && isOn(.always, false) && !isOn(.never, true))
        #expect(!isOn(.auto, true, ["NO_COLOR": "1"]) && isOn(.always, true, ["NO_COLOR": "1"]))
        #expect(isOn(.auto, false, ["CLICOLOR_FORCE": "1"]) && !isOn(.auto, true, ["TERM": "dumb"]))
    }

    @Test func `the mark stands under what is wrong`() {
        let line = "pin 18 cheap until sunday"
        #expect(Caret.text(line, at: 7..<12, width: 80, palette: .plain) == "  \(line)\n         ^^^^^")
        let cut = Caret.text(String(repeating: "日", count: 40) + " bad", at: 41..<44, width: 30, palette: .plain)
        #expect(cut.split(separator: "\n").allSatisfy { DisplayText.width(String($0)) <= 30 })
    }
}
