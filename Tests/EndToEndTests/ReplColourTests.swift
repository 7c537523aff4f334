import Foundation
import JSON
import PricingTestSupport
import Testing

@testable import pricing_repl

extension EndToEnd {
    /// The colours of the line that is typed, beside the same keys without colours: what stands where must be the same.
    @Suite
    struct ReplColourTests {
        @Test(arguments: [
            ("restock 18 +20", "ccccccc rr nnn"), ("try pin yoga mat 35 until sunday fair", "ccc ccc rrrr rrr nn"),
            ("sell 18 x2, yoga mat to chloe", "cccc rr nnn rrrr rrr    rrrrr"), ("why %2", "ccc rr"), ("18", "rr"),
            ("halt kitchen feed wrong", "cccc rrrrrrr"), ("find lamp under 20", "cccc            nn"),
            ("watch why 18", "ccccc ccc rr"), ("watch price cat kitchen", "ccccc           rrrrrrr"),
            ("product.get productId=1", "ccccccccccc           n"),
            ("product.get produktId=1 ", "ccccccccccc uuuuuuuuu n"),
            ("rest", ""), ("restok", "uuuuuu"), ("rest 18", "uuuu nn"), ("\\\\wat", ""), ("\\\\nope", "uuuuu"),
            ("# 18", ""),
        ])
        func `words are known by what they are`(_ text: String, _ styles: String) {
            let text = text.replacing("\\\\", with: "\\")
            let found = LineStyle.styles(of: text, catalogue: ReplSamples.catalogue)
            #expect(found.count == text.unicodeScalars.count)
            var trimmed = found
            while trimmed.hasSuffix(" ") { trimmed.removeLast() }
            #expect(trimmed == styles)
        }

        /// Keys, and what the text is then.
        private static let steps: [(keys: String, text: String)] = [
            ("why 18", "why 18"), ("\u{7F}\u{7F}yoga mat", "why yoga mat"), ("\u{1}x", "xwhy yoga mat"),
            ("\u{4}\u{1B}[C", "xhy yoga mat"), ("\u{1}\u{4}w", "why yoga mat"),
            ("\u{5}\u{17}bath tub", "why yoga bath tub"),
            ("\u{1B}[D\u{1B}[D\u{1B}[D日本", "why yoga bath 日本tub"), ("\u{7F}\u{7F}\u{15}tub", "tub"), ("\u{1}\u{B}", ""),
            // Longer than a row, changed at both ends and in the middle.
            ("show a product whose title is longer", "show a product whose title is longer"),
            (" than one row has columns", "show a product whose title is longer than one row has columns"),
            ("\u{1}12 ", "12 show a product whose title is longer than one row has columns"),
            (
                "\u{1B}[C\u{1B}[C\u{1B}[C\u{1B}[C\u{7F}\u{7F}",
                "12 sh a product whose title is longer than one row has columns"
            ),
            ("\u{5}\u{7F}\u{7F}", "12 sh a product whose title is longer than one row has colum"), ("\u{15}\u{B}", ""),
            // Rows of the operator's own.
            ("product.list {limit: 1,\r\"search\": \"x\"", "product.list {limit: 1,\n\"search\": \"x\""),
            ("\u{1B}[A\u{5}2", "product.list {limit: 1,2\n\"search\": \"x\""), ("\u{3}", ""),
        ]

        /// What stands in the last row of the prompt and a text.
        private static func lastRow(_ text: String, _ columns: Int) -> String {
            var rest = ("pricing> " + text).split(separator: "\n").last.map(String.init) ?? ""
            while rest.count > columns { rest.removeFirst(columns) }
            while rest.hasSuffix(" ") { rest.removeLast() }
            return rest
        }

        private func shell(_ daemon: TestDaemon, _ more: [String], columns: UInt16 = 40) throws -> ReplProcess {
            let repl = try #require(
                ReplProcess(["--socket", daemon.socket], home: daemon.folder, environment: more, columns: columns)
            )
            #expect(repl.expect("pricing> "))
            return repl
        }

