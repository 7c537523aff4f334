import Foundation
import Glibc
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Somebody who was at a socket's path before the daemon, and a client that would tell them a password.
    @Suite(.enabled(if: Mounts.areOurs, "needs root and mounts of its own"))
    struct ImpostorTests {
        /// A program where `folder` stands at `place`, and which is told of no socket.
        private func run(
            _ words: [String],
            _ folder: String,
            at place: String,
            session: String = ""
        ) throws -> ChildProgram {
            let script = """
                case $2 in /run/*) mount -t tmpfs none /run ;; esac
                mkdir -p -m 700 "$2"; mount --bind "$1" "$2"; shift 2; exec "$@"
                """
            return try ChildProgram(
                "/usr/bin/env",
                ["-C", ExamplesTests.root, "unshare", "--mount", "sh", "-ec", script, "sh", folder, place] + words,
                environment: ["XDG_RUNTIME_DIR": session, "RUNTIME_DIRECTORY": ""]
            )
        }

        /// Serves as somebody, and tells whether a client said anything.
        private func server(_ user: String, _ socket: String) async throws -> ChildProgram {
            let script = """
                import json, os, pwd, socket, sys
                os.setgroups([])
                os.setgid(65534)
                os.setuid(pwd.getpwnam(sys.argv[2]).pw_uid)
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(sys.argv[1])
                os.chmod(sys.argv[1], 0o777)
                listener.listen()
                print("listens")
                while True:
                    link = listener.accept()[0]
                    heard = "nothing"
                    for line in link.makefile("rb"):
                        heard = "a request"
                        reply = {"jsonrpc": "2.0", "id": json.loads(line)["id"], "result": {}}
                        link.sendall(json.dumps(reply).encode() + b"\\n")
                    print(heard)
                    link.close()
                """
            let server = try ChildProgram("/usr/bin/env", ["python3", "-u", "-c", script, socket, user])
            #expect(await server.line() == "listens")
            return server
        }

        private static let fallback = "/tmp/pricingd-0"

        private static let clients: [(name: String, words: [String], asks: Bool)] = [
            ("repl", ["pricing-repl", "-c", "session.ping"], true),
            ("simulate", ["pricing-simulate", "orders", "--duration", "1"], true),
            ("bench", ["pricing-bench", "--work", "pings", "--seconds", "1"], true),
            ("python", ["python3", "examples/python/place_order.py", "1", "1", "1"], true),
            ("node", ["node", "examples/node/place_order.mjs", "1", "1", "1"], false),
            ("shell", ["bash", "examples/shell/place_order.sh", "1", "1", "1"], false),
        ]

        private func words(_ words: [String]) throws -> [String] {
            words[0].hasPrefix("pricing-") ? [try TestDaemon.program(words[0])] + words.dropFirst() : words
        }

        /// - Parameter keeper: whose the folder is.
        @Test(arguments: ["nobody", "root"]) func `no client says a word to an impostor`(keeper: String) async throws {
            let folder = try TemporaryFolder()
            let evil = folder.path + "/evil"
            unsafe chmod(folder.path, 0o755)
            unsafe mkdir(evil, 0o700)
            unsafe chmod(evil, 0o777)
            if keeper == "nobody" { unsafe chown(evil, 65534, 65534) }
            let impostor = try await server("nobody", evil + "/pricingd.sock")
            try folder.endWithFolder(impostor.pid)
            for client in Self.clients {
                let program = try run(words(client.words), evil, at: Self.fallback)
                let said = await program.errorText()
                #expect(await program.exit() != 0, "\(client.name)")
                let reason = client.asks ? "uid 65534" : "not a folder of uid 0 alone"
                #expect(said.contains(reason), "\(client.name): \(said)")
                // Those who can ask the kernel had to connect; not a byte came with it.
                if client.asks { #expect(await impostor.line() == "nothing", "\(client.name)") }
            }
            // The path as such, where a client is told it: the folder is not more to be trusted for that.
            if keeper == "root" {
                let program = try ChildProgram(
                    TestDaemon.program("pricing-repl"),
                    ["--socket", evil + "/pricingd.sock", "-c", "session.ping"]
                )
                #expect(await program.exit() == 2)
                #expect(await impostor.line() == "nothing")
            }
            impostor.signal(SIGTERM)
            #expect(await impostor.line() == nil)

            let serve = [try TestDaemon.program("pricingd"), "--data-dir", folder.path + "/data"]
            let daemon = try run(serve, evil, at: Self.fallback)
            #expect(await daemon.exit() == 78)
            #expect(await daemon.errorText().contains("\(Self.fallback) "))
        }

        /// A service's own user keeps the folder, which only root could have given them.
        @Test func `an installed service is found, and the keeper of its folder is spoken to`() async throws {
            let folder = try TemporaryFolder()
            let place = folder.path + "/service"
            unsafe mkdir(place, 0o755)
            unsafe chmod(folder.path, 0o755)
            unsafe chown(place, 5, 60)
            let service = try await server("games", place + "/pricingd.sock")
            try folder.endWithFolder(service.pid)
            let python = """
                import sys; sys.path.append("examples/python")
                from pricingd_client import Client; print(Client().call("session.ping"))
                """
            let repl = [try TestDaemon.program("pricing-repl"), "-c", "session.ping"]
            for client in [repl, ["python3", "-c", python]] {
                for session in ["", folder.path] {
                    let program = try run(client, place, at: "/run/pricingd", session: session)
                    let answer = await program.line()
                    let errors = await program.errorText()
                    #expect(answer == "{}", "\(client): \(errors)")
                    #expect(await program.exit() == 0)
                }
            }
        }
    }
}
