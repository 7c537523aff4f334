import Foundation
import Glibc
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What a service manager hands over and is told: `LISTEN_FDS`, `NOTIFY_SOCKET`, `WATCHDOG_USEC`.
    @Suite
    struct ServiceManagerTests {
        private let ping = #"{"jsonrpc":"2.0","id":1,"method":"session.ping"}"#
        private let pong = #"{"jsonrpc":"2.0","id":1,"result":{}}"#

        private func python(_ script: String, _ arguments: [String], in folder: TemporaryFolder) throws -> ChildProgram
        {
            let program = try ChildProgram("/usr/bin/env", ["python3", "-u", "-c", script] + arguments)
            try folder.endWithFolder(program.pid)
            return program
        }

        @Test func `a listening socket is taken over`() async throws {
            let folder = try TemporaryFolder()
            let socket = folder.path + "/handed.sock"
            let script = """
                import os, socket, sys
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(sys.argv[1])
                listener.listen()
                os.dup2(listener.fileno(), 3)
                os.set_inheritable(3, True)
                os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
                os.execv(sys.argv[2], sys.argv[2:])
                """
            let arguments = [socket, try TestDaemon.program("pricingd"), "--data-dir", folder.path + "/data"]
            let daemon = try python(script, arguments, in: folder)
            #expect(await daemon.line()?.contains(#""ready":true,"socket":"\#(socket)""#) == true)
            let peer = try LineClient(socket: socket, isChecking: true)
            peer.send(ping)
            #expect(await peer.line() == pong)
            daemon.signal(SIGTERM)
            #expect(await daemon.exit() == 0)
            #expect(FileManager.default.fileExists(atPath: socket), "the service manager made it")
        }

        @Test func `a connected socket is served alone`() async throws {
            let folder = try TemporaryFolder()
            let script = """
                import os, socket, sys
                ours, theirs = socket.socketpair()
                daemon = os.fork()
                if daemon == 0:
                    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
                    os.dup2(theirs.fileno(), 3)
                    os.set_inheritable(3, True)
                    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
                    os.closerange(4, 100)
                    os.execv(sys.argv[2], sys.argv[2:])
                theirs.close()
                ours.sendall(sys.argv[1].encode() + b"\\n")
                ours.shutdown(socket.SHUT_WR)
                print(ours.makefile().read(), end="")
                print("ended with", os.waitpid(daemon, 0)[1])
                """
            let arguments = [ping, try TestDaemon.program("pricingd"), "--data-dir", folder.path + "/data"]
            let program = try python(script, arguments, in: folder)
            #expect(await program.line() == pong)
            #expect(await program.line() == "ended with 0")
        }

        @Test func `the manager hears of readiness life and end`() async throws {
            let folder = try TemporaryFolder()
            let script = """
                import socket, sys
                listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                listener.bind(sys.argv[1])
                print("bound")
                while True:
                    print(listener.recv(4096).decode().replace("\\n", " "))
                """
            let manager = try python(script, [folder.path + "/notify"], in: folder)
            #expect(await manager.line() == "bound")
            let daemon = try ChildProgram(
                TestDaemon.program("pricingd"),
                ["--socket", folder.path + "/s.sock", "--data-dir", folder.path + "/data"],
                environment: ["NOTIFY_SOCKET": folder.path + "/notify", "WATCHDOG_USEC": "100000"]
            )
            try folder.endWithFolder(daemon.pid)
            var heard: Set<String> = []
            while !heard.isSuperset(of: ["READY=1 STATUS=Serving", "WATCHDOG=1"]) {
                heard.insert(try #require(await manager.line()))
            }
            #expect(await manager.line() == "WATCHDOG=1", "again and again")
            daemon.signal(SIGTERM)
            while !heard.contains("STOPPING=1 STATUS=Draining") {
                heard.insert(try #require(await manager.line()))
            }
            #expect(heard.count == 3)
            #expect(await daemon.exit() == 0)
            manager.signal(SIGTERM)
        }
    }
}
