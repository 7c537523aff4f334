import JSON
import PricingClient
import Testing

struct ProductFileTests {
    private typealias Failure = ProductFile.Failure

    private func read(_ text: String, _ reading: ProductFile.Reading = .init()) throws -> ProductFile {
        try ProductFile(Array(text.utf8), reading)
    }

    private func outcomes(_ file: ProductFile) -> [Result<JSONObject, Failure>] { file.rows.map(\.product) }

    // MARK: Bytes

    @Test func `a byte order mark says the encoding, whatever was asked for`() throws {
        let text = "sku,title\nA,Krug ü€😀\n"
        let little = Array(text.utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let big = Array(text.utf16).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        for bytes in [
            Array(text.utf8), [0xEF, 0xBB, 0xBF] + Array(text.utf8), [0xFF, 0xFE] + little, [0xFE, 0xFF] + big,
        ] {
            #expect(try TextEncoding.text(of: bytes, as: nil) == text)
            #expect(try bytes[0] == UInt8(ascii: "s") || TextEncoding.text(of: bytes, as: .latin1) == text)
        }
    }

    @Test(arguments: [
        (
            TextEncoding?.none, [0x61, 0x0D, 0x0A, 0x62, 0xFC], 2, 2,
            "is no UTF-8; name the encoding: --encoding latin1"
        ),
        (nil, [0x61, 0x0A, 0x62, 0x0D, 0xC3], 3, 1, "is no UTF-8"),
        (nil, [0x61, 0x00], 1, 2, "UTF-16 without its mark"),
        (nil, [0xFF, 0xFE, 0x00, 0xDC], 1, 1, "is no UTF-16"),
        (nil, [0xFF, 0xFE, 0x61, 0x00, 0x62], 1, 2, "is no UTF-16"),
        (.latin1, [0x61, 0x80], 1, 2, "is no letter of Latin-1; --encoding windows-1252"),
        (.windows1252, [0x61, 0x81], 1, 2, "is no letter of windows-1252"),
    ])
    func `bytes that are no text are told with line and column`(
        encoding: TextEncoding?,
        bytes: [UInt8],
        line: Int,
        column: Int,
        problem: String
    ) throws {
        let error = try #require(throws: CSVTable.Malformed.self) { try TextEncoding.text(of: bytes, as: encoding) }
        #expect(error.line == line)
        #expect(error.problem.contains("at column \(column)") && error.problem.contains(problem), "\(error)")
    }

    @Test func `older encodings are read when they are named`() throws {
        #expect(try TextEncoding.text(of: [0x4B, 0xFC], as: .latin1) == "Kü")
        #expect(try TextEncoding.text(of: [0x80, 0x92, 0xFC], as: .windows1252) == "€’ü")
    }

    // MARK: Separators, quotation marks

    @Test(arguments: [
        ("sku,title", ProductFile.Separator.comma), ("sku;title", .semicolon), ("sku\ttitle", .tab), ("sku", .comma),
        ("\r\nsku;\"base\nprice\";stock", .semicolon),
    ])
    func `the header says the separator`(header: String, separator: ProductFile.Separator) throws {
        #expect(try read(header).separator == separator)
    }

    @Test func `a header that may be separated by two is not guessed at`() throws {
        let error = try #require(throws: ProductFile.Unusable.self) { try read("sku;title,stock") }
        #expect(
            error.problems == ["line 1: the header may be separated by comma or semicolon: name it with --separator"]
        )
    }

