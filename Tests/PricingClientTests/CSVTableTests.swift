import PricingClient
import Testing

struct CSVTableTests {
    @Test func `a quoted field holds commas, line ends and quotation marks`() throws {
        let table = try CSVTable("\u{FEFF}a,b\r\n\n1,\"x, \"\"y\"\"\nz\"\r\n2,\n")
        #expect(table.columns == ["a", "b"])
        #expect(table.headerLine == 1)
        #expect(table.rows.map(\.fields) == [["a": "1", "b": "x, \"y\"\nz"], ["a": "2", "b": ""]])
        #expect(table.rows.map(\.line) == [3, 5])
    }

    @Test(arguments: [
        ("", 1, "there is no header"), ("a,b\n\n1\n", 3, "1 fields under 2 columns"),
        ("a,b\n1,\"2\n", 2, "a quotation mark is never closed"),
    ])
    func `what is wrong is said with its line`(text: String, line: Int, problem: String) {
        #expect(throws: CSVTable.Malformed(line: line, problem: problem)) { try CSVTable(text) }
    }
}
