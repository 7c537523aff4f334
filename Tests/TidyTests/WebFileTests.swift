import Testing

/// What browsers load is carried in the binary.
struct WebFileTests {
    @Test
    func `The C file carries every file of the pages, under its own name`() throws {
        let c = try #require(House.text("Sources/CWebPages/CWebPages.c"))
        let names = House.files.filter { $0.isIn("Sources/CWebPages") }.map { String($0.path.split(separator: "/")[2]) }
            .filter { $0 != "include" && $0 != "CWebPages.c" }
        #expect(names.count >= 5)
        for name in names {
            let bytes = "file_" + name.replacing(".", with: "_")
            #expect(
                c.contains("\(bytes)[] = {\n#embed \"\(name)\"\n};") && c.contains("FILE(\"\(name)\", \(bytes))"),
                "\(name)"
            )
        }
        #expect(c.matches(of: /#embed/).count == names.count)
    }
}
