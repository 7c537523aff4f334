import Foundation
import JSON
import PricingTestSupport
import Testing

@testable import pricing_repl

/// What a script is made of: redirections, variables, rows, watches, code; and the history's file.
struct ReplScriptTests {
    @Test(arguments: [
        ("order.list > x.csv", "order.list ", Redirection.Target.file("x.csv")),
        ("order.list >'a b.csv'", "order.list ", .file("a b.csv")),
        ("order.list | tsv", "order.list ", .format(.tsv)),
        (#"a.b x="c > d" y={"z": "| json"} > f"#, #"a.b x="c > d" y={"z": "| json"} "#, .file("f")),
        (#"a.b x="\" > d""#, #"a.b x="\" > d""#, nil), ("a.b x=1>2", "a.b x=1>2", nil),
        (#"{"a": 1} > x"#, #"{"a": 1} > x"#, nil),
    ])
    func `a command's end says where its result goes`(_ text: String, _ command: String, _ target: Redirection.Target?)
        throws
    {
        #expect(try Redirection.split(text) == Redirection(command: command, target: target))
    }

    @Test func `a redirection to nothing is an error`() {
        #expect(throws: SyntaxError.self) { try Redirection.split("a.b > ") }
        #expect(throws: SyntaxError.self) { try Redirection.split("a.b | xml") }
        #expect(Redirection.format(ofFile: "/a.b/c.CSV") == .csv)
        #expect(Redirection.format(ofFile: "/a.b/c") == nil)
        #expect(Redirection.format(ofFile: ".csv") == nil)
    }

    @Test func `variables stand for texts`() throws {
        var variables = Variables()
        try variables.set("mat", to: "18")
        #expect(try variables.filled("price.why productId=${mat} $x ${") == "price.why productId=18 $x ${")
        #expect(throws: SyntaxError.self) { try variables.filled("${other}") }
        #expect(throws: SyntaxError.self) { try variables.set("a b", to: "") }
        #expect(variables.listing == "mat=18\n")
    }

    @Test func `rows of several pages stand under one header`() throws {
        let item = Schema(
            [
                "properties": [
                    "id": ["type": "integer"], "note": [:], "rule": ["properties": ["name": ["type": "string"]]],
                ]
            ],
            components: [:]
        )
        var writer = RowWriter(format: .csv, item: item)
        #expect(writer.text(of: [["id": 1, "rule": ["name": "a"]]]) == "id,note,rule.name\n1,,a\n")
        #expect(writer.text(of: [["id": 2, "note": ["deep": 1]]]) == "2,\"{\"\"deep\"\":1}\",\n")
        #expect(writer.rows == 2)
        var undescribed = RowWriter(format: .tsv, item: nil)
        #expect(undescribed.text(of: [["a": 1]]) == "a\n1\n")
        #expect(undescribed.text(of: [["a": 2, "b": 3]]) == "2\n")
        #expect(undescribed.leftOut == ["b"])
        var json = RowWriter(format: .json, item: nil)
        let text = json.text(of: [["a": 1]]) + json.text(of: [["a": 2]]) + json.text(of: []) + json.end
        #expect(try JSONParser.parse(Array(text.utf8)) == ["items": [["a": 1], ["a": 2]]])
        var table = RowWriter(format: .md, item: nil)
        #expect(table.text(of: [["a": 1]]) + table.text(of: [["a": 2]]) == "| a |\n| ---: |\n| 1 |\n| 2 |\n")
    }

    @Test(arguments: [
        ("2 a.b x=1", 2.0, "a.b x=1"), ("a.b", 2, "a.b"), ("a.b x=1 every 500ms", 0.5, "a.b x=1"),
        ("a.b every 1m until total>=3", 60, "a.b"), ("a.b until x.0.y!=c", 2, "a.b"),
    ])
    func `a watch says how often`(_ text: String, _ seconds: Double, _ command: String) throws {
        let order = try #require(WatchOrder(text))
        #expect(order.seconds == seconds)
        #expect(order.command == command)
        #expect((order.until != nil) == text.contains("until"))
    }

    @Test(arguments: [
        ("total>=3", true), ("total>3", false), ("total!=3", false), ("items.1.name = b", true), ("gone=x", false),
        ("items.0.price<9.5", true),
    ])
    func `a watch ends when its condition holds`(_ text: String, _ holds: Bool) throws {
        let condition = try #require(WatchOrder.Condition(text))
        let result: JSONObject = ["total": 3, "items": [["price": "9.49"], ["name": "b"]]]
        #expect(condition.holds(of: result) == holds)
        #expect(WatchOrder("0.01 a.b") == nil)
        #expect(WatchOrder("a.b until nonsense") == nil)
    }

    @Test func `a frame replaces the one before and marks what changed`() {
        var frame = WatchFrame()
        func next(_ text: String, _ width: Int = 20, _ height: Int = 24) -> String {
            frame.next("head", at: "20:14:09", .text(text), width: width, height: height)
        }
        let clear = "\u{1B}[K\n"
        #expect(next("18  4") == "head       20:14:09\(clear)18  4\(clear)\u{1B}[J")
        #expect(
            next("18  5") == "\u{1B}[2A\rhead       20:14:09\(clear)18  \u{1B}[7m5\u{1B}[27m\(clear)\u{1B}[J"
        )
        let other = next((1...9).map(String.init).joined(separator: "\n"), 10, 4)
        #expect(other.hasPrefix("\u{1B}[H\u{1B}[J20:14:09\(clear)"))
        #expect(other.hasSuffix("…\u{1B}[27m\(clear)\u{1B}[J") || other.hasSuffix("…\(clear)\u{1B}[J"))
        #expect(other.split(separator: "\n").count == 4)
    }

    @Test func `colours take no room, and a cut text leaves none behind`() {
        let text = "\u{1B}[1mbold\u{1B}[0m and plain"
        #expect(DisplayText.clippedStyled(text, to: 14) == text)
        #expect(DisplayText.clippedStyled(text, to: 13) == "\u{1B}[1mbold\u{1B}[0m and pla…\u{1B}[0m")
    }

    @Test func `a watched cell keeps what it was, and where not all have room what moved comes first`() {
        func table(_ prices: [String]) -> WatchTable {
            .products(
                prices.enumerated().map { index, price in
                    ["productId": .integer(Int64(index + 1)), "title": "Lamp", "price": .string(price), "stock": 7]
                },
                topic: "price",
                rest: ""
            )
        }
        var memory = WatchMemory()
        func lines(_ prices: [String], _ width: Int = 60, _ rows: Int = 9) -> [String] {
            memory.lines(of: table(prices), width: width, rows: rows, palette: .plain, isReversed: true)
        }
        #expect(
            lines(["5.00", "6.00", "7.00"]) == [
                "#  title  price  stock", "1  Lamp    5.00      7", "2  Lamp    6.00      7", "3  Lamp    7.00      7",
            ]
        )
        #expect(lines(["5.00", "6.00", "7.70"])[3] == "3  Lamp    \u{1B}[7m7.70\u{1B}[27m  ◂ 7.00      7")
        #expect(lines(["5.00", "6.00", "7.70"])[3] == "3  Lamp    7.70  ◂ 7.00      7")
        #expect(
            lines(["5.00", "6.00", "7.70"], 60, 2) == [
                "#  title  price          stock", "3  Lamp    7.70  ◂ 7.00      7", "… 2 more",
            ]
        )
        // What has no room goes at the right, and no number is cut.
        #expect(lines(["5.00", "6.00", "7.70"], 24).last == "3  Lamp    7.70  ◂ 7.00")
    }

