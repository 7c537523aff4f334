import JSONRPC
import Testing

struct LineHeadTests {
    private func head(_ line: String) -> LineHead? { LineHead(Array(line.utf8)[...]) }

    @Test(
        arguments: [
            (#"{"jsonrpc":"2.0","id":7,"method":"order.place","params":{"a":1}}"#, 7),
            (#"{"jsonrpc": "2.0", "id": 0, "method": "order.place", "params": {"_me": "ta"}}"#, 0),
            (#"{"jsonrpc":"2.0","id":"a b","method":"order.place","params":{}}"#, "a b"),
            (#"{"jsonrpc":"2.0","id":999999999999999,"method":"order.place","params":"#, 999_999_999_999_999),
        ] as [(String, RequestID)]
    )
    func `Id and method stand at the beginning of most lines`(line: String, id: RequestID) {
        #expect(head(line)?.id == id)
        #expect(head(line)?.method == "order.place")
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":7,"method":"order.place","params":{"_meta":{"timeoutMs":5}}}"#,
        #"{"jsonrpc":"2.0","id":7,"method":"order.place","params":{"__meta":{}}}"#,
        #"{"jsonrpc":"2.0","id":7,"method":"order.place"}"#, #"{"jsonrpc":"2.0","method":"order.place","params":{}}"#,
        #"{"jsonrpc":"2.0","id":07,"method":"order.place","params":{}}"#,
        #"{"jsonrpc":"2.0","id":-7,"method":"order.place","params":{}}"#,
        #"{"jsonrpc":"2.0","id":1.5,"method":"order.place","params":{}}"#,
        #"{"jsonrpc":"2.0","id":null,"method":"order.place","params":{}}"#,
        #"{"jsonrpc":"2.0","id":9999999999999999,"method":"order.place","params":{}}"#,
        #"{"jsonrpc":"2.0","id":"\u0041","method":"order.place","params":{}}"#,
        #"{"jsonrpc":"2.0","id":"ä","method":"order.place","params":{}}"#,
        #"{"jsonrpc":"1.0","id":7,"method":"order.place","params":{}}"#,
        #"[{"jsonrpc":"2.0","id":7,"method":"order.place","params":{}}]"#, #"{"jsonrpc":"2.0","id":7,"method":"ord"#,
        "",
    ])
    func `Any other line has to be parsed`(line: String) {
        #expect(head(line) == nil)
    }

    @Test func `An id over its limit has to be refused by the parser`() {
        var limits = TransportLimits()
        limits.idBytes = 2
        for id in ["123", "\"abc\""] {
            let line = Array("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"m\",\"params\":{}}".utf8)
            #expect(LineHead(line[...]) != nil)
            #expect(LineHead(line[...], limits: limits) == nil)
        }
    }
}
