import Glibc
import JSON
import JSONRPC
import Logging
import PricingTestSupport
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct DrainTests {
    @Test func `a drain answers what is in flight and refuses what is new`() async throws {
        try await withServer { path, server, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "a"]))
            await service.isHolding("a")
            async let outcome = server.drain(until: .now + .seconds(30))
            var refused: JSONValue?
            // Until the drain has begun, calls are still answered.
            while refused == nil {
                client.send(request(2, "echo"))
                refused = try parsed(await client.line())["error"]
            }
            #expect(refused?["code"] == -32006)
            #expect(refused?["data"]?["retryable"] == true)
            service.free("a")
            // An echo may have been in flight still when the drain began.
            let ended = await outcome
            #expect(ended.cancelled == 0 && (1...2).contains(ended.completed), "\(ended)")
            #expect(try parsed(await client.line())["id"] == 1)
            server.shutdown()
            #expect(await client.line() == nil)
        }
    }

    @Test func `at the deadline the rest is cancelled`() async throws {
        try await withServer { path, server, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "a"]))
            await service.isHolding("a")
            #expect(await server.drain(until: .now) == DrainCount(completed: 0, cancelled: 1))
            #expect(try parsed(await client.line())["error"]?["code"] == -32001)
        }
    }

    @Test func `the call that asked for the drain is spared, and answered before the close`() async throws {
        try await withServer { path, server, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "a"]))
            await service.isHolding("a")
            client.send(request(2, "hold", ["key": "b"]))
            await service.isHolding("b")
            let asking = try #require(service.lastHeld)
            #expect(await server.drain(until: .now, sparing: asking) == DrainCount(completed: 0, cancelled: 1))
            #expect(try parsed(await client.line())["error"]?["code"] == -32001)
            server.shutdown()
            service.free("b")
            let last = try parsed(await client.line())
            #expect(last["id"] == asking.id?.json)
            #expect(last["result"] != nil)
            #expect(await client.line() == nil)
        }
    }

    @Test func `after shutdown run returns by itself, and the socket is gone`() async throws {
        try await withFolder { folder in
            let path = folder + "/s"
            let service = EchoService()
            let server = RPCServer(
                listener: .socket(try ListeningSocket(path: path)),
                service: service,
                logger: Logger(label: "test")
            )
            async let run: Void = server.run()
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "a"]))
            await service.isHolding("a")
            server.shutdown()
            service.free("a")
            #expect(try parsed(await client.line())["id"] == 1)
            #expect(await client.line() == nil)
            try await run
            #expect(unsafe access(path, F_OK) != 0)
            #expect(throws: RPCClientError.self) { try LineClient(socket: path) }
        }
    }

    @Test func `a peer that reads nothing does not keep the server from ending`() async throws {
        try await withFolder { folder in
            let path = folder + "/s"
            let server = RPCServer(
                listener: .socket(try ListeningSocket(path: path)),
                service: EchoService(),
                logger: Logger(label: "test")
            )
            async let run: Void = server.run()
            let deaf = try LineClient(socket: path, reads: false)
            deaf.send(request(1, "big", ["bytes": 4_000_000]), request(2, "session.ping"))
            let other = try LineClient(socket: path)
            other.send(request(1, "echo"))
            #expect(await other.line() != nil)
            server.shutdown()
            try await run
        }
    }
}
