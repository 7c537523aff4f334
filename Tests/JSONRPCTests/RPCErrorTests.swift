import JSON
import RPCTransport
import Testing

@testable import JSONRPC

struct RPCErrorTests {
    private static let all: [(RPCError, Int, String, Bool)] = [
        (.parseError(JSONSyntaxError(kind: .syntax, byteOffset: 3)), -32700, "PARSE_ERROR", false),
        (.invalidRequest("x"), -32600, "INVALID_REQUEST", false),
        (.duplicateID(7), -32600, "DUPLICATE_ID", false),
        (.methodNotFound("a.b", didYouMean: ["a.c"]), -32601, "METHOD_NOT_FOUND", false),
        (.positionalNotSupported, -32602, "POSITIONAL_NOT_SUPPORTED", false),
        (.invalidParams("x"), -32602, "INVALID_PARAMS", false),
        (.internalError(incidentID: "i"), -32603, "INTERNAL", false),
        (.cancelled, -32001, "CANCELLED", false),
        (.messageTooLarge(.batch, value: 1, actual: 2), -32003, "MESSAGE_TOO_LARGE", false),
        (.resourceExhausted(which: "connections", value: 1, retryAfterMs: 5), -32005, "RESOURCE_EXHAUSTED", true),
        (.shuttingDown, -32006, "SHUTTING_DOWN", true),
        (.permissionDenied(needRole: "viewer", haveRole: nil), -32007, "PERMISSION_DENIED", false),
    ]

    @Test(arguments: all)
    func `code, reason and a round trip`(_ error: RPCError, _ code: Int, _ reason: String, _ retryable: Bool) {
        #expect(error.code == code)
        #expect(error.json["data"]?["reason"] == .string(reason))
        #expect(error.json["data"]?["retryable"] == .bool(retryable))
        #expect(error.json["message"]?.string?.isEmpty == false)
        #expect(RPCError(json: error.json) == error)
    }

    @Test func `data cannot overwrite the fixed members`() {
        let error = RPCError(code: 1, reason: "A", message: "m", data: ["reason": "B", "retryable": "no", "x": 1])
        #expect(error.json["data"] == ["reason": "A", "retryable": false, "x": 1])
    }

    @Test func `reads what other servers send`() {
        #expect(RPCError(json: ["code": 5])?.reason == "UNKNOWN")
        #expect(RPCError(json: ["code": 5, "message": "m", "data": [1]])?.data == [:])
        #expect(RPCError(json: ["message": "m"]) == nil)
    }

    @Test(arguments: TransportLimit.allCases)
    func `a limit is set, told and met under its one name`(_ limit: TransportLimit) {
        var limits = TransportLimits()
        let isSet = limits.set(limit.rawValue, to: 7)
        #expect(isSet)
        #expect(limits[limit] == 7)
        #expect(limits.asJSON[limit.rawValue] == 7)
        #expect(RPCError.resourceExhausted(limit, limits, retryAfterMs: 1).data["which"] == .string(limit.rawValue))
        #expect(RPCError.messageTooLarge(limit, value: 7, actual: 8).data["limit"] == .string(limit.rawValue))
    }

    @Test func `the limits have their names`() {
        let limits = TransportLimits.defaults.asJSON
        #expect(limits["requestLineBytes"] == 1_048_576)
        #expect(limits["responseLineBytes"] == 16_777_216)
        #expect(limits["nesting"] == 64)
        #expect(limits["idBytes"] == 128)
        #expect(limits["batch"] == 100)
        #expect(limits["inFlightPerConnection"] == 1024)
        #expect(limits["connections"] == 512)
        #expect(limits["connectionsPerUser"] == 64)
        #expect(limits["waitingCalls"] == 4096)
    }
}