        @Test(arguments: [UInt16(40), 41, 33, 80])
        func `colours move nothing, whatever is typed`(_ columns: UInt16) async throws {
            let daemon = try await TestDaemon.start()
            let coloured = try shell(daemon, [], columns: columns)
            let plain = try shell(daemon, ["NO_COLOR=1"], columns: columns)
            for (keys, text) in Self.steps {
                let row = Self.lastRow(text, Int(columns))
                for repl in [coloured, plain] { repl.type(keys) }
                for repl in [coloured, plain] {
                    #expect(
                        repl.expectScreen { $0.lines.last { !$0.isEmpty } == row },
                        "\(keys.debugDescription) \(repl.screen.text)"
                    )
                }
            }
            // What is typed at last is behind all that went before.
            for repl in [coloured, plain] {
                repl.type("\u{3}why 7")
                #expect(repl.expectScreen { $0.lines.last { !$0.isEmpty } == "pricing> why 7" })
            }
            #expect(coloured.screen.lines == plain.screen.lines)
            #expect(coloured.screen.cursor == plain.screen.cursor)
            #expect(
                coloured.expectScreen {
                    $0.styles[$0.cursor.row][9] == "[36m" && $0.styles[$0.cursor.row][13] == "[32m"
                }
            )
            #expect(plain.screen.styles.joined().allSatisfy { $0.isEmpty })
            for repl in [coloured, plain] {
                repl.type("\u{3}\\q\r")
                #expect(repl.end() == 0)
            }
        }

        @Test func `a search, an event above and another window leave no colour where none belongs`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Kettle"])
            let repl = try shell(daemon, [], columns: 60)
            func styles(_ screen: TerminalScreen) -> String {
                let codes = ["[36m": "c", "[32m": "r", "[35m": "n", "[31m": "u", "[2m": "."]
                return screen.styles[screen.cursor.row].map { $0.isEmpty ? " " : codes[$0] ?? "?" }.joined()
            }
            func comes(_ row: String, _ wanted: String) -> Bool {
                repl.expectScreen { screen in
                    screen.lines[screen.cursor.row].hasPrefix(row) && styles(screen).dropFirst(9).hasPrefix(wanted)
                        && styles(screen).dropFirst(9 + wanted.count).allSatisfy { " .".contains($0) }
                }
            }
            repl.type("tail price\r")
            #expect(repl.expect("told here"))
            #expect(repl.expect("pricing> "))
            repl.type("why \(product) at 3\r")
            #expect(repl.expect("Kettle"))
            #expect(repl.expect("pricing> "))
            repl.type("why 12")
            #expect(comes("pricing> why 12", "ccc rr"))
            try await shop.buy(product, 45)
            #expect(repl.expect("price 100.00 → 110.00"))
            #expect(comes("pricing> why 12", "ccc rr"))
            repl.resize(columns: 70)
            repl.type("3")
            #expect(comes("pricing> why 123", "ccc rrr"))
            repl.type("\u{12}")
            #expect(repl.expectScreen { $0.text.contains("bck:") })
            repl.type("tail")
            #expect(repl.expectScreen { $0.text.contains("tail price") && $0.text.contains("bck:tail") })
            #expect(!repl.screen.styles[repl.screen.cursor.row].contains { $0 == "[32m" })
            repl.type("\u{5}")
            #expect(comes("pricing> tail price", "cccc      "))
            repl.type("\u{15}\u{B}restok 18")
            #expect(comes("pricing> restok 18", "uuuuuu nn"))
            repl.type("\u{3}\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `vi, and a terminal that knows no colours`() async throws {
            let daemon = try await TestDaemon.start()
            try "bind -v\n".write(toFile: daemon.folder + "/.editrc", atomically: true, encoding: .utf8)
            let repl = try shell(daemon, [])
            repl.type("session.ping\r")
            #expect(repl.expect("ok"))
            #expect(repl.expect("pricing> "))
            repl.type("why 18\u{1B}")
            #expect(repl.expectScreen { $0.cursor.column == 14 && $0.styles[$0.cursor.row][13] == "[32m" })
            repl.type("/ping\r")
            #expect(repl.expectScreen { $0.lines[$0.cursor.row] == "pricing> session.ping" })
            repl.type("Ax")
            #expect(
                repl.expectScreen {
                    $0.lines[$0.cursor.row] == "pricing> session.pingx" && $0.styles[$0.cursor.row][9] == "[31m"
                }
            )
            repl.type("\u{3}\\q\r")
            #expect(repl.end() == 0)
            let dumb = try shell(daemon, ["TERM=dumb"])
            dumb.type("why 18")
            #expect(dumb.expectScreen { $0.text.contains("why 18") })
            #expect(dumb.screen.styles.joined().allSatisfy { $0.isEmpty })
            dumb.type("\u{3}\\q\r")
            #expect(dumb.end() == 0)
        }
    }
}
