import PricingTestSupport
import Testing

@testable import JSON

struct JSONParserTests {
    private func parse(_ text: String, nesting: Int = 64) throws(JSONSyntaxError) -> JSONValue {
        try JSONParser.parse(Array(text.utf8), nesting: nesting)
    }

    private func kind(_ bytes: [UInt8], nesting: Int = 64) -> JSONSyntaxError.Kind? {
        do {
            _ = try JSONParser.parse(bytes, nesting: nesting)
            return nil
        } catch {
            return error.kind
        }
    }

    private func kind(_ text: String, nesting: Int = 64) -> JSONSyntaxError.Kind? {
        kind(Array(text.utf8), nesting: nesting)
    }

    @Test(arguments: HostileJSON.accepted)
    func `accepts, and writes what it reads back the same`(_ text: String) throws {
        let value = try parse(text)
        let written = value.serialized()
        #expect(try JSONParser.parse(written) == value)
        #expect(!written.contains(UInt8(ascii: "\n")))
    }

    @Test(arguments: HostileJSON.refused)
    func `refuses`(_ text: String) {
        #expect(kind(text) != nil)
    }

    @Test(arguments: HostileJSON.invalidUTF8)
    func `refuses bytes that are no UTF-8`(_ bytes: [UInt8]) {
        #expect(kind(Array("[\"".utf8) + bytes + Array("\"]".utf8)) == .invalidUTF8)
        #expect(kind(bytes) == .invalidUTF8)
    }

    @Test func `names the fault`() {
        #expect(kind("[\"\\uD800\"]") == .loneSurrogate)
        #expect(kind("{\"a\":1,\"b\":2,\"a\":3}") == .duplicateKey("a"))
        #expect(kind("[[[1]]]", nesting: 2) == .tooDeep(limit: 2))
        #expect(kind("[[1]]", nesting: 2) == nil)
        #expect(kind("nope") == .syntax)
    }

    @Test(arguments: [
        ("[1,]", 3), ("{\"a\":01}", 6), ("", 0), ("[1] x", 4), ("[\"ab\\q\"]", 5), ("{\"a\":1,\"a\":2}", 7),
    ])
    func `tells the byte`(_ text: String, _ offset: Int) {
        #expect {
            try parse(text)
        } throws: { ($0 as? JSONSyntaxError)?.byteOffset == offset }
    }

    @Test func `keeps numbers exact`() throws {
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9223372036854775808") == .decimal("9223372036854775808"))
        #expect(try parse("-9223372036854775809") == .decimal("-9223372036854775809"))
        #expect(try parse("18446744073709551616") == .decimal("18446744073709551616"))
        #expect(try parse("523.60") == .decimal("523.60"))
        #expect(try parse("1e2") == .decimal("1e2"))
        #expect(try parse("-0") == .decimal("-0"))
        #expect(try parse("0") == .integer(0))
        #expect(
            try parse("1" + String(repeating: "0", count: 400)) == .decimal("1" + String(repeating: "0", count: 400))
        )
    }

    @Test func `decodes escapes`() throws {
        #expect(try parse("\"\\u0041\\n\\/\\uD834\\uDD1E\\u0000\"") == .string("A\n/\u{1D11E}\u{0}"))
        #expect(try parse("\"caf\\u00e9 ok\"") == .string("café ok"))
        #expect(try parse("[\"\\u0000\"]").containsNUL)
        #expect(try parse("{\"\\u0000\":1}").containsNUL)
        #expect(try !parse("[\"a\",{\"b\":1}]").containsNUL)
    }

    @Test func `keys are bytes, not characters`() throws {
        let value = try parse("{\"e\u{301}\":1,\"\u{e9}\":2}")
        #expect(value["e\u{301}"] == 1)
        #expect(value["\u{e9}"] == 2)
    }

    @Test(arguments: ["[", "{\"a\":", "[{\"a\":"])
    func `hostile depth neither crashes nor passes`(_ opening: String) {
        let text = Array(String(repeating: opening, count: 100_000).utf8)
        #expect(kind(text) == .tooDeep(limit: 64))
        #expect(kind(text, nesting: .max) == .tooDeep(limit: JSONParser.deepestNesting))
        #expect(kind(text, nesting: .min) == .tooDeep(limit: 1))
    }

    @Test func `the deepest nesting allowed is parsed`() throws {
        let depth = JSONParser.deepestNesting
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(try parse(text, nesting: depth).array?.count == 1)
    }

    @Test func `many keys stay linear, and the duplicate among them is found`() throws {
        let members = (0..<50_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(try parse("{\(members)}").object?.count == 50_000)
        #expect(kind("{\(members),\"k25000\":1}") == .duplicateKey("k25000"))
    }
}