    @Test func `a call is code in the languages of its callers`() {
        for language in CallCode.allCases {
            let text = language.text(method: "a.b", parameters: ["x": "it's \"1\""], socket: "/s.sock")
            #expect(text.contains("a.b"))
        }
        let shell = CallCode.shell.text(method: "a.b", parameters: ["x": "it's"], socket: "/s")
        #expect(shell == "pricing-repl -c 'a.b {\"x\":\"it'\\''s\"}'\n")
    }

    @Test(arguments: [
        ("product.get productId=1", true), ("user.create password=secret", false),
        (#"user.authenticate {"password": "x"}"#, false), ("user.create Password = x", false), ("", false),
        ("help password", true), (" product.get productId=1", false), (#"a.b {pin: 1}"#, false),
    ])
    func `history keeps no secrets, and nothing behind a space`(_ line: String, _ isKept: Bool) {
        #expect(HistoryFile.keeps(line, secrets: ["password", "pin"]) == isKept)
    }

    @Test func `history stands in the state folder`() {
        #expect(HistoryFile.path { ["XDG_STATE_HOME": "/s", "HOME": "/h"][$0] } == "/s/pricing/history.jsonl")
        #expect(HistoryFile.path { ["HOME": "/h"][$0] } == "/h/.local/state/pricing/history.jsonl")
        #expect(HistoryFile.path { _ in nil } == nil)
    }

    @Test func `two sessions share one history`() throws {
        let folder = try TemporaryFolder()
        var (first, second) = (HistoryFile(path: folder.path + "/a/h"), HistoryFile(path: folder.path + "/a/h"))
        #expect(first.news() == [])
        #expect(first.append("one", at: 1))
        #expect(second.append("two\nlines", at: 2))
        #expect(first.news() == ["one", "two\nlines"])
        #expect(second.append("three", at: 3))
        #expect(first.news() == ["three"])
        #expect(second.news() == ["one", "two\nlines", "three"])
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/a/h")[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }
}
