import Foundation
import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// The mark under what the daemon refuses, whichever words the command has.
    @Suite
    struct ReplCaretTests {
        @Test(arguments: [
            ("adjust # -99999999999 broken", "-99999999999", "allowed: -1000000000…1000000000"),
            ("adjust # -5000", "-5000", "Only 50 of product"),
            ("sell # x1, # x5000 to %", "x5000", "Only 50 of product"),
            ("pin # 680 until tomorrow", "680", "84.00 until tomorrow"),
            ("pin # 99999999999999", "99999999999999", "at most 9999999999.99"),
            ("pin # 70 until yesterday 9:00", "yesterday 9:00", "must lie in the future"),
            ("expect # +99999999999 on tomorrow", "+99999999999", "allowed: 1…1000000000"),
            ("why # at 999999999999", "999999999999", "allowed: 0…2147483647"),
            ("find lamp under 99999999999999", "99999999999999", "at most 9999999999.99"),
            ("halt # \"\"", "\"\"", "allowed: 1…500 characters"),
            ("undo change 999999999", "999999999", "There is no price change 999999999"),
            ("report.run name=nosuch", "nosuch", "There is no such report"),
            ("show 999999999", "999999999", "There is no product 999999999"),
            ("rule manual upp=1", "upp=1", "did you mean up?"),
            ("try pin # 680", "680", "as high as may be"),
            ("price.pin productId=# price=680", "680", "must stay"),
        ])
        func `what is refused is marked, with what is allowed`(
            _ command: String,
            _ marked: String,
            _ advice: String
        ) async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["ceiling": "84.00", "basePrice": "60.00"])
            let typed = command.replacing("#", with: "\(product)").replacing("%", with: "user \(shop.customerId)")
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder, columns: 200))
            #expect(repl.expect("pricing> "))
            repl.type(typed + "\r")
            let start = try #require(typed.range(of: marked)).lowerBound
            let gap = String(repeating: " ", count: typed[..<start].count + 2)
            #expect(repl.expect("  \(typed)\r\n\(gap)"), "\(repl.seen)")
            #expect(repl.expect(String(repeating: "^", count: marked.count)), "\(repl.seen)")
            #expect(repl.expect(advice), "\(repl.seen)")
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test(arguments: [
            ("halt nowhere", "REASON is missing, such as \"supplier feed wrong\""),
            ("pin 18", "PRICE is missing, such as 35 or 35.00"), ("restock 18", "+N is missing, such as +20"),
            ("try sell 18 x2", "to USER is missing, such as to chloe"),
            ("watch price under every 5s", "PRICE is missing"), ("who rule", "RULE is missing, such as bands"),
            ("price.pin productId=18", "price is missing"),
            ("lab.run", "scenarios is missing"),
        ])
        func `a word that is missing is marked behind the end`(_ typed: String, _ said: String) async throws {
            let daemon = try await TestDaemon.shared()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            repl.type(typed + "\r")
            let shown = typed.replacing(" every 5s", with: "")
            #expect(
                repl.expectScreen { screen in
                    let lines = screen.lines
                    guard let mark = lines.firstIndex(of: String(repeating: " ", count: shown.count + 3) + "^") else {
                        return false
                    }
                    return lines[mark - 1] == "  " + shown && lines.filter { $0.hasSuffix(" ^") }.count == 1
                        && lines[(mark + 1)...].contains { $0.contains("error") && $0.contains(said) }
                },
                "\(repl.screen.text)"
            )
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test(arguments: [60, 80, 200])
        func `a long refusal is broken between words, and the ways out can be copied`(_ columns: Int) async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["ceiling": "84.00", "basePrice": "60.00"])
            let repl = try #require(
                ReplProcess(["--socket", daemon.socket], home: daemon.folder, columns: UInt16(columns))
            )
            #expect(repl.expect("pricing> "))
            func said(_ typed: String) -> [String] {
                repl.type(typed + "\r")
                _ = repl.expectScreen { $0.lines.contains { $0.contains("\(typed.suffix(9))") } }
                _ = repl.expectScreen { $0.lines.last { !$0.isEmpty } == "pricing>" }
                let lines = repl.screen.lines
                return Array(lines[(lines.lastIndex { $0.hasPrefix("error ") } ?? 0)...])
            }
            let limits = said("pin \(product) 680 until tomorrow fair")
            let message = limits.prefix { !$0.hasPrefix("  pin") }.joined(separator: " ").split(separator: " ")
            #expect(
                ["(floor=30.00,", "ceiling=84.00,", "productId=\(product))"].allSatisfy(message.contains),
                "\(limits)"
            )
            #expect(limits.contains { $0.hasPrefix("  pin \(product) 84.00 until tomorrow fair") }, "\(limits)")
            #expect(
                limits.contains { $0.hasPrefix("  product.update productId=\(product) ceiling=680.00") },
                "\(limits)"
            )
            #expect(limits.contains { $0.hasSuffix(columns == 60 ? "      as high as may be" : "  as high as may be") })
            // What would change instead is a table, and no JSON.
            let stale = said(
                "inventory.adjust productId=\(product) quantity=-45 _meta.expect=\(String(repeating: "a", count: 64))"
            )
            #expect(stale.contains("would move 1 price and 1 stock"), "\(stale)")
            #expect(!stale.contains { $0.contains("{") }, "\(stale)")
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }

        @Test func `a policy that there is not is marked among the others`() async throws {
            let daemon = try await TestDaemon.shared()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder, columns: 200))
            #expect(repl.expect("pricing> "))
            func run(_ policies: String) {
                repl.type(
                    "lab.run scenarios=[{name:a,stock:9,horizon_days:9,customers_per_day:1,demand:'exponential(40)',"
                        + "base:50}] policies=[\(policies)] seasons=1\r"
                )
            }
            run("fixed_at_base,learn_clam")
            #expect(repl.expect("did you mean learn_calm?"))
            #expect(repl.expect("There is no policy learn_clam. (/policies/1: "))
            run("xyz")
            #expect(repl.expect("^^^\u{1B}[0m\r\n  allowed: best_fixed_oracle, days_of_cover_bands, fixed_at_base, "))
            #expect(repl.expect("learn_calm"))
            #expect(repl.expect("bands_P_L_H"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }
}
