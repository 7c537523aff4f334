import Glibc
import JSON
import PricingTestSupport
import Testing

@testable import JSONRPC

/// Mutates sound lines and checks what must hold of any bytes. The seed is fixed: a minute of one busy core, and ten million
/// lines with `PRICINGD_LONG=1`.
@Suite struct FuzzTests {
    private static let seeds: [String] =
        HostileJSON.accepted + [
            #"{"jsonrpc":"2.0","id":1,"method":"price.get","params":{"productIds":[1,2,3],"_meta":{"timeoutMs":5}}}"#,
            #"{"jsonrpc":"2.0","id":"é\u0041","method":"a","params":{"x":-1.5e3}}"#,
            #"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"}]"#,
            #"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"x","data":{"reason":"CANCELLED"}}}"#,
        ]

    private var rounds: Int {
        unsafe getenv("PRICINGD_LONG") == nil ? 300_000 : 10_000_000
    }

    private func mutated(_ text: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = text
        for _ in 0..<random.below(4) + 1 {
            let place = random.below(bytes.count + 1)
            switch random.below(6) {
            case 0: bytes.insert(UInt8(random.below(256)), at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2 where place < bytes.count: bytes[place] ^= UInt8(1 << random.below(8))
            case 3: bytes.insert(contentsOf: bytes[random.below(bytes.count + 1)...].prefix(8), at: place)
            case 4: bytes.removeSubrange(place...)
            default: bytes.insert(Array("{}[]\",:\\u0ed8\n\r".utf8)[random.below(15)], at: place)
            }
        }
        return bytes
    }

    @Test func `what is accepted survives a round trip, and nothing crashes`() throws {
        var random = SplitMix(state: 0x5EED)
        var accepted = 0
        for _ in 0..<rounds {
            let text = mutated(Array(FuzzTests.seeds[random.below(FuzzTests.seeds.count)].utf8), &random)
            do throws(JSONSyntaxError) {
                let value = try JSONParser.parse(text)
                accepted += 1
                #expect(try JSONParser.parse(value.serialized()) == value)
                #expect(try JSONParser.parse(JSONText(compacting: text).bytes) == value)
            } catch {
                #expect(error.byteOffset >= 0 && error.byteOffset <= text.count)
            }
            switch Message(line: text) {
            case .malformed(let id, let error):
                let line = Envelope.error(id, error)
                #expect(Message(line: line) == .response(Message.Response(id: id, outcome: .error(error))))
            case .request(let request):
                let line = Envelope.request(request.id, request.method, request.params)
                #expect(Message(line: line) == .request(request))
            default: break
            }
        }
        #expect(accepted > rounds / 100)
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
        var random = SplitMix(state: 0xCAFE)
        var violated = 0
        for _ in 0..<rounds {
            let text = mutated(Array(FuzzTests.fitting[random.below(FuzzTests.fitting.count)].utf8), &random)
            guard let value = try? JSONParser.parse(text) else { continue }
            var validator = SchemaValidator()
            validator.check(value, .object(FuzzTests.shape))
            for violation in validator.violations {
                violated += 1
                let isThere = value.holds(violation.path)
                #expect(isThere == (violation.rule != "required"), "\(violation) of \(value)")
            }
        }
        #expect(violated > rounds / 100)
    }

    @Test func `framing does not depend on how the bytes come`() {
        var random = SplitMix(state: 0xF00D)
        for _ in 0..<rounds / 20 {
            var text: [UInt8] = []
            for _ in 0..<random.below(6) {
                let seed = Array(FuzzTests.seeds[random.below(FuzzTests.seeds.count)].utf8)
                text += mutated(seed, &random) + [0x0A]
            }
            var whole = LineFramer(limit: 40)
            var parts = LineFramer(limit: 40)
            var expected: [LineFramer.Item] = []
            var seen: [LineFramer.Item] = []
            whole.feed(text)
            while let item = whole.next() { expected.append(item) }
            if let item = whole.finish() { expected.append(item) }
            var rest = text[...]
            while !rest.isEmpty {
                let count = random.below(9) + 1
                parts.feed(rest.prefix(count))
                rest = rest.dropFirst(count)
                while let item = parts.next() { seen.append(item) }
            }
            if let item = parts.finish() { seen.append(item) }
            #expect(seen == expected)
        }
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

/// A small seeded generator.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(max(bound, 1)))
    }
}
