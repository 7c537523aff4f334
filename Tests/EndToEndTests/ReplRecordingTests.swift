import Foundation
import JSON
import PricingTestSupport
import Testing

@testable import pricing_repl

/// Recorded sessions: the file, and what counts as the same.
struct ReplTranscriptTests {
    private let setting = Transcript.Setting(isInteractive: true, format: .table, columns: 80)

    @Test func `what is written is read`() throws {
        let pieces: [Tap.Piece] = [
            .output("would move \u{1B}[1m31 prices\u{1B}[0m\n\n"), .answer("yes"),
            .output("? done\npricing> no command\n"),
        ]
        let text =
            Transcript(setting: setting).head + Transcript.text(command: "undo {\n\"all\": true}")
            + Transcript.text(of: pieces) + "# a remark\n" + Transcript.text(command: "session.ping")
        #expect(
            text == """
                # pricing-repl at the prompt, table, 80 columns
                pricing> undo {
                      .. "all": true}
                  would move 31 prices

                ? yes
                  ? done
                  pricing> no command
                # a remark
                pricing> session.ping

                """
        )
        let read = try #require(Transcript(text))
        #expect(read.setting == setting)
        #expect(read.entries.map(\.command) == ["undo {\n\"all\": true}", "session.ping"])
        #expect(read.entries[0].answers == ["yes"])
        #expect(read.entries[0].lines == Transcript.lines(of: pieces))
        #expect(read.entries.map(\.place) == [2, 10])
        #expect(Transcript("pricing> session.ping\n") == nil)
        #expect(Transcript(Transcript(setting: setting).head + "words\n") == nil)
        let piped = Transcript.Setting(isInteractive: false, format: .json, columns: nil)
        #expect(Transcript(Transcript(setting: piped).head)?.setting == piped)
    }

    @Test(arguments: [
        ("12 rows · 92 ms", "12 rows · 1.8 s", true), ("placed 2026-11-27 20:00", "placed 2027-01-01 09:30", true),
        (#"{"at":"2026-11-27T20:00:00.123Z","n":1}"#, #"{"at":"2026-11-28T20:00:01.000Z","n":1}"#, true),
        ("(key repl-abcdefghijkmnpqr)", "(key repl-23456789abcdefgh)", true), ("stock 4 → 24", "stock 4 → 25", false),
        ("order 5601 · total 70.40", "order 17 · total 70.40", true), (#"{"orderId":5}"#, #"{"orderId":6}"#, true),
        ("order 5601 · total 70.40", "order 17 · total 71.40", false), ("orderId | 5601", "orderId |   7", true),
        ("until Mon 2026-11-30 09:00 (+01:00)", "until Tue 2026-12-01 09:00 (+02:00)", true),
        ("---+---", "-----+-", true), ("2 rows", "2 row", false), ("cursor=abc", "cursor=xyz", true),
    ])
    func `times, durations, keys and ids may differ, figures may not`(_ old: String, _ new: String, _ isSame: Bool) {
        var likeness = Likeness()
        #expect((likeness.difference([old], [new]) == nil) == isSame)
    }

    @Test func `an id that was given out keeps its place, one that was typed is itself`() {
        var likeness = Likeness()
        #expect(likeness.command("sell 18 x2 to 3") == "sell 18 x2 to 3")
        #expect(likeness.difference(["order 5601"], ["order 17"]) == nil)
        #expect(likeness.command("show order 5601") == "show order 17")
        #expect(likeness.difference(["order 5601 is pending"], ["order 18 is pending"]) != nil)
        #expect(likeness.difference(["order 5602"], ["order 17"]) != nil)
        #expect(likeness.command("order.get orderId=9") == "order.get orderId=9")
        #expect(likeness.difference(["order 9"], ["order 10"]) != nil)
        let found = likeness.difference(["a", "b", "c"], ["a", "x", "y", "c"])
        #expect(found?.recorded == ["b"])
        #expect(found?.now == ["x", "y"])
    }
}

extension EndToEnd {
    /// Sessions recorded and run again beside the real daemon.
    @Suite
    struct ReplRecordingTests {
        private func run(_ arguments: [String], _ daemon: TestDaemon) async throws -> (status: Int32, lines: [String]) {
            let program = try ChildProgram(TestDaemon.program("pricing-repl"), ["--socket", daemon.socket] + arguments)
            var lines: [String] = []
            while let line = await program.line() { lines.append(line) }
            return (await program.exit(), lines)
        }

        @Test func `a session is recorded, and run again says in what it is another one`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let file = daemon.folder + "/day.txt"
            let repl = try #require(ReplProcess(["--record", file, "--socket", daemon.socket], home: daemon.folder))
            #expect(repl.expect("pricing> "))
            for command in ["find yoga", "product.get productId=999", "sell 18 x1 to chloe.evans@mail.example"] {
                repl.type(command + "\r")
                #expect(repl.expect("pricing> "))
            }
            repl.type("product.archive productId=20\r")
            #expect(repl.expect("do it?"))
            repl.type("no\r")
            #expect(repl.expect("nothing was changed"))
            #expect(repl.expect("pricing> "))
            repl.type("user.changePassword userId=1 old=abcdefgh new=ijklmnop\r")
            #expect(repl.expect("pricing> "))
            repl.type("adjust 18 +1\r")
            #expect(repl.expect("pricing> "))
            repl.type("watch 18\r")
            #expect(repl.expect("watch 18 · every change, else 2 s · Ctrl-C ends"))
            #expect(repl.expect("18  Yoga mat"))
            repl.type("\u{3}")
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.hasPrefix("# pricing-repl at the prompt, table, 80 columns\npricing> find yoga\n"))
            #expect(text.contains("pricing> product.archive productId=20\n"))
            #expect(text.contains("? no\n  nothing was changed\n"))
            #expect(!text.contains("ijklmnop"))
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            // Selling one and counting one more leaves the stock as it was; the order is another one.
            let same = try await run(["--replay", file, "--expect"], daemon)
            #expect(same.lines == [])
            #expect(same.status == 0)
            let shown = try await run(["--replay", file], daemon)
            #expect(shown.status == 0)
            #expect(shown.lines.contains("pricing> find yoga"))
            _ = try await daemon.client().call("inventory.restock", ["productId": 18, "quantity": 1])
            let other = try await run(["--replay", file, "--expect"], daemon)
            #expect(other.status == 1)
            #expect(other.lines.first == "\(file):2: find yoga")
            #expect(other.lines.contains { $0.hasPrefix("- ") && $0.contains("Yoga mat") })
            #expect(other.lines.contains { $0.hasPrefix("+ ") && $0.contains("Yoga mat") })
            #expect(try await run(["--replay", daemon.socket + ".none"], daemon).status == 3)
            #expect(try await run(["--expect"], daemon).status == 3)
        }
    }
}
