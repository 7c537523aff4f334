import Glibc
import JSON
import JSONRPC
import Testing

@testable import pricing_repl

struct ReplRenderingTests {
    private let list: JSONObject = [
        "items": [
            ["productId": 1, "title": "Lamp", "price": "5.00", "supplier": ["name": "Acme"]],
            ["productId": 22, "title": "Stühle 日本", "price": "120.50", "supplier": nil, "active": true],
        ],
        "nextCursor": "abc",
    ]

    @Test func `a list without elements is not told to people, and keeps its column for programs`() {
        let result: JSONObject = ["items": [["price": "1.00"]], "missing": []]
        #expect(!ResultRenderer(format: .table, width: 80).render(result).contains("missing"))
        #expect(ResultRenderer(format: .table, width: 80).render(["missing": [7]]) == "missing | 7\n")
        #expect(ResultRenderer(format: .csv).render(["a": 1, "missing": []]) == "a,missing\n1,\n")
    }

    @Test func `tables align numbers and flatten objects`() {
        let text = ResultRenderer(format: .table, width: nil).render(list)
        #expect(
            text == """
                productId | title       | price  | supplier.name | active
                ----------+-------------+--------+---------------+-------
                        1 | Lamp        |   5.00 | Acme          |
                       22 | Stühle 日本 | 120.50 |               | true
                (2 rows; more with cursor=abc)

                """
        )
    }

    @Test(arguments: [20, 40, 60, 80])
    func `tables fit the terminal`(_ width: Int) {
        let lines = ResultRenderer(format: .table, width: width).render(list).split(separator: "\n").dropLast()
        #expect(lines.allSatisfy { DisplayText.width(String($0)) <= width })
        #expect(lines.contains { $0.contains("22") })
    }

    @Test func `expanded shows one field a line`() {
        let text = ResultRenderer(format: .table, expansion: .auto, width: 30).render(list)
        #expect(text.contains("-[ 2 ]-"))
        #expect(text.contains("title         | Stühle 日本\n"))
        let single = ResultRenderer(format: .table, width: 80).render(["orderId": 7, "total": "9.00"])
        #expect(single == "orderId | 7\ntotal   | 9.00\n")
        #expect(ResultRenderer(format: .table, width: 80).render([:]) == "ok\n")
        let long: JSONObject = ["reason": "below the floor of 99999.00 until monday"]
        let rows = ["reason | below the floor of", "       |   99999.00 until", "       |   monday"]
        #expect(ResultRenderer(format: .table, width: 30).render(long) == rows.joined(separator: "\n") + "\n")
    }

    @Test func `inner lists become tables of their own`() {
        let order: JSONObject = ["orderId": 7, "lines": [["productId": 1, "quantity": 2]], "priceChanges": []]
        let text = ResultRenderer(format: .table, width: 80).render(order)
        #expect(text.contains("orderId | 7\n"))
        #expect(text.contains("lines:\nproductId | quantity"))
        #expect(text.contains("(1 row)"))
    }

    @Test func `reports are tables`() {
        let report: JSONObject = ["columns": ["name", "n"], "rows": [["a", 1], ["b"]]]
        #expect(ResultRenderer(format: .csv, width: nil).render(report) == "name,n\na,1\nb,\n")
        #expect(
            ResultRenderer(format: .jsonl, width: nil).render(report)
                == "{\"name\":\"a\",\"n\":1}\n{\"name\":\"b\"}\n"
        )
    }

    @Test func `row formats`() {
        let rows: JSONObject = ["items": [["a": "x,\"y\"", "b": "1|2\t3\n"]]]
        #expect(ResultRenderer(format: .csv, width: nil).render(rows) == "a,b\n\"x,\"\"y\"\"\",\"1|2\t3\n\"\n")
        #expect(ResultRenderer(format: .tsv, width: nil).render(rows) == "a\tb\nx,\"y\"\t1|2\\t3\\n\n")
        #expect(
            ResultRenderer(format: .md, width: nil).render(rows)
                == "| a | b |\n| --- | --- |\n| x,\"y\" | 1\\|2\\t3\\n |\n"
        )
        #expect(ResultRenderer(format: .json, width: nil).render(["a": 1, "b": "x"]) == "{\"a\":1,\"b\":\"x\"}\n")
        #expect(ResultRenderer(format: .json, width: 80).render(["a": [1]]) == "{\n  \"a\": [\n    1\n  ]\n}\n")
    }

    @Test func `stored text cannot move the cursor`() {
        let text = ResultRenderer(format: .table, width: 80).render(["title": "a\u{1B}[2Jb\u{202E}\nc"])
        #expect(text == "title | a\\x1b[2Jb\\x202e\n      | c\n")
    }

    @Test func `errors are one line with details`() {
        let error = RPCError(
            code: 201,
            reason: "INSUFFICIENT_STOCK",
            message: "There is not enough stock.",
            data: ["productId": 1, "requested": 5, "available": 2]
        )
        #expect(
            CallFailure.refused(error).line
                == "error 201 INSUFFICIENT_STOCK: There is not enough stock. (productId=1, requested=5, available=2)"
        )
        let invalid = RPCError.invalidParams("Bad.", violations: [["path": "/lines", "message": "is missing"]])
        #expect(CallFailure.refused(invalid).line == "error -32602 INVALID_PARAMS: Bad. (/lines: is missing)")
        let once = RPCError.invalidParams(
            "/lines: is missing.",
            violations: [["path": "/lines", "message": "is missing"], ["path": "/x", "message": "is unknown"]]
        )
        #expect(CallFailure.refused(once).line == "error -32602 INVALID_PARAMS: /lines: is missing. (/x: is unknown)")
        #expect(CallFailure.refused(.cancelled).status == .cancelled)
        #expect(CallFailure.disconnected("x").status == .noConnection)
    }

    @Test func `events are one line`() {
        let event: JSONObject = [
            "subscription": "s", "sequence": 42, "topic": "price", "op": "update", "key": 7,
            "before": ["price": "523.60"], "after": ["price": "540.00", "stock": 3, "title": "Lamp"],
            "cause": ["kind": "order", "orderId": 9],
        ]
        #expect(
            EventText.line(method: "events.event", parameters: event)
                == "[42] price update productId=7 \"Lamp\": price 523.60 → 540.00, stock 3 (order orderId=9)"
        )
    }

    @Test func `an event's line names what it is about, whatever else it has`() {
        func line(_ topic: String, _ op: String, _ before: JSONValue, _ after: JSONValue) -> String {
            let event: JSONObject = [
                "sequence": 1, "topic": .string(topic), "op": .string(op), "key": 7, "before": before, "after": after,
            ]
            return EventText.line(method: "events.event", parameters: event)
        }
        #expect(
            line("catalogue", "update", ["ruleId": 1], ["productId": 7, "ruleId": 2])
                == "[1] catalogue update productId=7: ruleId 1 → 2"
        )
        #expect(
            line("catalogue", "insert", nil, ["ruleId": 7, "name": "bold"])
                == "[1] catalogue insert ruleId=7: name bold"
        )
        #expect(
            line("catalogue", "delete", ["categoryId": 7, "name": "Pets"], nil)
                == "[1] catalogue delete categoryId=7: name Pets"
        )
        #expect(
            line("automation", "overdue", nil, ["expectationId": 7, "productId": 3, "sku": "A", "title": "Mug"])
                == "[1] automation overdue expectationId=7 \"Mug\" A: productId 3"
        )
    }

    @Test func `texts are kept in order, and of answers and prompts the newest`() {
        let announcements = Announcements()
        for name in ["old", "new"] {
            announcements.put(.completion(line: name, answer: Completer.Answer(word: "")))
            announcements.put(.prompt(name))
            announcements.put(.text(name))
        }
        let items = announcements.removeAll().map { item in
            switch item {
            case .text(let text): "text \(text)"
            case .prompt(let text): "prompt \(text)"
            case .completion(let line, _): "completion \(line)"
            }
        }
        #expect(items == ["text old", "text new", "prompt new", "completion new"])
        #expect(announcements.removeAll().isEmpty)
    }

    @Test func `csv runs no formula and keeps inner tables`() {
        let rows: JSONObject = [
            "items": [
                ["a": "=1+1", "b": "+49 30", "c": "-cmd", "d": "@x", "e": "\tx", "f": "-5.00", "g": -3, "h": "a=b"]
            ]
        ]
        #expect(
            ResultRenderer(format: .csv, width: nil).render(rows)
                == "a,b,c,d,e,f,g,h\n'=1+1,'+49 30,'-cmd,'@x,'\tx,-5.00,-3,a=b\n"
        )
        let order: JSONObject = ["orderId": 7, "lines": [["productId": 1, "note": "a"]], "priceChanges": []]
        let text = ResultRenderer(format: .csv, width: nil).render(order)
        #expect(text == "orderId,priceChanges,lines\n7,,\"[{\"\"productId\"\":1,\"\"note\"\":\"\"a\"\"}]\"\n")
    }

    @Test(arguments: ["\u{FEFF}a\nb", "a\nb", "\u{FEFF}a\r\n\u{FEFF}b"])
    func `a byte order mark is no text`(_ text: String) throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(ends[1], $0.baseAddress, $0.count) }
        close(ends[1])
        var reader = LineReader(descriptor: ends[0])
        #expect(reader.next() == "a")
        #expect(reader.next()?.hasSuffix("b") == true)
        close(ends[0])
    }

    @Test func `raw messages are answered unless they notify`() {
        #expect(RawExchange(line: #"{"jsonrpc":"2.0","id":1,"method":"a"}"#).expectsReply)
        #expect(!RawExchange(line: #"{"jsonrpc":"2.0","method":"a"}"#).expectsReply)
        #expect(RawExchange(line: "{broken").expectsReply)
        #expect(RawExchange(line: "[]").expectsReply)
        #expect(RawExchange.isError(#"{"jsonrpc":"2.0","id":1,"error":{}}"#))
        #expect(!RawExchange.isError(#"{"jsonrpc":"2.0","id":1,"result":{}}"#))
    }
}
