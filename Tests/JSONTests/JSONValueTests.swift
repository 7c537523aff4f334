import PricingTestSupport
import Testing

@testable import JSON

struct JSONValueTests {
    @Test func `writes compact text in order`() {
        let value: JSONValue = [
            "b": [1, true, nil, "x/y"], "a": .decimal("1.50"), "c": ["n": -7], "e": [], "f": [:],
        ]
        #expect(value.description == #"{"b":[1,true,null,"x/y"],"a":1.50,"c":{"n":-7},"e":[],"f":{}}"#)
    }

    @Test func `escapes what has to be escaped`() {
        let value = JSONValue.string("\"\\/\u{8}\u{9}\u{A}\u{C}\u{D}\u{0}\u{1F}\u{7F}é𝄞")
        #expect(value.description == #""\"\\/\b\t\n\f\r\u0000\u001f\u007fé𝄞""#)
    }

    @Test(arguments: [Int64.min, -10, -1, 0, 1, 9, 10, 99, .max])
    func `writes integers`(_ number: Int64) {
        #expect(JSONValue.integer(number).description == String(number))
    }

    @Test func `objects are equal in any order`() {
        let left: JSONObject = ["a": 1, "b": ["x": 1, "y": 2]]
        #expect(left == ["b": ["y": 2, "x": 1], "a": 1])
        #expect(left != ["a": 1, "b": ["x": 1, "y": 3]])
        #expect(left != ["a": 1])
        #expect(left != ["a": 1, "c": ["x": 1, "y": 2]])
    }

    @Test func `objects keep their order when edited`() {
        var object: JSONObject = ["a": 1, "b": 2, "c": 3]
        object["b"] = 20
        object["d"] = 4
        object["a"] = nil
        object["nothing"] = nil
        #expect(object.keys == ["b", "c", "d"])
        #expect(object["b"] == 20)
        #expect(object.removing("c").keys == ["b", "d"])
        #expect(object.count == 3)
        #expect(object.map(\.key) == object.keys)
    }

    @Test func `accessors answer only for their own kind`() {
        let value: JSONValue = ["s": "x", "i": 7, "b": true, "a": [1], "n": nil]
        #expect(value["s"]?.string == "x")
        #expect(value["i"]?.integer == 7)
        #expect(value["b"]?.bool == true)
        #expect(value["a"]?.array == [1])
        #expect(value["n"]?.isNull == true)
        #expect(value["s"]?.integer == nil)
        #expect(value["i"]?["x"] == nil)
        #expect(value["missing"] == nil)
    }

    @Test(arguments: [
        ("{\"a\": 1}", "{\"a\":1}"), (" [ 1 ,\n 2 ] ", "[1,2]"),
        ("{\"a b\" : \"c  d\\\" e\" }", "{\"a b\":\"c  d\\\" e\"}"),
        ("{\"x\": \"\\\\\" , \"y\" :\t2}\r\n", "{\"x\":\"\\\\\",\"y\":2}"), ("{}", "{}"), ("", ""),
    ])
    func `compacts the text of PostgreSQL`(_ text: String, _ compact: String) {
        #expect(JSONText(compacting: Array(text.utf8)).bytes == Array(compact.utf8))
    }

    @Test func `compacting keeps the value of each accepted text`() throws {
        for text in HostileJSON.accepted {
            let bytes = Array(text.utf8)
            #expect(try JSONParser.parse(JSONText(compacting: bytes).bytes) == JSONParser.parse(bytes))
        }
    }
}
