import Foundation
import Glibc
import JSON
import JSONRPC
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// How the daemon begins and ends, and who may speak to it.
    @Suite
    struct LifecycleTests {
        private static let daemon = Task {
            try await TestDaemon.start(arguments: getuid() == 0 ? ["--viewer-group", "nogroup"] : [])
        }

        @Test func `sigterm answers what is in flight and exits`() async throws {
            let daemon = try await Self.daemon.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let held = try await HeldLock(row: product, in: daemon)
            let other = try await daemon.client()
            async let inFlight = shop.buy(product)
            try await held.awaitWaiter()
            daemon.program.signal(SIGTERM)
            let begin = ContinuousClock.now
            // Once new calls are refused, the drain has begun.
            while true {
                do {
                    _ = try await other.call("session.ping")
                } catch let error as RPCError {
                    #expect(error.reason == "SHUTTING_DOWN")
                    #expect(error.retryable)
                    break
                }
            }
            try await held.release()
            #expect(try await inFlight["total"] == "100.00")
            #expect(await daemon.program.exit() == 0)
            #expect(begin.duration(to: .now) < .seconds(5))
            #expect(await daemon.program.line() == nil, "one line on stdout, the ready line")
            #expect(daemon.postmaster == nil, "its server went with it")
            #expect(!FileManager.default.fileExists(atPath: daemon.socket))
            try await daemon.restart()
            let again = try await daemon.client()
            #expect(try await again.call("product.get", ["productId": .integer(product)])["stock"] == 49)
            await again.close()
        }

        @Test func `a drain is answered and ends the daemon`() async throws {
            let daemon = try await Self.daemon.value
            let client = try await daemon.client()
            let reply = try await client.call("server.drain", ["timeoutMs": 1000])
            #expect(reply["completed"] == 0)
            #expect(reply["cancelled"] == 0)
            #expect(await daemon.program.exit() == 0)
            try await daemon.restart()
        }

        /// What cannot end is cut: an answer all the same, and the exit in time.
        @Test(arguments: ["order.place", "inventory.restock"]) func `sigterm cuts what cannot end`(method: String)
            async throws
        {
            let daemon = try await Self.daemon.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let held = try await HeldLock(row: product, in: daemon)
            let params: JSONObject =
                method == "order.place" ? shop.order(of: product) : ["productId": .integer(product), "quantity": 1]
            let call = Task { try await shop.client.call(method, params) }
            try await held.awaitWaiter()
            let begin = ContinuousClock.now
            #expect(await daemon.stop() == 0)
            #expect(begin.duration(to: .now) < .seconds(5))
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(
                ["CANCELLED", "SHUTTING_DOWN", "RESOURCE_EXHAUSTED"].contains(error?.reason),
                "\(error?.reason ?? "")"
            )
            try await daemon.restart()
            let again = try await daemon.client()
            #expect(try await again.call("product.get", ["productId": .integer(product)])["stock"] == 50)
            await again.close()
        }

        @Test func `the clock of a live shop stands`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            let client = try await daemon.client()
            let refusal = try await client.refusal("clock.set", ["at": "2040-01-01T00:00:00Z"])
            #expect(refusal.code == 502)
            #expect(refusal.reason == "NOT_A_SANDBOX")
            #expect(try await client.call("clock.get")["virtual"] == false)
            await client.close()
        }

        @Test func `a second daemon is refused`() async throws {
            let daemon = try await Self.daemon.value
            let sameSocket = ["--socket", daemon.socket, "--data-dir", daemon.folder + "/other"]
            let sameData = ["--socket", daemon.folder + "/other.sock", "--data-dir", daemon.dataDirectory]
            for arguments in [sameSocket, sameData] {
                let second = try ChildProgram(TestDaemon.program("pricingd"), arguments)
                #expect(await second.exit() == 73)
                #expect(await second.errorText().contains("(pid \(daemon.program.pid))"))
                #expect(await second.line() == nil)
            }
            let client = try await daemon.client()
            #expect(try await client.call("session.ping").isEmpty, "the first one serves on")
            await client.close()
        }

        @Test func `a stale socket is replaced`() async throws {
            let daemon = try await Self.daemon.value
            await daemon.kill9()
            #expect(FileManager.default.fileExists(atPath: daemon.socket), "stale")
            let error = await #expect(throws: RPCClientError.self) { try await daemon.client() }
            #expect(error == .cannotConnect(path: daemon.socket, errno: ECONNREFUSED))
            try await daemon.restart()
            let client = try await daemon.client()
            #expect(try await client.call("session.ping").isEmpty)
            await client.close()
        }

        @Test func `a conversation on stdio`() async throws {
            let daemon = try await Self.daemon.value
            #expect(await daemon.stop() == 0)
            let program = try ChildProgram(
                TestDaemon.program("pricingd"),
                ["--stdio", "--data-dir", daemon.dataDirectory]
            )
            try program.write(#"{"jsonrpc":"2.0","id":1,"method":"session.hello"}"#)
            let hello = try JSONParser.parse(Array(try #require(await program.line()).utf8))
            #expect(hello["id"] == 1)
            #expect(hello["result"]?["peer"]?["role"] == "admin")
            try program.write("nonsense")
            let refusal = try JSONParser.parse(Array(try #require(await program.line()).utf8))
            #expect(refusal["error"]?["code"] == -32700)
            try program.write(#"{"jsonrpc":"2.0","id":2,"method":"category.create","params":{"name":"By stdio"}}"#)
            try program.closeInput()
            let created = try JSONParser.parse(Array(try #require(await program.line()).utf8))
            #expect(created["result"]?["name"] == "By stdio", "what was sent before the end is answered")
            #expect(await program.line() == nil)
            #expect(await program.exit() == 0)
            try await daemon.restart()
        }

        /// Another user, let in by the socket's mode: a viewer by group, or without a role.
        @Test(.enabled(if: getuid() == 0, "needs root to become another user"))
        func `a user without a role is sent away`() async throws {
            let daemon = try await Self.daemon.value
            unsafe chmod(daemon.folder, 0o755)
            let viewer = try program(["--reuid=nobody", "--regid=nogroup", "--clear-groups"], daemon)
            try viewer.write(#"{"jsonrpc":"2.0","id":1,"method":"session.hello"}"#)
            let hello = try JSONParser.parse(Array(try #require(await viewer.line()).utf8))
            #expect(hello["result"]?["peer"]?["role"] == "viewer")
            try viewer.write(#"{"jsonrpc":"2.0","id":2,"method":"category.create","params":{"name":"Mine"}}"#)
            let refusal = try JSONParser.parse(Array(try #require(await viewer.line()).utf8))
            #expect(refusal["error"]?["data"]?["reason"] == "PERMISSION_DENIED")
            #expect(refusal["error"]?["data"]?["needRole"] == "operator")
            #expect(refusal["error"]?["data"]?["haveRole"] == "viewer")
            try viewer.closeInput()

            unsafe chmod(daemon.socket, 0o666)
            let stranger = try program(["--reuid=nobody", "--regid=daemon", "--clear-groups"], daemon)
            let line = try JSONParser.parse(Array(try #require(await stranger.line()).utf8))
            #expect(line["id"]?.isNull == true)
            #expect(line["error"]?["code"] == -32007)
            #expect(await stranger.line() == nil, "one line and a close")
            unsafe chmod(daemon.socket, 0o660)
            unsafe chmod(daemon.folder, 0o700)
        }

        private func program(_ who: [String], _ daemon: TestDaemon) throws -> ChildProgram {
            try ChildProgram("/usr/bin/env", ["setpriv"] + who + ["socat", "-", "UNIX-CONNECT:\(daemon.socket)"])
        }
    }
}
