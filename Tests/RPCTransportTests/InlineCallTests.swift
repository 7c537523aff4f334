import JSON
import JSONRPC
import Logging
import NIOCore
import NIOPosix
import PricingTestSupport
import Synchronization
import Testing
import Waking

@testable import RPCTransport

/// Calls that need no task: answered at once, or later by the service that took them.
@Suite(.timeLimit(.minutes(1))) struct InlineCallTests {
    @Test func `replies to one piece of input leave in one write`() async throws {
        let transport = CountingTransport()
        let peer = Peer(pid: 1, uid: 1, gid: 1)
        let connection = RPCConnection(number: 1, peer: peer, transport: transport, limits: .defaults)
        let runner = ConnectionRunner(
            connection: connection,
            service: EchoService(),
            register: ConnectionRegister(limits: .defaults, ownUser: 1),
            logger: Logger(label: "test")
        )
        async let served: Void = runner.run(refusal: nil)
        for round in 0..<3 {
            let lines = (0..<100).map { request(.integer($0), "now", ["round": .integer(Int64(round))]) + "\n" }
            connection.inbox.put(ByteBuffer(string: lines.joined()))
            let written = try #require(await transport.nextWrite())
            #expect(written.split(separator: "\n").count == 100)
        }
        connection.transportClosed()
        await served
    }

    @Test func `is in flight until it is answered, from wherever that is done`() async throws {
        try await withServer { path, server, service in
            let client = try LineClient(socket: path)
            client.send(request("x", "keep", ["n": 1]))
            await service.keeping.wait()
            #expect(server.callsInFlight == 1)
            client.send(request("x", "now"))
            #expect(try parsed(await client.line())["error"]?["data"]?["reason"] == "DUPLICATE_ID")
            service.answerKept()
            #expect(await client.line() == #"{"jsonrpc":"2.0","id":"x","result":{"n":1}}"#)
            client.send(request("x", "now", ["n": 2]))
            #expect(await client.line() == #"{"jsonrpc":"2.0","id":"x","result":{"n":2}}"#)
        }
    }

    /// Once a call was refused, those after it are refused by the beginning of their line.
    @Test func `a refusal for want of room is the same whether its line is parsed or not`() async throws {
        try await withServer { path, server, service in
            let client = try LineClient(socket: path)
            client.send(request("held", "keep"))
            await service.keeping.wait()
            let error =
                #""error":{"code":-32005,"message":"The limit test of 1 is reached.","data":"#
                + #"{"reason":"RESOURCE_EXHAUSTED","retryable":true,"retryAfterMs":5,"which":"test","value":1}}}"#
            for id in 1...3 {
                client.send(request(.integer(Int64(id)), "busy", ["n": 1]))
                #expect(await client.line() == #"{"jsonrpc":"2.0","id":\#(id),"# + error)
            }
            #expect(server.callsInFlight == 1)
            client.send(request("held", "busy", ["n": 1]))
            #expect(try parsed(await client.line())["error"]?["data"]?["reason"] == "DUPLICATE_ID")
            client.send(request(4, "busy", ["n": 1]), request(5, "now", ["n": 2]))
            #expect(await client.line() == #"{"jsonrpc":"2.0","id":4,"# + error)
            #expect(await client.line() == #"{"jsonrpc":"2.0","id":5,"result":{"n":2}}"#)
            service.answerKept()
            #expect(try parsed(await client.line())["id"] == "held")
        }
    }

    @Test func `is told of a cancel, and still gets its one reply`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "keep"))
            await service.keeping.wait()
            client.send(request(2, "$/cancelRequest", ["id": 1]))
            #expect(try parsed(await client.line())["id"] == 2)
            service.answerKept()
            #expect(try parsed(await client.line())["error"]?["code"] == -32001)
        }
    }

    @Test func `is waited for at the end of the input`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "keep"), request(2, "now"))
            client.endInput()
            #expect(try parsed(await client.line())["id"] == 2)
            service.answerKept()
            #expect(try parsed(await client.line())["id"] == 1)
            #expect(await client.line() == nil)
        }
    }

    @Test func `stands in the answer to its batch`() async throws {
        try await withServer { path, _, service in
            let client = try LineClient(socket: path)
            client.send("[\(request(1, "now")),\(request(2, "keep")),\(request(3, "echo"))]")
            await service.keeping.wait()
            service.answerKept()
            let replies = try #require(try parsed(await client.line()).array)
            #expect(Set(replies.compactMap { $0["id"]?.integer }) == [1, 2, 3])
        }
    }

    @Test func `of a peer that went away holds up no other peer`() async throws {
        try await withServer { path, _, service in
            let gone = try LineClient(socket: path)
            gone.send(request(1, "keep"))
            await service.keeping.wait()
            let cancelled = Waker()
            service.onKeptCancel { cancelled.wake() }
            gone.vanish()
            await cancelled.wait()
            // As many peers as there are event loops, and more: one of them shares the loop.
            for _ in 0..<(2 * System.coreCount) {
                let other = try LineClient(socket: path)
                for number in 0..<20 {
                    other.send(request(.integer(Int64(number)), "session.ping"))
                    #expect(try parsed(await other.line())["id"]?.integer == Int64(number))
                }
            }
            service.answerKept()
        }
    }

    @Test func `of a long line has a task`() async throws {
        try await withServer { path, _, _ in
            let client = try LineClient(socket: path)
            let text = String(repeating: "x", count: 100_000)
            client.send(request(1, "now", ["x": .string(text)]), request(2, "now"))
            let replies = [try parsed(await client.line()), try parsed(await client.line())]
            #expect(replies.first { $0["id"] == 1 }?["result"]?["x"]?.string == text)
            #expect(replies.contains { $0["id"] == 2 })
        }
    }

    @Test func `a ping is answered while ten thousand calls wait`() async throws {
        var limits = TransportLimits()
        limits.inFlightPerConnection = 20_000
        limits.waitingCalls = 20_000
        try await withServer(limits: limits) { path, server, service in
            let busy = try LineClient(socket: path)
            let lines = (0..<10_000).map { request(.integer($0), "keep") + "\n" }
            busy.send(bytes: Array(lines.joined().utf8))
            while server.callsInFlight < 10_000 { await service.keeping.wait() }
            busy.send(request("p", "session.ping"))
            #expect(await busy.line() == #"{"jsonrpc":"2.0","id":"p","result":{}}"#)
            let other = try LineClient(socket: path)
            other.send(request("q", "session.ping"))
            #expect(await other.line() == #"{"jsonrpc":"2.0","id":"q","result":{}}"#)
            service.answerKept()
            for _ in 0..<10_000 { #expect(await busy.line() != nil) }
        }
    }
}

/// Takes what the outbox gives in turns of its event loop, as a socket does, and keeps each write.
private final class CountingTransport: ByteTransport {
    let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let isPatient = true
    private let writes: AsyncStream<String>
    private let written: AsyncStream<String>.Continuation

    init() {
        (writes, written) = AsyncStream.makeStream()
    }

    /// What left in the next write.
    func nextWrite() async -> String? {
        for await write in writes { return write }
        return nil
    }

    func resumeReading() {}
    func abort() {}

    func wakeWriter(of outbox: Outbox) {
        loop.execute { [self] in
            guard case .write(let pieces, let count) = outbox.next() else { return }
            written.yield(pieces.map { String(buffer: $0) }.joined())
            outbox.wrote(count)
            wakeWriter(of: outbox)
        }
    }
}
