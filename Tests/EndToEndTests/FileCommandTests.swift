import Foundation
import Glibc
import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// `pricing-repl import` and `export`, as a merchant gives them.
    @Suite
    struct FileCommandTests {
        /// A merchant at a shop of their own, with a folder for files.
        private struct Merchant {
            let daemon: TestDaemon
            let folder: TemporaryFolder

            init(hasDemo: Bool = false) async throws {
                daemon = try await TestDaemon.start(hasDemo: hasDemo)
                folder = try TemporaryFolder()
            }

            func path(_ name: String) -> String { folder.path + "/" + name }

            func write(_ text: String, to name: String = "shop.csv") throws {
                try Data(text.utf8).write(to: URL(filePath: path(name)))
            }

            func text(_ name: String) throws -> String {
                String(decoding: try Data(contentsOf: URL(filePath: path(name))), as: UTF8.self)
            }

            func start(_ words: String...) throws -> ChildProgram {
                let repl = try TestDaemon.program("pricing-repl")
                return try ChildProgram(
                    "/usr/bin/env",
                    ["-C", folder.path, repl] + words + ["--socket", daemon.socket]
                )
            }

            /// What it said, and how it ended.
            func end(of program: ChildProgram) async -> (status: Int32, lines: [String], errors: String) {
                var lines: [String] = []
                while let line = await program.line() { lines.append(line) }
                return (await program.exit(), lines, await program.errorText())
            }

            /// Expects that a command ends so, with these lines.
            func expect(
                _ words: String,
                _ status: Int32,
                _ lines: [String],
                errors: String = "",
                at place: SourceLocation = #_sourceLocation
            ) async throws {
                let repl = try TestDaemon.program("pricing-repl")
                let words = words.split(separator: " ").map(String.init)
                let ended = await end(
                    of: try ChildProgram(
                        "/usr/bin/env",
                        ["-C", folder.path, repl] + words + ["--socket", daemon.socket]
                    )
                )
                #expect(ended.status == status, sourceLocation: place)
                #expect(ended.lines == lines, sourceLocation: place)
                #expect(ended.errors == errors, "no progress bar in a pipe", sourceLocation: place)
            }
        }

        private static let mended = "the failed rows are in shop.failed.csv, to be mended and given to import again"

        @Test func `a file is tried, brought in once, mended and changes nothing again`() async throws {
            let shop = try await Merchant()
            try shop.write(
                #"""
                SKU;Name;Price;Category;Description;Stock;note
                A-1;"Mug; ""blue""";19,99;Kitchen;"thick
                and tall";40;x
                A-2;=Bowl;5,00;Kitchen;;12;
                A-3;Plate;7.50;Kitchen;;3;
                a-2;Twin;5,00;Kitchen;;12;
                A-4;Dish;0,00;Kitchen;;1,5
                A-5;Cup;0,00;Kitchen;;1;

                """#
            )
            let words = "import shop.csv --map Price=basePrice,name=title,note= --decimal comma --rule manual"
            let rest = [
                "line 5, Price: 7.50 has a point, and the file was declared to have decimal commas",
                "line 6, SKU: a-2 stands on line 4 already", "line 7, there are 6 fields under 7 columns",
                "line 8, Price: is too small: at least 0.01",
            ]
            let nowhere = [2, 4].map { "line \($0), Category: There is no category Kitchen." }
            try await shop.expect(
                words + " --dry-run",
                1,
                nowhere + rest + ["would be: 0 made, 0 changed, 0 unchanged, 6 failed"]
            )
            try await shop.expect(
                words + " --create-missing --dry-run",
                1,
                rest + ["would be: 2 made, 0 changed, 0 unchanged, 4 failed"]
            )
            let client = try await shop.daemon.client()
            #expect(try await client.all("product.list", [:]).isEmpty, "a dry run makes nothing")
            #expect(try await client.all("category.list", [:]).isEmpty)
            try await shop.expect(
                words + " --create-missing",
                1,
                rest + ["2 made, 0 changed, 0 unchanged, 4 failed", Self.mended]
            )
            let products = try await client.all("product.list", [:])
            #expect(products.map { $0["title"] } == ["Mug; \"blue\"", "=Bowl"])
            #expect(products.map { $0["basePrice"] } == ["19.99", "5.00"])
            #expect(products.map { $0["stock"] } == [40, 12])
            #expect(products.map { $0["description"] } == ["thick\nand tall", ""])
            try await shop.expect(
                words + " --create-missing",
                1,
                rest + ["0 made, 0 changed, 2 unchanged, 4 failed", Self.mended]
            )

            var failed = try shop.text("shop.failed.csv")
            #expect(failed.hasPrefix("\u{FEFF}importFailure;SKU;Name;Price;Category;Description;Stock;note\n"))
            #expect(failed.contains("Price: is too small: at least 0.01;A-5;Cup;0,00;Kitchen;;1;\n"))
            for (wrong, right) in [("7.50", "7,50"), ("a-2", "A-6"), ("1,5\n", "1;\n"), ("0,00", "1,00")] {
                failed = failed.replacingOccurrences(of: wrong, with: right)
            }
            try shop.write(failed, to: "shop.failed.csv")
            let again = words.replacingOccurrences(of: "shop.csv", with: "shop.failed.csv")
            try await shop.expect(again, 0, ["4 made, 0 changed, 0 unchanged, 0 failed"])
            try await shop.expect(again, 0, ["0 made, 0 changed, 4 unchanged, 0 failed"])
            #expect(!FileManager.default.fileExists(atPath: shop.path("shop.failed.failed.csv")))
            let rules = try await client.all("rule.list", [:]).filter { $0["name"] == "manual" }.map { $0["ruleId"] }
            let all = try await client.all("product.list", [:])
            #expect(
                all.count == 6 && all.allSatisfy { rules.contains($0["ruleId"]) },
                "no price of theirs moves by itself"
            )
            try await Invariants.expect(shop.daemon)
        }

        @Test func `an export given back changes nothing, and so does that of another shop`() async throws {
            let shop = try await Merchant(hasDemo: true)
            let client = try await shop.daemon.client()
            let odd: JSONObject = [
                "title": "=cmd|' /C calc'!A0", "description": "two\nlines; \"quoted\", 'so\t", "basePrice": "3.10",
                "categoryId": 1, "floor": "2.00", "stock": 7,
            ]
            _ = try await client.call("product.create", odd)
            var sku = odd
            sku["sku"] = "-1"
            sku["title"] = "'=x"
            _ = try await client.call("product.create", sku)
            let archived = try #require(try await client.call("product.create", odd)["productId"])
            _ = try await client.call("product.archive", ["productId": archived])
            let before = try await client.all("product.list", [:])
            for (name, separator) in [("c.csv", "comma"), ("s.csv", "semicolon"), ("t.tsv", "tab")] {
                let words = "export products --separator \(separator) --mark -o \(name)"
                try await shop.expect(words, 0, ["\(before.count - 1) products in \(name)"])
                let same = "0 made, 0 changed, \(before.count - 1) unchanged, 0 failed"
                try await shop.expect("import \(name) --dry-run", 0, ["would be: " + same])
                try await shop.expect("import \(name)", 0, [same])
            }
            #expect(try await client.all("product.list", [:]) == before)
            let text = try shop.text("s.csv")
            #expect(text.contains(";'=cmd|' /C calc'!A0;") && text.contains(";'-1;''=x;") && !text.contains(";="))

            let other = try await Merchant()
            let piped = try await shop.end(of: shop.start("export"))
            #expect(
                piped.status == 0 && piped.errors.isEmpty
                    && piped.lines.first?.hasPrefix("productId,sku,title,") == true
            )
            try other.write("sku,title,basePrice,category,floor,rule\nX,'=x,3.10,Kitchen,2.00,Bands\n")
            try await other.expect("import shop.csv --create-missing", 0, ["1 made, 0 changed, 0 unchanged, 0 failed"])
            let made = await other.end(of: try other.start("export"))
            #expect(
                made.lines == [
                    "sku,title,description,category,supplier,basePrice,unitCost,floor,ceiling,stock,lowStock,highStock,rule,"
                        + "active,postedPrice",
                    "X,'=x,,Kitchen,,3.10,,2.00,,0,10,100,bands,true,3.10",
                ],
                "a limit that was not declared is not declared by the file"
            )
        }

        @Test func `a file that cannot be used is told, and nothing is done`() async throws {
            let shop = try await Merchant()
            try shop.write("sku,price,titel\nA,1.00,x\n")
            try await shop.expect(
                "import shop.csv",
                3,
                [],
                errors: """
                    shop.csv: line 1: there is no column price: did you mean basePrice?; --map price=basePrice says so, \
                    --map price= leaves it out
                    shop.csv: line 1: there is no column titel: did you mean title?; --map titel=title says so, \
                    --map titel= leaves it out
                    error: nothing was done
                    """
            )
            try Data([0x73, 0x6B, 0x75, 0x0A, 0x41, 0xFC]).write(to: URL(filePath: shop.path("latin.csv")))
            let latin = await shop.end(of: try shop.start("import", "latin.csv"))
            #expect(
                latin.status == 3 && latin.errors.hasPrefix("latin.csv: line 2: what stands at column 2 is no UTF-8;")
            )
            let named = await shop.end(of: try shop.start("import", "latin.csv", "--encoding", "latin1"))
            #expect(named.lines.first == "line 2, title: is missing, which a new product needs")
            let absent = await shop.end(of: try shop.start("import", "no.csv"))
            #expect(absent.status == 3 && absent.errors == "error: cannot read no.csv: No such file or directory")
            for words in [["import"], ["import", "latin.csv", "--separator", "dot"], ["export", "orders"]] {
                let repl = try TestDaemon.program("pricing-repl")
                let ended = await shop.end(of: try ChildProgram(repl, words + ["--socket", shop.daemon.socket]))
                #expect(ended.status == 3, "\(words)")
            }
            try shop.write("sku,title,basePrice,category\nA,x,1.00,c\n")
            try await shop.expect(
                "import shop.csv --rule nothing",
                1,
                [
                    "0 made, 0 changed, 0 unchanged, 0 failed",
                    "lines 2 to 2 are still to do: give the same file again, what was done stays as it is",
                ],
                errors: "error 301 RULE_NOT_FOUND: There is no rule nothing. (rule=nothing)"
            )
            let client = try await shop.daemon.client()
            #expect(try await client.all("product.list", [:]).isEmpty)
        }

        /// A file of products, each under its number.
        private static func file(price: String) -> String {
            (0..<rows).reduce("sku,title,basePrice,category\n") { $0 + "S-\($1),Thing \($1),\(price),Things\n" }
        }

        private static let rows = 1000

        /// How many were changed, and how many were as they should be.
        private static func counts(_ lines: [String]) throws -> (changed: Int, unchanged: Int, failed: Int) {
            let line = try #require(lines.first { $0.contains(" made, ") })
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            return (numbers[1], numbers[2], numbers[3])
        }

        @Test(arguments: [SIGINT, SIGKILL])
        func `an import that ended in the middle is given again, and does the rest`(signal: Int32) async throws {
            let shop = try await Merchant()
            let client = try await shop.daemon.client()
            try shop.write(Self.file(price: "10.00"))
            try await shop.expect(
                "import shop.csv --create-missing",
                0,
                ["\(Self.rows) made, 0 changed, 0 unchanged, 0 failed"]
            )
            let middle = try #require(try await client.call("product.get", ["sku": "S-250"])["productId"]?.integer)
            try shop.write(Self.file(price: "20.00"))
            let held = try await HeldLock(row: middle, in: shop.daemon)
            let program = try shop.start("import", "shop.csv")
            try await held.awaitWaiter()
            program.signal(signal)
            if signal == SIGKILL { #expect(await program.exit() == 128 + SIGKILL) }
            try await held.release()
            let first = await shop.end(of: program)
            let done = try await client.all("product.list", [:]).filter { $0["basePrice"] == "20.00" }.count
            #expect((200..<Self.rows).contains(done))
            if signal == SIGINT {
                let told = try Self.counts(first.lines)
                #expect(first.status == 4 && told.changed == done && told.unchanged == 0)
                let next = told.changed + told.failed + 2
                #expect(
                    first.lines.last
                        == "lines \(next) to \(Self.rows + 1) are still to do: give the same file again, what was done "
                        + "stays as it is"
                )
            }
            let again = await shop.end(of: try shop.start("import", "shop.csv"))
            let told = try Self.counts(again.lines)
            #expect(again.status == 0 && told.failed == 0)
            #expect(told.unchanged >= done && told.changed + told.unchanged == Self.rows, "\(again.lines)")
            #expect(try await client.all("product.list", [:]).allSatisfy { $0["basePrice"] == "20.00" })
            try await Invariants.expect(shop.daemon)
        }

        @Test func `a terminal shows how far it is, and completion knows the words`() async throws {
            let shop = try await Merchant()
            try shop.write("sku,title,basePrice,category\nA,x,1.00,c\n")
            let words = ["import", shop.path("shop.csv"), "--create-missing", "--socket", shop.daemon.socket]
            let repl = try #require(ReplProcess(words, home: shop.folder.path))
            #expect(repl.expect("100 %  1 of 1 rows"))
            #expect(repl.expect("1 made, 0 changed, 0 unchanged, 0 failed"))
            #expect(repl.end() == 0)
            let script = await shop.end(of: try shop.start("--generate-completion-script", "bash"))
            #expect(script.lines.contains { $0.contains("--create-missing") })
            let help = await shop.end(of: try shop.start("import", "--help"))
            #expect(help.status == 0 && help.lines.contains { $0.hasPrefix("USAGE: pricing-repl import ") })
        }

        @Test func `a daemon that went away is told, with what is still to do`() async throws {
            let shop = try await Merchant()
            try shop.write(Self.file(price: "10.00"))
            #expect(await shop.daemon.stop() == 0)
            let ended = await shop.end(of: try shop.start("import", "shop.csv", "--create-missing"))
            #expect(ended.status == 2)
            #expect(ended.lines.first == "0 made, 0 changed, 0 unchanged, 0 failed")
            #expect(ended.errors.hasPrefix("error: no connection: no daemon answers at \(shop.daemon.socket)"))
            let export = await shop.end(of: try shop.start("export", "-o", "x.csv"))
            #expect(export.status == 2 && !FileManager.default.fileExists(atPath: shop.path("x.csv")))
        }
    }
}
