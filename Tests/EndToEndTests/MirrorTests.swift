import Foundation
import Glibc
import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// `--mirror-dir`: every connection's lines, but no secret; never in the way of a call.
    @Suite
    struct MirrorTests {
        private static let secret = "correct horse"

        private static let conversation = [
            #"{"jsonrpc":"2.0","id":1,"method":"session.hello"}"#,
            #"{"jsonrpc":"2.0","id":2,"method":"user.create","params":{"fullName":"A","email":"a@x.example","password":"correct horse"}}"#,
            #"{"jsonrpc":"2.0","id":3,"method":"user.authenticate","params":{"email":"a@x.example","password":"correct horse"}}"#,
            #"{"jsonrpc":"2.0","id":4,"method":"user.creat","params":{"p\u0061ssword":"correct horse"}}"#,
            #"{"jsonrpc":"2.0","id":5,"method":"user.authenticate","params":["a@x.example","correct horse"]}"#,
            #"{"jsonrpc":"2.0","id":6,"method":"user.authenticate","params":{"email":"a@x.example","password":["correct horse"]}}"#,
            #"{"jsonrpc":"2.0","id":7,"method":"user.authenticate","params":{"email":"a","password":{"is":"correct horse"}}}"#,
            #"{"jsonrpc":"2.0","id":8,"method":"user.authenticate","params":{"password":"correct horse""#,
            #"[{"jsonrpc":"2.0","id":9,"method":"user.authenticate","params":{"email":"b","password":"correct horse"}}]"#,
            #"{"jsonrpc":"2.0","id":10,"method":"category.create","params":{"name":"Tea"}}"#,
        ]

        private func files(_ folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { folder + "/" + $0 }
        }

        private func mode(_ path: String) -> UInt32 {
            var status = stat()
            unsafe stat(path, &status)
            return status.st_mode & 0o777
        }

        @Test func `a conversation is kept without secrets and can be had again`() async throws {
            let temporary = try TemporaryFolder()
            let folder = temporary.path + "/mirror"
            let daemon = try await TestDaemon.start(arguments: ["--mirror-dir", folder])
            let peer = try daemon.lines()
            for line in Self.conversation {
                peer.send(line)
                _ = try #require(await peer.line())
            }
            peer.endInput()
            #expect(await peer.line() == nil)
            // What is kept of a key that stands twice is no longer that, so it is no part of the conversation above.
            let other = try daemon.lines()
            other.send(
                #"{"jsonrpc":"2.0","id":1,"method":"user.authenticate","params":{"password":"x","password":"correct horse"}}"#
            )
            _ = try #require(await other.line())
            let instance = try await daemon.client().call("server.status")["instanceId"]?.string ?? ""
            #expect(await daemon.stop() == 0)

            #expect(mode(folder) == 0o700)
            let kept = try files(folder)
            let file = folder + "/\(instance)-1.mirror"
            #expect(kept.contains(file), "\(kept)")
            for path in kept {
                #expect(mode(path) == 0o600)
                #expect(!(try String(contentsOfFile: path, encoding: .utf8)).contains(Self.secret))
            }
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            #expect(lines.filter { $0.hasPrefix("> ") }.count == Self.conversation.count)
            #expect(lines.filter { $0.hasPrefix("< ") }.count == Self.conversation.count)
            #expect(lines.first == "> \(Self.conversation[0])")
            #expect(lines.contains("> \(Self.conversation[9])"))

            let fresh = try await TestDaemon.start()
            let replay = try ChildProgram(
                "/usr/bin/env",
                ["python3", ExamplesTests.root + "/examples/python/replay.py", file],
                environment: ["PRICINGD_SOCKET": fresh.socket]
            )
            let said = await replay.line()
            let problem = await replay.errorText()
            #expect(said == "\(instance)-1.mirror: 10 messages as expected", "\(problem)")
            #expect(await fresh.stop() == 0)
        }

        @Test func `a full file or a missing folder delays no call`() async throws {
            let temporary = try TemporaryFolder()
            let folder = temporary.path + "/mirror"
            let limit = 1000
            let daemon = try await TestDaemon.start(
                arguments: ["--mirror-dir", folder, "--limit", "mirrorFileBytes=\(limit)"]
            )
            let client = try await daemon.client()
            let limits = try await client.call("session.hello")["limits"]
            #expect(limits?["mirrorFileBytes"] == .integer(Int64(limit)))
            for _ in 1...20 { _ = try await client.call("category.list") }
            await client.close()
            // A call on another connection is written after all of the first one.
            let full = try #require(try files(folder).first { $0.hasSuffix("-1.mirror") })
            try FileManager.default.moveItem(atPath: folder, toPath: folder + ".gone")
            let other = try await daemon.client()
            _ = try await other.call("category.list")
            #expect(await daemon.stop() == 0)
            let text = try String(
                contentsOfFile: full.replacingOccurrences(of: "/mirror/", with: "/mirror.gone/"),
                encoding: .utf8
            )
            #expect(text.hasSuffix("# the file is full: mirrorFileBytes \(limit)\n"))
            #expect(text.utf8.count <= limit)
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }
}
