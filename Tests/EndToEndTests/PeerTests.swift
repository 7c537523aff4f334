import Foundation
import Glibc
import JSON
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Who may do what, as the kernel says who they are; and how the socket comes to be.
    @Suite
    struct PeerTests {
        /// One of the machine's own users, in one of its own groups.
        struct Account: Sendable {
            let user: String
            let group: String
            /// nil for an account without a role.
            let role: Role?
        }

        private static let accounts = [
            Account(user: "nobody", group: "nogroup", role: .viewer),
            Account(user: "games", group: "games", role: .operator),
            Account(user: "root", group: "root", role: .admin),
            Account(user: "mail", group: "mail", role: .admin),
        ]

        private static let daemon = Task {
            let daemon = try await TestDaemon.start(
                arguments: ["--operator-group", "games", "--viewer-group", "nogroup", "--admin-group", "mail"]
            )
            unsafe chmod(daemon.folder, 0o755)
            return daemon
        }

        /// - Parameter seconds: how long it stays once the daemon has closed, for its own input to end.
        private func connect(_ account: Account, _ daemon: TestDaemon, staying seconds: Int = 60) throws
            -> ChildProgram
        {
            let identity = ["--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups"]
            return try ChildProgram(
                "/usr/bin/env",
                ["setpriv"] + identity + ["socat", "-t", "\(seconds)", "-", "UNIX-CONNECT:\(daemon.socket)"]
            )
        }

        private func message(_ peer: ChildProgram) async throws -> JSONValue {
            try JSONParser.parse(Array(try #require(await peer.line()).utf8))
        }

        /// Every method with a parameter that none has: a peer who may call it is told so, and nothing happens.
        @Test(.enabled(if: getuid() == 0, "needs root to become another user"), arguments: accounts)
        func `every method asks for its role`(account: Account) async throws {
            let role = try #require(account.role)
            let peer = try connect(account, try await Self.daemon.value)
            for (number, method) in AllMethods.list.enumerated() {
                try peer.write(
                    #"{"jsonrpc":"2.0","id":\#(number),"method":"\#(method.name)","params":{"noSuchParameter":1}}"#
                )
            }
            for _ in AllMethods.list {
                let reply = try await message(peer)
                let number = try #require(reply["id"]?.integer.flatMap { Int(exactly: $0) })
                let method = AllMethods.list[number]
                let data = reply["error"]?["data"]
                if role >= method.role {
                    #expect(data?["reason"] == "INVALID_PARAMS", "\(role) may call \(method.name)")
                } else {
                    #expect(reply["error"]?["code"] == -32007, "\(role) may not call \(method.name)")
                    #expect(data?["reason"] == "PERMISSION_DENIED")
                    #expect(data?["needRole"]?.string == method.role.rawValue)
                    #expect(data?["haveRole"]?.string == role.rawValue)
                }
            }
            try peer.closeInput()
            #expect(await peer.line() == nil)
        }

        @Test(.enabled(if: getuid() == 0, "needs root to become another user"))
        func `an operator makes customers, and only an admin makes or changes the role of a user`()
            async throws
        {
            let peer = try connect(Self.accounts[1], try await Self.daemon.value)
            for (method, params, isAllowed) in [
                ("user.create", #"{"fullName":"A","email":"operator@a.example","role":"seller"}"#, false),
                ("user.create", #"{"fullName":"A","email":"operator@a.example","role":"customer"}"#, true),
                ("user.create", #"{"fullName":"B","email":"operator@b.example"}"#, true),
                ("user.update", #"{"userId":1,"role":"admin"}"#, false),
                ("user.update", #"{"userId":1,"role":"customer","_meta":{"dryRun":true}}"#, false),
                ("user.update", #"{"userId":1,"fullName":"Ada"}"#, true),
            ] {
                try peer.write(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#)
                let reply = try await message(peer)
                #expect((reply["result"] != nil) == isAllowed, "\(method) \(params): \(reply)")
                guard !isAllowed else { continue }
                #expect(reply["error"]?["code"] == -32007)
                #expect(reply["error"]?["data"]?["needRole"] == "admin")
                #expect(reply["error"]?["data"]?["haveRole"] == "operator")
            }
            try peer.closeInput()
        }

        @Test(.enabled(if: getuid() == 0, "needs root to become another user"))
        func `a stranger gets one line and a close`() async throws {
            let daemon = try await Self.daemon.value
            let stranger = Account(user: "nobody", group: "daemon", role: nil)
            let outside = try connect(stranger, daemon)
            #expect(await outside.line() == nil, "the socket's own mode keeps strangers out")
            #expect(await outside.errorText().contains("Permission denied"))

            var old = stat()
            unsafe stat(daemon.socket, &old)
            #expect(old.st_mode & 0o7777 == 0o660)
            unsafe chmod(daemon.socket, 0o666)
            let inside = try connect(stranger, daemon, staying: 1)
            let refusal = try await message(inside)
            #expect(refusal["id"]?.isNull == true)
            #expect(refusal["error"]?["code"] == -32007)
            #expect(refusal["error"]?["data"]?["needRole"] == "viewer")
            #expect(refusal["error"]?["data"]?["haveRole"]?.isNull != false)
            #expect(await inside.line() == nil)
            unsafe chmod(daemon.socket, 0o660)
        }

        @Test func `a socket is private whatever the umask`() async throws {
            let folder = try TemporaryFolder()
            let socket = folder.path + "/made/s.sock"
            let daemon = try ChildProgram(
                "/bin/sh",
                ["-c", "umask 0; exec \"$@\"", "sh", try TestDaemon.program("pricingd")]
                    + ["--socket", socket, "--data-dir", folder.path + "/data"]
            )
            try folder.endWithFolder(daemon.pid)
            #expect(await daemon.line()?.contains(#""ready":true"#) == true)
            #expect(mode(socket) == 0o600)
            #expect(mode(folder.path + "/made") == 0o700)
            daemon.signal(SIGTERM)
            #expect(await daemon.exit() == 0)
        }

        @Test(arguments: [
            (
                ["--socket", "/tmp/" + String(repeating: "x", count: 120)], Int32(78),
                "has 125 bytes, and a socket's path may have 107"
            ),
            (["--socket", "/proc/none/s.sock"], 78, "cannot make the folder at /proc/none"),
            (["--viewer-group", "no-such-group"], 78, "there is no group no-such-group"),
            (["--mirror-dir", "/proc/none"], 78, "the mirror folder /proc/none cannot be used"),
        ])
        func `what cannot be used is said in one sentence`(arguments: [String], status: Int32, sentence: String)
            async throws
        {
            let folder = try TemporaryFolder()
            let data = ["--data-dir", folder.path + "/data"]
            let daemon = try ChildProgram(TestDaemon.program("pricingd"), arguments + data)
            #expect(await daemon.exit() == status)
            let said = await daemon.errorText()
            #expect(said.contains(sentence), "\(said)")
            #expect(said.split(separator: "\n").count == 1)
        }

        private func mode(_ path: String) -> UInt32 {
            var status = stat()
            unsafe stat(path, &status)
            return status.st_mode & 0o7777
        }
    }
}
