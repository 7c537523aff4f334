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
            ("pin # 680", "680", "ceiling=680.00  declares another ceiling"),
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
            ("price.pin productId=# price=680", "680", "must stay within"),
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
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder))
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
