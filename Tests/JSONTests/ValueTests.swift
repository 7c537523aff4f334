import JSON
import Testing

struct ValueTests {
    @Test(
        arguments: [
            ("0", 0), ("0.01", 1), ("0.1", 10), ("1", 100), ("1.5", 150), ("1.50", 150), ("007.05", 705), ("-0", 0),
            ("-0.05", -5), ("-1.5", -150), ("523.60", 52360), ("9999999999.99", 999_999_999_999),
            ("999999999999.99", 99_999_999_999_999),
        ] as [(String, Int64)]
    )
    func `An amount of money is digits and at most two decimals, exact`(text: String, amount: Int64) {
        #expect(hundredths(text) == amount)
    }

    @Test(arguments: [
        "", "-", ".", ".5", "5.", "1.234", "1,5", "1.5.0", "+1", "--1", "1e3", "0x10", " 1", "1 ", "1 000", "1_000",
        "NaN", "Infinity", "１", "٣", "1.٣", "1.-5", "-.5", "1234567890123", "99999999999999999999999", "1\u{0}",
        "½",
    ])
    func `Anything else is no amount`(text: String) {
        #expect(hundredths(text) == nil)
    }

    @Test(arguments: [
        ("2031-01-31T12:00:00Z", true), ("2031-01-31t12:00:00z", true), ("2031-01-31T12:00:00.000Z", true),
        ("2031-01-31T12:00:00.123456789Z", true), ("2031-01-31T12:00:00+05:30", true),
        ("2031-01-31T12:00:00-11:00", true), ("2028-02-29T00:00:00Z", true), ("2000-02-29T00:00:00Z", true),
        ("2031-02-29T00:00:00Z", false), ("2100-02-29T00:00:00Z", false), ("2031-04-31T00:00:00Z", false),
        ("2031-13-01T00:00:00Z", false), ("2031-00-01T00:00:00Z", false), ("2031-01-00T00:00:00Z", false),
        ("2031-01-01T24:00:00Z", false), ("2031-01-01T00:60:00Z", false), ("2031-01-01T00:00:60Z", false),
        ("2031-01-01T00:00:00", false), ("2031-01-01 00:00:00Z", false), ("2031-01-01", false), ("", false),
        ("2031-01-01T00:00:00.Z", false), ("2031-01-01T00:00:00.1234567890Z", false),
        ("2031-01-01T00:00:00+0530", false), ("2031-01-01T00:00:00+24:00", false),
        ("2031-01-01T00:00:00+05:60", false), ("2031-01-01T00:00:00Zx", false), ("0000-01-01T00:00:00Z", false),
        ("2031-01-01T00:00:00 02:00", false), ("20310101T000000Z", false), ("infinity", false), ("now", false),
        ("２031-01-01T00:00:00Z", false),
    ])
    func `A time is RFC 3339 with an offset and exists`(text: String, isTime: Bool) {
        #expect(rules(.string(text), .time) == (isTime ? [] : ["format"]))
    }

    @Test(arguments: [
        "\u{0}", "\u{1}", "\u{7}", "\n", "\r", "\t", "\u{1B}", "\u{1F}", "\u{7F}", "\u{80}", "\u{85}", "\u{9F}",
        "\u{202A}", "\u{202B}", "\u{202C}", "\u{202D}", "\u{202E}", "\u{2066}", "\u{2067}", "\u{2068}", "\u{2069}",
    ])
    func `A name holds neither control nor bidirectional override characters`(character: String) {
        for text in [character, "a\(character)b", "ab\(character)", "\(character)ab"] {
            #expect(rules(.string(text), .name(1...200)).contains("characters"))
        }
        #expect(rules(.string("a\(character)b"), .text(1...200)) == (character == "\u{0}" ? ["characters"] : []))
    }

    @Test
    func `A name may be in any script, and its length counts code points`() {
        for text in ["Müller & Söhne", "שלום", "نمط", "寿司", "👩‍👩‍👧", "e\u{301}", "a\u{200D}b", "Ω\u{10FFFF}"] {
            #expect(rules(.string(text), .name(1...200)) == [])
        }
        #expect(rules(.string(String(repeating: "😀", count: 200)), .name(1...200)) == [])
        #expect(rules(.string(String(repeating: "😀", count: 201)), .name(1...200)) == ["length"])
        #expect(rules(.string(String(repeating: "e\u{301}", count: 101)), .name(1...200)) == ["length"])
        #expect(rules(.string(""), .name(1...200)) == ["length"])
    }

    @Test func `what surrounds a name is not counted, and what shows nothing is no name`() {
        for blank in [" ", "\u{A0}", "\u{3000}", "\u{200B}", "\u{FEFF}", "\u{AD}", "\u{2060}", "\u{FE0F}", "\u{E007F}"]
        {
            #expect(rules(.string(blank + blank), .name(1...200)) == ["length"])
            #expect((blank + "Kahve" + " ").trimmedName == "Kahve")
            #expect(rules(.string(blank + String(repeating: "x", count: 200) + " "), .name(1...200)) == [])
        }
        for whole in ["❤\u{FE0F}", "a b", "\u{600}1", "🏴\u{E0067}\u{E007F}"] { #expect(whole.trimmedName == whole) }
    }

    @Test func `a length in bytes is exact where the text is plain, and left to the database where it may compose`() {
        for (text, fits) in [
            (String(repeating: "x", count: 7), false), (String(repeating: "x", count: 8), true),
            (String(repeating: "x", count: 72), true), (String(repeating: "x", count: 73), false),
            (String(repeating: "s\u{327}", count: 36), true),
        ] {
            #expect(rules(.string(text), .bytes(8...72)) == (fits ? [] : ["length"]), "\(text)")
        }
    }

    @Test
    func `Numbers are exact or refused, and never strings`() {
        let ids = Schema.integer(1...9_007_199_254_740_992)
        for text in ["1.0", "1e2", "-0", "1.5", "18446744073709551617", "1E400", "true", "null", "\"1\"", "[1]", "{}"] {
            #expect(rules(parsed(text), ids) == ["type"], "\(text)")
        }
        #expect(rules(parsed("9007199254740993"), ids) == ["maximum"])
        let share = Schema.number(0...1)
        for (text, rule) in [
            ("0", nil), ("1", nil), ("0.5", nil), ("1e-3", nil), ("1.0000001", "maximum"),
            ("-0.1", "minimum"), ("1e400", "maximum"), ("-1e400", "minimum"),
        ] as [(String, String?)] {
            #expect(rules(parsed(text), share) == (rule.map { [$0] } ?? []), "\(text)")
        }
    }

    private func parsed(_ text: String) -> JSONValue {
        (try? JSONParser.parse(Array(text.utf8))) ?? .string("not JSON: \(text)")
    }

    private func rules(_ value: JSONValue, _ schema: Schema) -> [String] {
        var validator = SchemaValidator()
        validator.check(value, schema)
        return validator.violations.map(\.rule)
    }
}
