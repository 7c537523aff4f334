import PricingClient
import PricingTestSupport
import Testing

@testable import JSON

/// Mutates sound texts and checks what must hold of any bytes. The seeds are fixed.
struct FuzzTests {
    @Test func `what is accepted survives a round trip, and nothing crashes`() throws {
        var random = SplitMix64(seed: 0x5EED)
        var accepted = 0
        for _ in 0..<Mutation.rounds {
            let text = Mutation.of(HostileJSON.accepted, &random)
            do throws(JSONSyntaxError) {
                let value = try JSONParser.parse(text)
                accepted += 1
                #expect(try JSONParser.parse(value.serialized()) == value)
                #expect(try JSONParser.parse(JSONText(compacting: text).bytes) == value)
            } catch {
                #expect(error.byteOffset >= 0 && error.byteOffset <= text.count)
            }
        }
        #expect(accepted > Mutation.rounds / 100)
    }

    /// A shape with a member of every kind of schema.
    private static let shape = ObjectShape([
        Field("any", .any, ""), Field("flag", .boolean, "").optional, Field("count", .integer(0...9), "").optional,
        Field("share", .number(0...1), "").optional, Field("price", .money(minimumHundredths: 1), "").optional,
        Field("text", .text(1...4), "").optional, Field("name", .name(1...4), "").nullable.optional,
        Field("at", .time, "").optional, Field("sort", .choice(["a", "-a"]), "").optional,
        Field("ids", .list(.integer(1...9), 1...3), "").optional,
        Field("inner", .object(ObjectShape([Field("x", .boolean, "")])), "").optional,
    ])

    private static let fitting: [String] = [
        #"{"any":null,"flag":true,"count":3,"share":0.5,"price":"12.50","text":"abc"}"#,
        #"{"any":[1],"name":null,"at":"2031-01-31T12:00:00.000Z","sort":"-a","ids":[1,2],"inner":{"x":false}}"#,
        #"{"any":{},"at":"2031-02-28T23:59:59.123456+05:30","price":"0.01","ids":[9],"name":"ab~/"}"#,
    ]

    @Test func `a violation points at what is there, or at what is missing`() throws {
        var random = SplitMix64(seed: 0xCAFE)
        var violated = 0
        for _ in 0..<Mutation.rounds {
            let text = Mutation.of(FuzzTests.fitting, &random)
            guard let value = try? JSONParser.parse(text) else { continue }
            var validator = SchemaValidator()
            validator.check(value, .object(FuzzTests.shape))
            for violation in validator.violations {
                violated += 1
                let isThere = value.holds(violation.path)
                #expect(isThere == (violation.rule != "required"), "\(violation) of \(value)")
            }
        }
        #expect(violated > Mutation.rounds / 100)
    }
}

extension JSONValue {
    /// Whether a JSON Pointer leads to a value in this one.
    fileprivate func holds(_ pointer: String) -> Bool {
        var value = self
        for part in pointer.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            let key = String(decoding: part, as: UTF8.self).unescaped
            let index = Int(key).flatMap { place in value.array?.indices.contains(place) == true ? place : nil }
            guard let next = value.array.flatMap({ array in index.map { array[$0] } }) ?? value.object?[key]
            else {
                return false
            }
            value = next
        }
        return true
    }
}

extension String {
    /// A part of a JSON Pointer as the key that it names.
    fileprivate var unescaped: String {
        var out: [UInt8] = []
        var isEscaped = false
        for byte in utf8 {
            if isEscaped {
                out.append(byte == UInt8(ascii: "1") ? UInt8(ascii: "/") : UInt8(ascii: "~"))
                isEscaped = false
            } else if byte == UInt8(ascii: "~") {
                isEscaped = true
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
