import JSON
import Testing

@testable import pricing_repl

struct ReplLanguageTests {
    private let language = CommandLanguage(catalogue: ReplSamples.catalogue)

    private func parameters(_ text: String) throws -> JSONValue {
        guard case .call(_, let parameters) = try language.parse(text) else {
            throw SyntaxError.malformed("no call: \(text)")
        }
        return .object(parameters)
    }

    @Test(arguments: [
        ("product.get productId=7", #"{"productId":7}"#),
        ("product.list minPrice=12.50", #"{"minPrice":"12.50"}"#),
        ("product.list minPrice=12", #"{"minPrice":"12"}"#),
        ("product.list active=true search=true", #"{"active":true,"search":"true"}"#),
        ("product.list search=null", #"{"search":"null"}"#),
        ("product.list search='it''s [here'", #"{"search":"it's [here"}"#),
        (#"product.list search="a \"b\" é""#, #"{"search":"a \"b\" é"}"#),
        ("price.get productIds=1,2,3", #"{"productIds":[1,2,3]}"#),
        ("price.get productIds=[1, 2]", #"{"productIds":[1,2]}"#),
        ("price.get productIds='[1, 2]'", #"{"productIds":[1,2]}"#),
        ("price.get productIds=4", #"{"productIds":[4]}"#),
        (
            #"order.place customerId=1 lines=[{"productId":1,"maxUnitPrice":12.50}]"#,
            #"{"customerId":1,"lines":[{"productId":1,"maxUnitPrice":"12.50"}]}"#
        ),
        (#"product.list {"minPrice": 3.10, "active": true}"#, #"{"minPrice":"3.10","active":true}"#),
        (
            "order.place _meta.dryRun=true _meta.idempotencyKey=42 customerId=1",
            #"{"_meta":{"dryRun":true,"idempotencyKey":"42"},"customerId":1}"#
        ),
        ("other.method a=1 b=x c=1.50 d=true e=", #"{"a":1,"b":"x","c":"1.50","d":true,"e":""}"#),
        ("product.get productId=abc", #"{"productId":"abc"}"#),
        ("server.status", "{}"),
    ])
    func callsTakeTheTypesOfTheSchema(_ text: String, _ json: String) throws {
        #expect(try parameters(text).description == json)
    }

    @Test(arguments: [
        "product.get 7", "product.get productId=1 productId=2", "product.list search='open",
        "product.list search=\"open", "product.get {\"a\":1} x", "product.get {\"a\":}", "product.get x=[1}",
        "a=1", "\\nope", "\\format xml", "\\watch", "\\watch 0 server.status", "\\watch 1 \\q", "\\timing maybe",
        "\\i", "order.place _meta.=1", "order.place _meta=1 _meta.dryRun=true",
    ])
    func `malformed lines are refused`(_ text: String) {
        #expect {
            try language.parse(text)
        } throws: {
            if case .malformed = $0 as? SyntaxError { true } else { false }
        }
    }

    @Test func `backslash commands`() throws {
        #expect(try language.parse("\\q") == .quit)
        #expect(try language.parse("quit") == .quit)
        #expect(try language.parse("\\?") == .help(topic: nil))
        #expect(try language.parse("help product.get") == .help(topic: "product.get"))
        #expect(try language.parse("\\x") == .expanded(nil))
        #expect(try language.parse("\\x auto") == .expanded(.auto))
        #expect(try language.parse("\\format csv") == .format(.csv))
        #expect(
            try language.parse("\\watch 0.5 product.get productId=1")
                == .watch(WatchOrder(seconds: 0.5, command: "product.get productId=1"))
        )
        #expect(try language.parse("\\timing on") == .timing(true))
        #expect(try language.parse("\\i a file.txt") == .include(path: "a file.txt"))
        #expect(try language.parse("\\connect /run/x.sock") == .connect(path: "/run/x.sock"))
        #expect(try language.parse("\\methods price") == .methods(pattern: "price"))
    }

    @Test func `empty lines comments and messages`() throws {
        #expect(try language.parse("") == .nothing)
        #expect(try language.parse("  # product.get") == .nothing)
        let message = #"{"jsonrpc":"2.0", broken"#
        #expect(try language.parse("  " + message) == .message(message))
    }

    @Test func `open brackets wait for more lines`() {
        var buffer = StatementBuffer()
        #expect(buffer.add("order.place customerId=1 lines=[") == nil)
        #expect(buffer.isOpen)
        #expect(buffer.add(#"{"productId":1,"quantity":2},"#) == nil)
        let whole = buffer.add(#"{"productId":2,"quantity":1}]"#)
        #expect(whole?.split(separator: "\n").count == 3)
        #expect(!buffer.isOpen)
        #expect(buffer.add("product.get productId=1") == "product.get productId=1")
        #expect(buffer.add("price.get productIds=[") == nil)
        #expect(buffer.drop() == "price.get productIds=[")
    }
}
