import JSON
import Testing

@testable import JSONRPC

struct MessageTests {
    private struct Failure {
        let id: RequestID?
        let error: RPCError
    }

    private func read(_ text: String, limits: TransportLimits = .defaults) -> Message {
        Message(line: Array(text.utf8), limits: limits)
    }

    private func failure(_ text: String, limits: TransportLimits = .defaults) -> Failure? {
        guard case .malformed(let id, let error) = read(text, limits: limits) else { return nil }
        return Failure(id: id, error: error)
    }

    private func request(_ id: RequestID, _ method: String, _ params: JSONObject = [:]) -> Message {
        .request(Message.Request(id: id, method: method, params: params))
    }

    @Test func `requests and notifications`() {
        #expect(read(#"{"jsonrpc":"2.0","id":1,"method":"a"}"#) == request(1, "a"))
        #expect(read(#"{"method":"a","params":{"x":[1]},"id":"q","jsonrpc":"2.0"}"#) == request("q", "a", ["x": [1]]))
        #expect(read(#"{"jsonrpc":"2.0","method":"a","params":{}}"#) == .notification(method: "a", params: [:]))
        #expect(
            read(#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"timeoutMs":5}},"more":1}"#)
                == request(1, "a", ["_meta": ["timeoutMs": 5]])
        )
    }

