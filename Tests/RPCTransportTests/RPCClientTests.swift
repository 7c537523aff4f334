import Glibc
import JSON
import JSONRPC
import Synchronization
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct RPCClientTests {
    @Test func `calls, errors and many in flight`() async throws {
        try await withServer { path, _, _ in
            let client = try await RPCClient.connect(socket: path)
            #expect(try await client.call("echo", ["x": 1]) == ["x": 1])
            await #expect(throws: RPCError.methodNotFound("nothing.such")) { try await client.call("nothing.such") }
            try await withThrowingTaskGroup(of: (Int64, JSONObject).self) { group in
                for number: Int64 in 0..<2000 {
                    group.addTask { (number, try await client.call("echo", ["n": .integer(number)])) }
                }
                for try await (number, result) in group {
                    #expect(result == ["n": .integer(number)])
                }
            }
            await client.close()
            await #expect(throws: RPCClientError.disconnected) { try await client.call("echo") }
        }
    }

    @Test func `a cancelled task cancels its call`() async throws {
        try await withServer { path, _, service in
            let client = try await RPCClient.connect(socket: path)
            await withTaskGroup { group in
                group.addTask {
                    await #expect(throws: RPCError.cancelled) { try await client.call("hold", ["key": "a"]) }
                }
                await service.isHolding("a")
                group.cancelAll()
                await group.waitForAll()
                group.addTask {
                    await #expect(throws: RPCError.cancelled) { try await client.call("hold", ["key": "b"]) }
                }
            }
            await client.close()
        }
    }

    @Test func `patience ends with a timeout, and the connection goes on`() async throws {
        try await withServer { path, _, _ in
            let client = try await RPCClient.connect(socket: path)
            await #expect(throws: RPCClientError.timedOut) {
                try await client.call("hold", ["key": "t"], timeout: .milliseconds(1))
            }
            #expect(try await client.call("echo", timeout: .seconds(30)) == [:])
            await client.close()
        }
    }

    @Test func `notifications come in order and end with the connection`() async throws {
        try await withServer { path, _, _ in
            let client = try await RPCClient.connect(socket: path)
            for _ in 0..<3 {
                #expect(try await client.call("subscribe") == ["subscribed": true])
            }
            client.notify("echo")
            await client.close()
            var seen: [RPCNotification] = []
            for await notification in client.notifications {
                seen.append(notification)
            }
            #expect(seen.count <= 3)
            #expect(seen.allSatisfy { $0 == RPCNotification(method: "event", params: ["first": true]) })
        }
    }

    @Test func `a reader that lags is told how many notifications were dropped`() async throws {
        try await withServer { path, _, _ in
            let told = Mutex<[Int]>([])
            let client = try await RPCClient.connect(socket: path, keeping: 2) { dropped in
                told.withLock { $0.append(dropped) }
            }
            for _ in 0..<5 { _ = try await client.call("subscribe") }
            // Its reply comes after the last notification.
            _ = try await client.call("echo")
            #expect(told.withLock { $0 } == [1, 2, 3])
            await client.close()
            var left = 0
            for await _ in client.notifications { left += 1 }
            #expect(left == 2)
        }
    }

    @Test func `calls fail when the server goes`() async throws {
        try await withServer { path, server, service in
            let client = try await RPCClient.connect(socket: path)
            await withTaskGroup { group in
                group.addTask {
                    await #expect(throws: RPCClientError.disconnected) {
                        try await client.call("hold", ["key": "a"])
                    }
                }
                await service.isHolding("a")
                for connection in server.connections {
                    connection.abort()
                }
            }
            await client.close()
        }
    }

    @Test func `a refusal is what its calls fail with`() async throws {
        let refusal = RPCError.permissionDenied(needRole: "viewer", haveRole: nil)
        try await withServer(EchoService(refusal: refusal)) { path, _, _ in
            let client = try await RPCClient.connect(socket: path)
            await #expect(throws: refusal) { try await client.call("echo") }
            await client.close()
        }
    }

    @Test func `a request that is too long is not sent`() async throws {
        try await withServer { path, _, _ in
            let client = try await RPCClient.connect(socket: path)
            let text = JSONValue.string(String(repeating: "x", count: 1 << 20))
            await #expect {
                try await client.call("echo", ["x": text])
            } throws: { ($0 as? RPCError)?.data["limit"] == "requestLineBytes" }
            #expect(try await client.call("echo") == [:])
            await client.close()
        }
    }

    @Test func `a socket without a server`() async {
        await #expect(throws: RPCClientError.cannotConnect(path: "/nonexistent/s", errno: ENOENT)) {
            try await RPCClient.connect(socket: "/nonexistent/s")
        }
    }
}
