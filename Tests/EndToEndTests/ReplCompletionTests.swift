import JSON
import Testing

@testable import pricing_repl

struct ReplCompletionTests {
    private let completer = Completer(catalogue: ReplSamples.catalogue)

    private func labels(_ text: String) -> [String] { completer.answer(for: text).candidates.map(\.label) }

    @Test func `methods then parameters then values`() {
        #expect(labels("prod") == ["product.get", "product.list"])
        #expect(Completer.commonText(of: completer.answer(for: "prod")) == "product.")
        #expect(Completer.commonText(of: completer.answer(for: "product.g")) == "product.get ")
        #expect(labels("product.list ") == ["search=", "active=", "sort=", "minPrice="])
        #expect(labels("product.list sort=title s") == ["search="])
        #expect(labels("product.list sort=") == ["title", "price"])
        #expect(labels("product.list active=t") == ["true"])
        #expect(labels("product.get ") == ["productId=*"])
        #expect(labels("nothing.here ").isEmpty)
    }

    @Test func `live values are asked of the server`() {
        let answer = completer.answer(for: "product.get productId=1")
        #expect(answer.live == [.init(method: "product.get", parameter: "productId", prefix: "1")])
        #expect(answer.word == "1")
        let reply: JSONObject = ["values": [["value": 12, "label": "Lamp"], ["value": "two words", "label": "x"]]]
        let found = LiveValues.candidates(in: reply, word: "")
        #expect(found.map(\.text) == ["12 ", "'two words' "])
        #expect(found.map(\.label) == ["12  Lamp", "two words  x"])
    }

    @Test func `backslash commands and their words`() {
        #expect(labels("\\f") == ["\\format"])
        #expect(labels("\\format j") == ["json", "jsonl"])
        #expect(labels("\\x ") == ["on", "off", "auto"])
        #expect(labels("\\watch 2 product.l") == ["product.list"])
        #expect(labels("help pri") == ["price.get"])
    }

    @Test func `hints name what is missing`() {
        #expect(completer.hint(for: "product.get ") == "productId=<integer>")
        #expect(
            completer.hint(for: "order.place customerId=1 ") == "lines=<object[]> [shippingAddress=]"
        )
        #expect(completer.hint(for: "product.get productId=1 ") == nil)
        #expect(completer.hint(for: "product.get productI") == nil)
        #expect(completer.hint(for: "nothing.here ") == nil)
    }

    @Test func `help explains a method`() throws {
        let help = HelpText(catalogue: ReplSamples.catalogue)
        let text = try #require(help.topic("order.place"))
        #expect(text.contains("order.place  (operator)"))
        #expect(text.contains("lines=object[]"))
        #expect(text.contains("required."))
        #expect(help.topic("nope") == nil)
        #expect(help.methods(matching: "PRICE").contains("price.get"))
        #expect(help.methods(matching: "zzz").isEmpty)
    }

    @Test(arguments: [60, 80, 200])
    func `help is broken between words`(_ columns: Int) {
        let help = HelpText(catalogue: ReplSamples.catalogue, width: columns)
        var texts = [help.overview, help.methods(matching: "")]
        texts += DeedWord.allCases.compactMap { help.topic($0.rawValue) }
        for line in texts.joined().split(separator: "\n") where !line.hasPrefix("noun.verb") {
            #expect(DisplayText.width(String(line)) <= columns)
        }
    }

    @Test func `a description that refers to itself ends`() {
        let document: JSONObject = [
            "components": ["schemas": ["A": ["$ref": "#/components/schemas/A"]]],
            "methods": [
                ["name": "a.b", "params": [["name": "x", "schema": ["$ref": "#/components/schemas/A"]]]]
            ],
        ]
        let schema = MethodCatalogue(document: document).schema(method: "a.b", path: ["x"])
        #expect(schema?.shape == "any")
    }
}
