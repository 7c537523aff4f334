import JSON
import Testing

@testable import pricing_repl

struct ReplTokenTests {
    private let language = CommandLanguage(catalogue: ReplSamples.catalogue)
    private let completer = Completer(catalogue: ReplSamples.catalogue)

    @Test(arguments: [
        ("price.get productIds=[1, 2,]", #"{"productIds":[1,2]}"#),
        (
            "order.place {customerId: 1, lines: [{productId: 2, 'quantity': 3}]}  # by hand",
            #"{"customerId":1,"lines":[{"productId":2,"quantity":3}]}"#
        ),
        ("product.list search='a # b' # c", #"{"search":"a # b"}"#),
        ("order.place lines=[{quantity: 1 # one\n}]", #"{"lines":[{"quantity":1}]}"#),
    ])
    func `JSON may be relaxed, and a comment says nothing`(_ text: String, _ json: String) throws {
        guard case .call(_, let parameters) = try language.parse(text) else { return #expect(Bool(false)) }
        #expect(JSONValue.object(parameters).description == json)
    }

    @Test func `every value has its place`() {
        let places = CommandLexer.places(in: "order.place customerId=1 lines=[{productId: 22}]")
        #expect(places["/customerId"] == 23..<24)
        #expect(places["/lines/0/productId"] == 44..<46)
        #expect(ViolationText.place(of: "/lines/0/quantity", in: places) == 32..<47)
        #expect(ViolationText.place(of: "/other", in: places) == nil)
    }

    @Test func `what is allowed is said`() {
        let unknown: JSONObject = ["path": "/serch", "rule": "unknown", "expected": ["search", "sort"]]
        #expect(ViolationText.advice(unknown, schema: nil) == "did you mean search?")
        let choice: JSONObject = ["path": "/sort", "rule": "choice", "expected": ["title", "price"]]
        #expect(ViolationText.advice(choice, schema: nil) == "allowed: title, price")
        let limit = Schema(["type": "integer", "minimum": 1, "maximum": 500], components: [:])
        let wrong: JSONObject = ["path": "/limit", "rule": "maximum"]
        #expect(ViolationText.advice(wrong, schema: limit) == "allowed: 1…500")
    }

    @Test func `a question mark at the end asks what would be`() throws {
        func isAttempt(_ text: String) throws -> Bool {
            guard case .deed(let deed) = try language.parse(text) else { return false }
            return deed.isAttempt
        }
        #expect(try isAttempt("restock 18 +20 ?") && isAttempt("restock 18 +20?") && isAttempt("try restock 18 +20"))
        #expect(try !isAttempt("restock 18 +20") && !isAttempt("halt kitchen why?"))
    }

    @Test func `a word that is nothing is near another`() {
        #expect { try language.parse("restok 18 +2") } throws: {
            "\($0)" == "there is no 'restok'; did you mean restock?"
        }
    }

    @Test func `completion works inside JSON and quotes`() {
        func labels(_ text: String) -> [String] { completer.answer(for: text).candidates.map(\.label) }
        #expect(labels("order.place lines=[{") == ["productId", "quantity", "maxUnitPrice"])
        #expect(labels("order.place lines=[{productId: 1, q") == ["quantity"])
        #expect(labels("order.place {cust") == ["customerId"])
        #expect(completer.answer(for: "product.list sort=\"t").candidates.map(\.text) == ["\"title\" "])
        let live = completer.answer(for: "order.place lines=[{productId: 1").live
        #expect(live == [.init(method: "product.get", parameter: "productId", prefix: "1")])
        #expect(completer.answer(for: "sell 18 to ").live.first?.parameter == "userId")
        #expect(completer.hint(for: "restock ") == "PRODUCT +N [REASON]")
    }

    @Test func `a reference that was completed reads as its id`() {
        let reply: JSONObject = ["values": [["value": 18, "label": "Yoga mat, KI-1"]]]
        #expect(LiveValues.references(in: reply).map(\.text) == ["18·Yoga_mat "])
    }
}
