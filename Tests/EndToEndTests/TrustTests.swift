import Foundation
import Glibc
import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Files that another user could have written are not relied on, and no secret is shown.
    @Suite
    struct TrustTests {
        /// Something in a fresh folder that is not ours alone, and the command line that would rely on it.
        struct Case: Sendable, CustomTestStringConvertible {
            let made: String
            let arguments: [String]
            let sentence: String
            var environment: [String: String] = [:]

            var testDescription: String { "\(made) \(arguments)" }
        }

        private static let socket = ["--socket", "here/s.sock", "--data-dir", "data"]
        private static let data = ["--socket", "s.sock", "--data-dir", "here"]
        private static let mirror = ["--stdio", "--data-dir", "data", "--mirror-dir", "here"]
        private static let file = ["migrate", "--dry-run"]
        private static let server = ["migrate", "--dry-run", "--database-url", "host=/nonexistent"]

        private static let folders = [socket, data, mirror].flatMap { arguments in
            ["777", "720", "702", "1777"].map { mode in
                Case(
                    made: "mkdir -m \(mode) here",
                    arguments: arguments,
                    sentence: "here can be written by others (mode \(mode.count < 4 ? "0" : "")\(mode))"
                )
            } + [
                Case(
                    made: "mkdir here; chown nobody here",
                    arguments: arguments,
                    sentence: "here belongs to uid 65534"
                ),
                Case(
                    made: "mkdir there; ln -s there here; chown -h nobody here",
                    arguments: arguments,
                    sentence: arguments == socket ? "here is a link" : "here belongs to uid 65534"
                ),
            ]
        }

        private static let cases = [
            Case(made: "mkdir there; ln -s there here", arguments: socket, sentence: "here is a link"),
            Case(
                made: "mkdir there; ln -s there here",
                arguments: ["--socket", "here///s.sock", "--data-dir", "data"],
                sentence: "here is a link"
            ),
            Case(
                made: "mkdir here; touch here/s.sock.lock; chmod 666 here/s.sock.lock",
                arguments: socket,
                sentence: "here/s.sock.lock can be written by others (mode 0666)"
            ),
            Case(
                made: "mkdir here; touch here/lock; chown nobody here/lock",
                arguments: data,
                sentence: "here/lock belongs to uid 65534"
            ),
            Case(
                made: "mkdir -p here/run; chown games here/run",
                arguments: data,
                sentence: "here/run belongs to uid 5"
            ),
            Case(
                made: "touch .env; chmod 620 .env",
                arguments: file,
                sentence: ".env can be written by others (mode 0620)"
            ),
            Case(
                made: "touch .env; chmod 602 .env",
                arguments: file,
                sentence: ".env can be written by others (mode 0602)"
            ),
            Case(
                made: "touch .env; chmod 604 .env",
                arguments: file,
                sentence: ".env can be read by others (mode 0604)"
            ),
            Case(
                made: "touch .env; chmod 600 .env; chown nobody .env",
                arguments: file,
                sentence: ".env belongs to uid"
            ),
            Case(made: "mkfifo -m 600 .env", arguments: file, sentence: ".env is there and is no plain file"),
            Case(
                made: "touch there; chmod 600 there; ln -s there .env; chown -h nobody .env",
                arguments: file,
                sentence: ".env belongs to uid 65534"
            ),
            Case(
                made: "touch here; chmod 640 here",
                arguments: server,
                sentence: "here can be read by others (mode 0640)",
                environment: ["PGPASSFILE": "here"]
            ),
            Case(
                made: "touch .pgpass; chmod 600 .pgpass; chown nobody .pgpass",
                arguments: server,
                sentence: "./.pgpass belongs to uid 65534",
                environment: ["HOME": "."]
            ),
            Case(
                made: "touch here; chmod 666 here",
                arguments: ["migrate", "--dry-run", "--database-url", "service=shop"],
                sentence: "here can be written by others (mode 0666)",
                environment: ["PGSERVICEFILE": "here"]
            ),
        ]

        @Test(.enabled(if: getuid() == 0, "needs root to give files away"), arguments: folders + cases)
        func `what others could have written is refused by its name`(wrong: Case) async throws {
            let folder = try TemporaryFolder()
            let maker = try ChildProgram("/usr/bin/env", ["-C", folder.path, "sh", "-ec", "umask 022; \(wrong.made)"])
            #expect(await maker.exit() == 0)
            let daemon = try ChildProgram(
                "/usr/bin/env",
                ["-C", folder.path, try TestDaemon.program("pricingd")] + wrong.arguments,
                environment: wrong.environment
            )
            try folder.endWithFolder(daemon.pid)
            #expect(await daemon.exit() == 78)
            let said = await daemon.errorText()
            #expect(said.contains(wrong.sentence), "\(said)")
            #expect(said.split(separator: "\n").count == 1)
            #expect(await daemon.line() == nil)
        }

        @Test(
            arguments: [[], ["serve", "--stdio"], ["migrate"], ["migrate", "--dry-run"], ["doctor"]],
            [
                "postgresql://shop:hidden@h/shop", "postgresql://h/shop?user=a&password=hidden",
                "postgresql://h/shop?pass%77ord=hidden", "host=h password=hidden", "host = h  password = 'hidden'",
                "host=h sslpassword=hidden", "dbname='password=hidden host=h'", "dbname=postgresql://a:hidden@h/shop",
            ]
        )
        func `a password on the command line is refused, and the way to give it is told`(
            command: [String],
            url: String
        ) async throws {
            let daemon = try ChildProgram(TestDaemon.program("pricingd"), command + ["--database-url", url])
            #expect(await daemon.exit() == 64)
            let said = await daemon.errorText()
            for way in ["PGPASSFILE", ".pgpass", "DATABASE_URL", ".env"] { #expect(said.contains(way), "\(said)") }
            #expect(!said.contains("hidden"))
        }

        @Test(arguments: [
            ("host=h password=hidden", "PGPASSFILE"), ("postgresql://a:hidden@h/shop", "PGPASSFILE"),
            ("host=h", "a database of your own"), ("nonsense", "not understood"),
        ])
        func `where reports are read from is given without a password, and for a database of one's own`(
            url: String,
            sentence: String
        ) async throws {
            let folder = try TemporaryFolder()
            let arguments = ["--stdio", "--data-dir", folder.path + "/data", "--reports-url", url]
            let daemon = try ChildProgram(TestDaemon.program("pricingd"), arguments)
            #expect(await daemon.exit() == 64)
            let said = await daemon.errorText()
            #expect(said.contains(sentence) && !said.contains("hidden"), "\(said)")
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/data"))
        }

        @Test func `a password in the environment is used and never printed`() async throws {
            let daemon = try ChildProgram(
                TestDaemon.program("pricingd"),
                ["--stdio"],
                environment: ["DATABASE_URL": "host=/nonexistent dbname=shop password=hidden"]
            )
            #expect(await daemon.exit() == 69)
            #expect(await !daemon.errorText().contains("hidden"), "no password is ever printed")
        }

        @Test func `no reply holds a password or its hash`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let password = "correct-horse-\(ShopClient.unique())"
            let email = "secret\(ShopClient.unique())@test.example"
            let user: JSONObject = [
                "fullName": "Secret Keeper", "email": .string(email), "password": .string(password),
            ]
            let made = try await shop.client.call("user.create", user)
            let id = try #require(made["userId"])
            let credentials: JSONObject = ["email": .string(email), "password": .string(password)]
            var calls: [(String, JSONObject)] = [
                ("user.get", ["userId": id]), ("user.list", ["search": "Secret"]), ("user.authenticate", credentials),
                ("user.update", ["userId": id, "password": .string(password)]), ("events.list", ["limit": 500]),
                ("user.delete", ["userId": id]),
            ]
            let views = [
                "stats", "categoryDistribution", "priceTrends", "supplierRevenue", "monthlyRevenue", "vipUsers",
                "lowStock",
            ]
            calls.insert(contentsOf: views.map { ("dashboard.\($0)", [:]) }, at: 0)
            let reports = try await shop.client.call("report.list")["items"]?.array ?? []
            calls.insert(contentsOf: reports.map { ("report.run", ["name": $0["name"] ?? ""]) }, at: 0)
            var replies = [made]
            for (method, params) in calls { replies.append(try await shop.client.call(method, params)) }
            for reply in replies {
                let text = String(decoding: reply.serialized(), as: UTF8.self)
                #expect(!text.contains("$2a$") && !text.contains("$2b$"))
                #expect(!text.contains(password))
                #expect(!text.lowercased().contains("password"))
            }
            let again = try await shop.client.refusal("user.authenticate", credentials)
            #expect(again.reason == "BAD_CREDENTIALS")
        }
    }
}