    @Test func `quotation marks, line ends and empty records`() throws {
        let file = try read("sku;title;\r\n\r\n1;\"two\r\nlines; \"\"so\"\"\" ;\r;;\rB;24\" screen;\r\n")
        #expect(file.rows.map(\.line) == [3, 6])
        #expect(
            outcomes(file) == [
                .success(["sku": "1", "title": "two\r\nlines; \"so\""]),
                .success(["sku": "B", "title": "24\" screen"]),
            ]
        )
        let open = try #require(throws: ProductFile.Unusable.self) { try read("sku,title\nA,b\nB,\"c\nC,d\n") }
        #expect(open.problems == ["line 3: a quotation mark is never closed"])
        let behind = try #require(throws: ProductFile.Unusable.self) { try read("sku,title\nA,\"b\"c\n") }
        #expect(behind.problems == ["line 2: text follows a closing quotation mark"])
    }

    // MARK: Columns

    @Test(arguments: [
        (
            "SKU,Price", "",
            [
                "line 1: there is no column Price: did you mean basePrice?; --map Price=basePrice says so, --map Price= leaves it out"
            ]
        ),
        (
            "sku,titel", "",
            [
                "line 1: there is no column titel: did you mean title?; --map titel=title says so, --map titel= leaves it out"
            ]
        ),
        ("sku,Base Price,base_price", "", ["line 1: the columns Base Price and base_price both hold basePrice"]),
        ("sku,p", "p=bsePrice", ["line 1: --map p=bsePrice: there is no bsePrice; did you mean basePrice?"]),
        ("sku,title", "titl=title", ["line 1: --map titl: the file has no such column; did you mean title?"]),
        (
            "title,stock", "",
            ["line 1: no column holds a sku; without one, the file given again would make all products twice"]
        ),
        ("sku,\nA,1", "", ["line 1: column 2 has no name, though it has values"]),
        ("\n\n", "", ["the file has no header"]),
    ])
    func `a column that is not known is told before anything is done`(text: String, map: String, problems: [String])
        throws
    {
        var reading = ProductFile.Reading()
        try reading.take(map: map)
        let error = try #require(throws: ProductFile.Unusable.self) { try read(text, reading) }
        #expect(error.problems == problems)
    }

    @Test func `columns are mapped, left out, and known however they are written`() throws {
        var reading = ProductFile.Reading()
        try reading.take(map: "price=basePrice,Note=")
        try reading.take(map: "name=title")
        let file = try read(
            "SKU,Price,note,Name,Low stock,importFailure,postedPrice\nA,1.50,x,Mug,3,why,9.99\n",
            reading
        )
        #expect(
            outcomes(file) == [.success(["sku": "A", "basePrice": "1.50", "title": "Mug", "lowStock": 3])]
        )
        for wrong in ["price", "=title", "a=b,a=c"] {
            var reading = ProductFile.Reading()
            #expect(throws: ProductFile.Unusable.self) { try reading.take(map: wrong) }
        }
    }

    // MARK: Cells

    @Test(arguments: [
        ("19,99", false, "19,99 has a comma; if it is a decimal comma, say so with --decimal comma"),
        ("1,999", false, "1,999 has a comma; if it is a decimal comma, say so with --decimal comma"),
        ("19.99", true, "19.99 has a point, and the file was declared to have decimal commas"),
        ("1.299,00", true, "1.299,00 has a point, and the file was declared to have decimal commas"),
        ("€ 5", false, "€ 5 is no number, such as 12.50"), ("1,2,3", true, "1,2,3 is no number, such as 12,50"),
        (".5", false, ".5 is no number, such as 12.50"),
    ])
    func `an amount is never guessed`(cell: String, hasDecimalComma: Bool, problem: String) throws {
        var reading = ProductFile.Reading()
        reading.hasDecimalComma = hasDecimalComma
        let file = try read("sku;base price\nA;\(cell)\n", reading)
        #expect(outcomes(file) == [.failure(Failure(column: "base price", problem))])
        #expect(file.rows.map(\.line) == [2])
    }

    @Test func `cells become what the members are`() throws {
        var reading = ProductFile.Reading()
        reading.hasDecimalComma = true
        let file = try read(
            """
            sku;basePrice;stock;elasticity;active;seasonProfile;seasonEnd;description
            A; 19,99 ;-3;02,50;YES;[1, 0.5];2026-01-01T00:00:00Z;'=1+1
            B;;;;;;;
            C;1;4,5;;;;;
            D;1;4;;maybe;;;
            ;1;4;;;;;
            a ;1;4;;;;;
            E;1
            """,
            reading
        )
        #expect(
            outcomes(file) == [
                .success([
                    "sku": "A", "basePrice": "19.99", "stock": -3, "elasticity": .decimal("2.50"), "active": true,
                    "seasonProfile": [1, .decimal("0.5")], "seasonEnd": "2026-01-01T00:00:00Z", "description": "=1+1",
                ]),
                .success(["sku": "B"]), .failure(Failure(column: "stock", "4,5 is no whole number")),
                .failure(Failure(column: "active", "maybe is neither true nor false")),
                .failure(Failure(column: "sku", "is empty; the file given again would make the product twice")),
                .failure(Failure(column: "sku", "a stands on line 2 already")),
                .failure(Failure("there are 2 fields under 8 columns")),
            ]
        )
    }

    @Test(arguments: [
        "=1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''-1", "'", "''", "'x", "x=1", "", "'\u{301}=1", "\"'\u{301}",
        "a\r\nb",
    ])
    func `what a spreadsheet would run comes back from a file as it was`(text: String) throws {
        let cell = CSVTable.harmless(text)
        #expect(CSVTable.plain(cell) == text)
        #expect(cell.utf8.first.map { !Set("=+-@\t\r".utf8).contains($0) } ?? true)
        for separator in ProductFile.Separator.allCases {
            let line = CSVTable.line([cell, "1"], separatedBy: separator.byte)
            #expect(try CSVTable.records(in: line, separatedBy: separator.byte).map(\.fields) == [[cell, "1"]])
        }
    }

    // MARK: What failed

    @Test func `the daemon's refusals are told by the file's own columns`() throws {
        var reading = ProductFile.Reading()
        try reading.take(map: "Preis=basePrice,Gruppe=category")
        let file = try read("sku,Preis,Gruppe\nA,1,x\n", reading)
        let violation: JSONValue = [
            "path": "/rows/7/basePrice", "rule": "minimum", "message": "is too small", "expected": "0.01",
        ]
        #expect(
            file.failure(["message": "…", "data": ["violations": [violation]]])
                == Failure(column: "Preis", "is too small: at least 0.01")
        )
        #expect(
            file.failure(["message": "There is no category x.", "data": ["reason": "…", "category": "x"]])
                == Failure(column: "Gruppe", "There is no category x.")
        )
        let elsewhere: JSONValue = ["path": "/rows/7/title", "rule": "required", "message": "is missing"]
        #expect(file.failure(["data": ["violations": [elsewhere]]]) == Failure(column: "title", "is missing"))
    }

    @Test func `failed rows make a file that is read like the first`() throws {
        let file = try read("sku;importFailure;title\nA;old;\"a;b\n'=c\"\nB;;-1;2\n")
        let failed = file.failedFile([0: Failure(column: "title", "=why"), 1: Failure("too many")])
        #expect(failed == "\u{FEFF}importFailure;sku;title\ntitle: =why;A;\"a;b\n'=c\"\ntoo many;B;'-1;2\n")
        var reading = ProductFile.Reading()
        reading.encoding = .latin1
        let again = try read(failed, reading)
        #expect(again.separator == file.separator)
        #expect(again.rows[0].product == .success(["sku": "A", "title": "a;b\n'=c"]))
        #expect(again.rows[1].product == .failure(Failure("there are 4 fields under 3 columns")))
    }
}
