import Glibc
import JSON
import JSONRPC
import PricingTestSupport
import Testing
import Waking

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct RPCServerTests {
    @Test func `answers one call`() async throws {
        try await withServer { path, _, _ in
            let client = try LineClient(socket: path)
            client.send(request("a", "echo", ["x": 1]))
            #expect(await client.line() == #"{"jsonrpc":"2.0","id":"a","result":{"x":1}}"#)
        }
    }

    @Test func `knows its peer`() async throws {
        try await withServer { path, _, _ in
            let client = try LineClient(socket: path)
            client.send(request(1, "peer"))
            let reply = try parsed(await client.line())
            #expect(reply["result"] == ["uid": .integer(Int64(getuid())), "pid": .integer(Int64(getpid()))])
        }
    }

    @Test func `ten thousand pipelined requests get one reply each`() async throws {
        try await withServer { path, _, _ in
            let client = try LineClient(socket: path)
            let lines = (0..<10_000).map { request(.integer($0), "echo", ["n": .integer($0)]) + "\n" }
            client.send(bytes: Array(lines.joined().utf8))
            var seen: Set<Int64> = []
            for _ in 0..<10_000 {
                let reply = try parsed(await client.line())
                let id = try #require(reply["id"]?.integer)
                #expect(reply["result"]?["n"]?.integer == id)
                #expect(seen.insert(id).inserted)
            }
            #expect(seen.count == 10_000)
        }
    }

    @Test func `a peer that writes all its requests before it reads gets all replies`() async throws {
        try await withServer { path, _, _ in
            let client = try LineClient(socket: path, reads: false)
            let count: Int64 = 20_000
            let lines = (0..<count).map { request(.integer($0), "big", ["bytes": 200]) + "\n" }
            client.send(bytes: Array(lines.joined().utf8))
            client.startReading()
            for _ in 0..<count { #expect(await client.line() != nil) }
        }
    }

    @Test func `a slow reader gets everything and does not hold up others`() async throws {
        var limits = TransportLimits()
        limits.outputPauseBytes = 64 << 10
        try await withServer(limits: limits) { path, server, service in
            let slow = try LineClient(socket: path, reads: false)
            let count: Int64 = 5_000
            let lines = (0..<count).map { request(.integer($0), "big", ["bytes": 1000]) + "\n" }
            slow.send(bytes: Array(lines.joined().utf8))
            slow.send(request("last", "free", ["key": "k"]))
            let other = try LineClient(socket: path)
            for round in 0..<100 {
                other.send(request(.integer(Int64(round)), "echo"))
                #expect(await other.line() != nil)
            }
            let waiting = server.connections.map(\.pendingOutputBytes).max() ?? 0
            #expect(waiting < 4 << 20)
            slow.startReading()
            for _ in 0...count {
                #expect(await slow.line() != nil)
            }
        }
    }

    @Test func `replies overtake each other`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "a"]))
            await service.isHolding("a")
            client.send(request(2, "echo"))
            #expect(try parsed(await client.line())["id"] == 2)
            client.send(request(3, "free", ["key": "a"]))
            let ids = [try parsed(await client.line())["id"], try parsed(await client.line())["id"]]
            #expect(ids.contains(1) && ids.contains(3))
        }
    }

    @Test func `an event never comes before the reply that promised it`() async throws {
        try await withServer { path, _, _ in
            let client = try LineClient(socket: path)
            for round in 0..<200 {
                client.send(request(.integer(Int64(round)), "subscribe"))
                #expect(try parsed(await client.line())["result"]?["subscribed"] == true)
                #expect(await client.line() == #"{"jsonrpc":"2.0","method":"event","params":{"first":true}}"#)
            }
        }
    }

    @Test func `notifications are never answered`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send(
                #"{"jsonrpc":"2.0","method":"echo"}"#,
                #"{"jsonrpc":"2.0","method":"nothing.such"}"#,
                #"{"jsonrpc":"2.0","method":"echo","params":[1]}"#,
                #"[{"jsonrpc":"2.0","method":"echo"}]"#,
                request(1, "echo")
            )
            client.endInput()
            #expect(await client.lines() == [#"{"jsonrpc":"2.0","id":1,"result":{}}"#])
            #expect(service.notified.sorted() == ["echo", "echo", "nothing.such"])
        }
    }

    @Test func `garbage costs one error each and the connection stays`() async throws {
        try await withServer { path, _, _ in
            let client = try LineClient(socket: path)
            client.send(bytes: [0xFF, 0xFE, 0x0A, 0x00, 0x0A, 0x0D, 0x0A])
            client.send("GET / HTTP/1.1", "{", "[1]", "[]", #"{"jsonrpc":"2.0","id":9,"result":{}}"#)
            var codes: [Int64?] = []
            for _ in 0..<7 {
                let reply = try parsed(await client.line())
                codes.append((reply["error"] ?? reply.array?.first?["error"])?["code"]?.integer)
            }
            #expect(codes == [-32700, -32700, -32700, -32700, -32600, -32600, -32600])
            client.send(request(1, "echo"))
            #expect(try parsed(await client.line())["result"] == [:])
        }
    }

    @Test func `batches are answered in one line`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            let notification = #"{"jsonrpc":"2.0","method":"echo"}"#
            let parts = [
                request(1, "echo", ["x": 1]), notification, "7", request(2, "nothing.such"), request(3, "echo"),
                request(3, "echo"), request(4, "hold", ["key": "b"]),
            ]
            client.send("[\(parts.joined(separator: ","))]")
            await service.isHolding("b")
            client.send(request(5, "echo"))
            #expect(try parsed(await client.line())["id"] == 5)
            service.free("b")
            let replies = try #require(try parsed(await client.line()).array)
            #expect(replies.count == 6)
            #expect(replies.contains(["jsonrpc": "2.0", "id": 1, "result": ["x": 1]]))
            #expect(replies.contains { $0["id"] == 2 && $0["error"]?["code"] == -32601 })
            #expect(replies.contains { $0["id"] == 4 && $0["result"] != nil })
            #expect(replies.count { $0["id"]?.isNull == true && $0["error"]?["code"] == -32600 } >= 1)
        }
    }

    @Test func `an id in flight is refused with id null, and free again after its reply`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send(request("x", "hold", ["key": "d"]))
            await service.isHolding("d")
            client.send(request("x", "echo"))
            let reply = try parsed(await client.line())
            #expect(reply["id"]?.isNull == true)
            #expect(reply["error"]?["data"]?["reason"] == "DUPLICATE_ID")
            #expect(reply["error"]?["data"]?["duplicateOf"] == "x")
            service.free("d")
            #expect(try parsed(await client.line())["id"] == "x")
            for _ in 0..<100 {
                client.send(request("x", "echo"))
                #expect(try parsed(await client.line())["result"] != nil)
            }
        }
    }

    @Test func `cancel reaches the call, which still gets its one reply`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "c"]), request(2, "hold", ["key": "e"]))
            await service.isHolding("c")
            await service.isHolding("e")
            client.send(#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}"#)
            let reply = try parsed(await client.line())
            #expect(reply["id"] == 1)
            #expect(reply["error"]?["code"] == -32001)
            client.send(request("c", "$/cancelRequest", ["id": 2]))
            let replies = [try parsed(await client.line()), try parsed(await client.line())]
            #expect(replies.contains { $0["id"] == "c" && $0["result"] == [:] })
            #expect(replies.contains { $0["id"] == 2 && $0["error"]?["code"] == -32001 })
            client.send(
                request(3, "$/cancelRequest", ["id": 99]),
                request(4, "$/cancelRequest"),
                #"{"jsonrpc":"2.0","method":"$/cancelRequest"}"#
            )
            #expect(try parsed(await client.line())["result"] == [:])
            #expect(try parsed(await client.line())["error"]?["code"] == -32602)
        }
    }

    @Test func `a client that vanishes in the middle leaves nothing behind`() async throws {
        try await withServer { path, server, service in
            for _ in 0..<20 {
                let client = try LineClient(socket: path)
                client.send(request(1, "hold", ["key": "v"]))
                client.send(bytes: Array(#"{"jsonrpc":"2.0","id":2,"met"#.utf8))
                client.vanish()
                _ = await client.lines()
                await service.closed.wait()
            }
            let client = try LineClient(socket: path)
            client.send(request(1, "echo"))
            #expect(await client.line() != nil)
            #expect(server.callsInFlight == 0 || server.callsInFlight == 1)
        }
    }

    @Test func `the last line needs no LF when input ends, and replies still come`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "h"]))
            client.send(bytes: Array(request(2, "echo").utf8))
            client.endInput()
            #expect(try parsed(await client.line())["id"] == 2)
            service.free("h")
            #expect(try parsed(await client.line())["id"] == 1)
            #expect(await client.line() == nil)
        }
    }
}