    /// Line, code, reason, recovered id.
    private static let refused: [(String, Int, String, RequestID?)] = [
        ("nonsense", -32700, "PARSE_ERROR", nil),
        (#"{"jsonrpc":"2.0","id":1,"method""#, -32700, "PARSE_ERROR", nil),
        (#"{"jsonrpc":"2.0","id":1,"method":"a",}"#, -32700, "PARSE_ERROR", nil),
        (#"{"jsonrpc":"2.0","id":1,"method":"\uD800"}"#, -32700, "PARSE_ERROR", nil),
        ("\u{FEFF}{}", -32700, "PARSE_ERROR", nil),
        ("1", -32600, "INVALID_REQUEST", nil),
        ("\"text\"", -32600, "INVALID_REQUEST", nil),
        ("{}", -32600, "INVALID_REQUEST", nil),
        ("[]", -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":1.0,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":1e2,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":-0,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":true,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":[1],"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":9007199254740993,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":-9007199254740993,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":18446744073709551617,"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":2.0,"id":1,"method":"a"}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"id":"x","method":"a"}"#, -32600, "INVALID_REQUEST", "x"),
        (#"{"method":"a"}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":1}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":null}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#, -32602, "POSITIONAL_NOT_SUPPORTED", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","params":[1,2]}"#, -32602, "POSITIONAL_NOT_SUPPORTED", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","params":null}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","params":"x"}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":"2.0","method":"a","params":1}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":1,"x":2}}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","method":"a"}"#, -32600, "INVALID_REQUEST", 1),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","id":2}"#, -32600, "INVALID_REQUEST", nil),
        (#"{"jsonrpc":"2.0","params":{"id":7,"id":8},"id" : "y" ,"method":"a"}"#, -32600, "INVALID_REQUEST", "y"),
        (#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}"#, -32600, "INVALID_REQUEST", 1),
    ]

    @Test(arguments: refused)
    func `refuses what is no request, with its id`(_ text: String, _ code: Int, _ reason: String, _ id: RequestID?)
        throws
    {
        let found = try #require(failure(text))
        #expect(found.error.code == code)
        #expect(found.error.reason == reason)
        #expect(found.id == id)
        #expect(found.error.retryable == false)
    }

    @Test func `broken UTF-8 is a parse error at its byte`() throws {
        guard case .malformed(nil, let error) = Message(line: [0x7B, 0x22, 0xFF, 0x22, 0x7D]) else {
            Issue.record("was read")
            return
        }
        #expect(error.code == -32700)
        #expect(error.data["byteOffset"] == 2)
    }

    @Test func `positional parameters of a notification are not answered`() {
        #expect(read(#"{"jsonrpc":"2.0","method":"a","params":[1]}"#) == .ignored)
    }

    @Test func `ids`() throws {
        #expect(read(#"{"jsonrpc":"2.0","id":9007199254740992,"method":"a"}"#) == request(9_007_199_254_740_992, "a"))
        #expect(read(#"{"jsonrpc":"2.0","id":-9007199254740992,"method":"a"}"#) == request(-9_007_199_254_740_992, "a"))
        #expect(read(#"{"jsonrpc":"2.0","id":"","method":"a"}"#) == request("", "a"))
        #expect(RequestID.integer(1) != RequestID.string("1"))
        let fits = String(repeating: "x", count: 128)
        #expect(read(#"{"jsonrpc":"2.0","id":"\#(fits)","method":"a"}"#) == request(.string(fits), "a"))
        let found = try #require(failure(#"{"jsonrpc":"2.0","id":"\#(fits)x","method":"a"}"#))
        #expect(found.id == nil)
        #expect(found.error.code == -32003)
        #expect(found.error.data == ["limit": "idBytes", "value": 128, "actual": 129])
    }

    @Test func `too deep names the limit and keeps the id`() throws {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        let found = try #require(failure(#"{"jsonrpc":"2.0","params":{"x":\#(deep)},"method":"a","id":5}"#))
        #expect(found.id == 5)
        #expect(found.error.code == -32003)
        #expect(found.error.data == ["limit": "nesting", "value": 64, "actual": 65])
        let hostile = #"{"jsonrpc":"2.0","id":3,"method":"a","params":"# + String(repeating: "[", count: 100_000)
        guard case .malformed(3, let error) = read(hostile) else {
            Issue.record("was read")
            return
        }
        #expect(error.reason == "MESSAGE_TOO_LARGE")
    }

    @Test func `batches`() throws {
        let good = #"{"jsonrpc":"2.0","id":1,"method":"a"}"#
        #expect(read("[\(good)]") == .batch([request(1, "a")]))
        guard case .batch(let messages) = read("[1,\(good),[],{\"jsonrpc\":\"2.0\",\"method\":\"n\"}]") else {
            Issue.record("no batch")
            return
        }
        #expect(messages.count == 4)
        #expect(messages[1] == request(1, "a"))
        #expect(messages[3] == .notification(method: "n", params: [:]))
        for place in [0, 2] {
            guard case .malformed(nil, let error) = messages[place] else {
                Issue.record("element \(place) was read")
                continue
            }
            #expect(error.code == -32600)
        }
        let hundred = "[" + Array(repeating: good, count: 100).joined(separator: ",") + "]"
        guard case .batch = read(hundred) else {
            Issue.record("100 are allowed")
            return
        }
        let found = try #require(failure("[" + Array(repeating: good, count: 101).joined(separator: ",") + "]"))
        #expect(found.error.code == -32003)
        #expect(found.error.data == ["limit": "batch", "value": 100, "actual": 101])
    }

    @Test func `replies`() {
        #expect(
            read(#"{"jsonrpc":"2.0","id":1,"result":{"a":1}}"#)
                == .response(Message.Response(id: 1, body: .result(["a": 1])))
        )
        let error = RPCError.duplicateID("x")
        let line = String(decoding: Envelope.error(nil, error), as: UTF8.self)
        #expect(read(line) == .response(Message.Response(id: nil, body: .error(error))))
    }

    /// The examples of the JSON-RPC 2.0 specification, with what this dialect answers: parameters go by name.
    @Test func `the specification's examples`() throws {
        #expect(
            read(#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#)
                == request(3, "subtract", ["subtrahend": 23, "minuend": 42])
        )
        #expect(
            failure(#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#)?.error
                == .positionalNotSupported
        )
        #expect(read(#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#) == .ignored)
        #expect(read(#"{"jsonrpc": "2.0", "method": "foobar"}"#) == .notification(method: "foobar", params: [:]))
        #expect(failure(#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#)?.error.code == -32700)
        #expect(failure(#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#)?.error.code == -32600)
        #expect(
            failure(
                #"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]"#
            )?
            .error.code == -32700
        )
        #expect(failure("[]")?.error.code == -32600)
        guard case .batch(let messages) = read("[1,2,3]") else {
            Issue.record("no batch")
            return
        }
        #expect(messages.count == 3)
    }
}
