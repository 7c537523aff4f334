import JSON
import PricingClient
import PricingTestSupport
import Testing

@testable import JSONRPC

/// Mutates sound lines and checks what must hold of any bytes. The seeds are fixed.
struct FuzzTests {
    private static let seeds: [String] =
        HostileJSON.accepted + [
            #"{"jsonrpc":"2.0","id":1,"method":"price.get","params":{"productIds":[1,2,3],"_meta":{"timeoutMs":5}}}"#,
            #"{"jsonrpc":"2.0","id":"é\u0041","method":"a","params":{"x":-1.5e3}}"#,
            #"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"}]"#,
            #"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"x","data":{"reason":"CANCELLED"}}}"#,
        ]

    @Test func `every line is a message or an error, and survives a round trip`() {
        var random = SplitMix64(seed: 0x5EED)
        for _ in 0..<Mutation.rounds {
            let line = Mutation.of(FuzzTests.seeds, &random)
            switch Message(line: line) {
            case .malformed(let id, let error):
                let line = Envelope.error(id, error)
                #expect(Message(line: line) == .response(Message.Response(id: id, body: .error(error))))
            case .request(let request):
                let line = Envelope.request(request.id, request.method, request.params)
                #expect(Message(line: line) == .request(request))
            default: break
            }
        }
    }

    @Test func `framing does not depend on how the bytes come`() {
        var random = SplitMix64(seed: 0xF00D)
        for _ in 0..<Mutation.rounds / 20 {
            var text: [UInt8] = []
            for _ in 0..<random.below(6) {
                text += Mutation.of(FuzzTests.seeds, &random) + [0x0A]
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
