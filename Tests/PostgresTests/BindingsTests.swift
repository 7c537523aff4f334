import Testing

@testable import Postgres

struct BindingsTests {
    private func strings(_ bindings: [Binding]) throws -> [String?] {
        let list = try CStrings(bindings, statement: "s")
        return unsafe list.withPointers { pointers in
            (0..<list.count).map { index in unsafe pointers?[index].map { text in unsafe String(cString: text) } }
        }
    }

    @Test
    func `Each kind has PostgreSQL's text form`() throws {
        let bindings: [Binding] = [
            nil, "a", 42, true, false, .json(Array(#"{"a":1}"#.utf8)), .int(.min), .intArray([1, -2]), .text(""),
            .intArray([]),
        ]
        #expect(
            try strings(bindings) == [
                nil, "a", "42", "t", "f", #"{"a":1}"#, "-9223372036854775808", "{1,-2}", "", "{}",
            ]
        )
        #expect(try strings([.int(ifPresent: nil), .text(ifPresent: "x")]) == [nil, "x"])
    }

    @Test
    func `Array elements are quoted, so no text can be a brace, a comma, a quote or null`() throws {
        #expect(
            try strings([.textArray(["a", #"b"c\d"#, "{x,y}", "NULL", ""])]) == [#"{"a","b\"c\\d","{x,y}","NULL",""}"#]
        )
        #expect(try strings([.optionalTextArray([nil, "NULL"])]) == [#"{NULL,"NULL"}"#])
        #expect(try strings([.textArray([])]) == ["{}"])
    }

    @Test
    func `A NUL byte is refused, since it would cut the parameter short`() {
        for binding in [Binding.text("a\0b"), .json([0x7B, 0]), .textArray(["x", "\0"])] {
            let error = #expect(throws: PostgresError.self) { try CStrings(["ok", binding], statement: "put") }
            #expect(error?.kind == .binding)
            #expect(error?.statement == "put")
            #expect(error?.message.contains("$2") == true)
        }
    }

    @Test
    func `Identifiers are quoted`() {
        #expect(quoted(#"a"b"#) == #""a""b""#)
    }
}
