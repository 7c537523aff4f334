import Glibc
import JSON
import JSONRPC
import Logging
import NIOCore
import NIOPosix
import PricingTestSupport
import Testing
import Waking

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct RPCServerLimitsTests {
    @Test func `an oversize line is told with limit and length; three in a row close`() async throws {
        var limits = TransportLimits()
        limits.requestLineBytes = 1000
        try await withServer(limits: limits) { path, _, _ in
            let client = try LineClient(socket: path)
            let long = String(repeating: "x", count: 300_000)
            client.send(long, request(1, "echo"), long, long, long, request(2, "echo"))
            let error = try parsed(await client.line())["error"]
            #expect(error?["code"] == -32003)
            #expect(error?["data"]?["limit"] == "requestLineBytes")
            #expect(error?["data"]?["value"] == 1000)
            #expect(error?["data"]?["actual"] == 300_000)
            let rest = await client.lines()
            #expect(rest.count == 4)
            #expect(rest.count { $0.contains("MESSAGE_TOO_LARGE") } == 3)
            #expect(rest.contains(#"{"jsonrpc":"2.0","id":1,"result":{}}"#))
        }
    }

    @Test func `a reply that is too large becomes an error`() async throws {
        var limits = TransportLimits()
        limits.responseLineBytes = 5000
        try await withServer(limits: limits) { path, _, _ in
            let client = try LineClient(socket: path)
            client.send(request(1, "big", ["bytes": 6000]))
            let error = try parsed(await client.line())["error"]
            #expect(error?["data"]?["limit"] == "responseLineBytes")
            client.send(
                "[" + (0..<3).map { request(.integer($0), "big", ["bytes": 2000]) }.joined(separator: ",") + "]"
            )
            let line = try #require(await client.line())
            #expect(line.utf8.count <= 5000)
            let replies = try #require(try parsed(line).array)
            #expect(replies.count == 3)
            #expect(replies.contains { $0["result"] != nil })
            #expect(replies.contains { $0["error"]?["data"]?["reason"] == "MESSAGE_TOO_LARGE" })
        }
    }

    @Test func `beyond the calls in flight the connection is not read until replies have left`() async throws {
        var limits = TransportLimits()
        limits.inFlightPerConnection = 3
        try await withServer(limits: limits) { path, server, service in
            let client = try LineClient(socket: path)
            client.send(
                request(1, "hold", ["key": "1"]),
                request(2, "hold", ["key": "2"]),
                request(3, "hold", ["key": "3"]),
                request(4, "hold", ["key": "4"]),
                request(5, "echo")
            )
            for key in ["1", "2", "3"] { await service.isHolding(key) }
            #expect(server.callsInFlight == 3)
            // Another connection is served meanwhile, and lets one go.
            let other = try LineClient(socket: path)
            other.send(request(1, "free", ["key": "2"]))
            #expect(await other.line() != nil)
            #expect(try parsed(await client.line())["id"] == 2)
            await service.isHolding("4")
            #expect(server.callsInFlight == 3)
            for key in ["1", "3", "4"] { service.free(key) }
            var ids: Set<Int64> = []
            for _ in 0..<4 {
                ids.insert(try parsed(await client.line())["id"]?.integer ?? 0)
            }
            #expect(ids == [1, 3, 4, 5])
        }
    }

    @Test func `too many waiting calls are refused at once, pings are not`() async throws {
        var limits = TransportLimits()
        limits.waitingCalls = 2
        try await withServer(limits: limits) { path, _, service in
            let client = try LineClient(socket: path)
            client.send(request(1, "hold", ["key": "1"]), request(2, "hold", ["key": "2"]), request(3, "echo"))
            let error = try parsed(await client.line())["error"]
            #expect(error?["code"] == -32005)
            #expect(error?["data"]?["which"] == "waitingCalls")
            #expect(error?["data"]?["value"] == 2)
            #expect(error?["data"]?["retryable"] == true)
            #expect(error?["data"]?["retryAfterMs"]?.integer != nil)
            client.send(request(4, "session.ping"))
            #expect(await client.line() == #"{"jsonrpc":"2.0","id":4,"result":{}}"#)
        }
    }

    @Test func `near the limit a connection with more than its share is refused, and newcomers are let in`()
        async throws
    {
        var limits = TransportLimits()
        limits.waitingCalls = 32
        try await withServer(limits: limits) { path, server, service in
            let greedy = try LineClient(socket: path)
            for id in 0..<40 { greedy.send(request(.integer(Int64(id)), "hold", ["key": .string("\(id)")])) }
            func refused(_ client: LineClient) async throws -> JSONValue? {
                let data = try parsed(await client.line())["error"]?["data"]
                #expect(data?["which"] == "waitingCalls")
                #expect(data?["value"] == 32)
                #expect(data?["outcome"] == "not_done")
                #expect(data?["retryAfterMs"]?.integer != nil)
                return data?["share"]
            }
            // An eighth stays free for others.
            for _ in 0..<12 { #expect(try await refused(greedy) == 28) }
            #expect(server.callsInFlight == 28)
            let modest = try LineClient(socket: path)
            for id in 0..<5 { modest.send(request(.integer(Int64(id)), "hold", ["key": .string("m\(id)")])) }
            #expect(try await refused(modest) == nil, "within its share; there is no room at all")
            #expect(server.callsInFlight == 32)
            // The connection that has more than its half is refused, even if it asks first when there is room again.
            service.free("0")
            #expect(try parsed(await greedy.line())["id"] == 0)
            greedy.send(request(99, "echo"))
            #expect(try await refused(greedy) == 14)
            modest.send(request(99, "echo"))
            #expect(try parsed(await modest.line())["result"] != nil)
            for id in 0..<40 { service.free("\(id)") }
            for id in 0..<5 { service.free("m\(id)") }
        }
    }

    @Test func `the last of the waiting calls is kept for peers of higher ranks`() {
        var limits = TransportLimits()
        limits.waitingCalls = 160
        let register = ConnectionRegister(limits: limits, ownUser: 500)
        func admitted(_ rank: PeerRank) -> Int {
            var count = 0
            // Each by a connection of its own, so that none has more than its share.
            while count < 1000, register.beginCall(isUrgent: false, inFlight: 1, rank: rank) == nil { count += 1 }
            return count
        }
        #expect(admitted(.low) == 140)
        #expect(admitted(.middle) == 10)
        #expect(admitted(.high) == 10)
        #expect(register.beginCall(isUrgent: true, inFlight: 1, rank: .low) == nil)
    }

    @Test func `too many connections are refused with one line`() async throws {
        var limits = TransportLimits()
        limits.connections = 2
        try await withServer(limits: limits) { path, _, service in
            var clients: [LineClient] = []
            for _ in 0..<2 {
                let client = try LineClient(socket: path)
                client.send(request(1, "echo"))
                #expect(await client.line() != nil)
                clients.append(client)
            }
            let third = try LineClient(socket: path)
            third.send(request(1, "echo"))
            third.endInput()
            let lines = await third.lines()
            #expect(lines.count == 1)
            #expect(try parsed(lines.first)["error"]?["data"]?["which"] == "connections")
            clients.removeLast().vanish()
            await service.closed.wait()
            while true {
                // The place is free right after the callback returned.
                let next = try LineClient(socket: path)
                next.send(request(1, "echo"))
                if try parsed(await next.line())["result"] != nil { break }
            }
        }
    }

    @Test func `connections of one user are counted, root and ourselves exempt`() {
        var limits = TransportLimits()
        limits.connectionsPerUser = 1
        let register = ConnectionRegister(limits: limits, ownUser: 500)
        func open(_ uid: UInt32) -> (connection: RPCConnection, refusal: RPCError?) {
            let peer = Peer(pid: 1, uid: uid, gid: uid)
            return register.open(peer) {
                RPCConnection(number: $0, peer: peer, transport: NoTransport(), limits: limits)
            }
        }
        let first = open(1000)
        #expect(first.refusal == nil)
        #expect(open(1000).refusal?.data["which"] == "connectionsPerUser")
        #expect(open(1001).refusal == nil)
        for uid: UInt32 in [0, 0, 500, 500] {
            #expect(open(uid).refusal == nil)
        }
        register.close(first.connection)
        #expect(open(1000).refusal == nil)
    }

    @Test func `half a line has its time`() async throws {
        var limits = TransportLimits()
        limits.partialLineSeconds = 0
        try await withServer(limits: limits) { path, _, _ in
            let client = try LineClient(socket: path)
            client.send(bytes: Array(#"{"jsonrpc""#.utf8))
            let lines = await client.lines()
            #expect(lines.count == 1)
            #expect(try parsed(lines.first)["error"]?["data"]?["which"] == "partialLineSeconds")
        }
    }

    @Test func `output to a peer that does not read is bounded for notifications`() {
        var limits = TransportLimits()
        limits.outputHardBytes = 1000
        let peer = Peer(pid: 1, uid: 1, gid: 1)
        let connection = RPCConnection(number: 1, peer: peer, transport: NoTransport(), limits: limits)
        var outcomes: [RPCConnection.SendResult] = []
        for _ in 0..<20 {
            outcomes.append(connection.send(notification: "event", params: JSONText(["x": "0123456789"])))
        }
        #expect(
            outcomes.first == .queued(pendingBytes: connection.pendingOutputBytes / outcomes.count { $0 != .overflow })
        )
        #expect(outcomes.last == .overflow)
        #expect(connection.pendingOutputBytes <= 1000)
        connection.transportClosed()
        #expect(connection.send(notification: "event", params: .emptyObject) == .closed)
    }

    @Test func `what waits for all peers together stays below its limit, and is free again when they are gone`() {
        var limits = TransportLimits()
        limits.outputTotalBytes = 4 << 20
        let budget = OutputBudget(limits)
        let peer = Peer(pid: 1, uid: 1, gid: 1)
        let deaf = (1...20).map { number in
            RPCConnection(number: number, peer: peer, transport: NoTransport(), limits: limits, budget: budget)
        }
        #expect(deaf[0].outputShareBytes == 4 << 20)
        for _ in 0..<200 {
            for connection in deaf where connection.pendingOutputBytes < connection.outputShareBytes {
                connection.send([UInt8](repeating: 1, count: 10_000))
            }
        }
        let shares = deaf.map(\.pendingOutputBytes)
        #expect(shares.reduce(0, +) == budget.waitingBytes)
        #expect(budget.waitingBytes < 4 << 20 && budget.waitingBytes > 3 << 20)
        #expect(shares.max() ?? 0 < 300_000, "an even share, and not the first ones all of it")
        #expect(!deaf[0].hasRoom(), "it is not read either")
        for connection in deaf.dropFirst() { connection.transportClosed() }
        #expect(budget.waitingBytes == shares[0])
        #expect(deaf[0].hasRoom())
    }

    @Test func `a refused peer gets one line and a close`() async throws {
        let refusal = RPCError.permissionDenied(needRole: "viewer", haveRole: nil)
        try await withServer(EchoService(refusal: refusal)) { path, _, _ in
            let client = try LineClient(socket: path)
            client.send(request(1, "echo"))
            client.endInput()
            #expect(await client.lines() == [String(decoding: Envelope.error(nil, refusal).dropLast(), as: UTF8.self)])
        }
    }
}

/// Carries nothing anywhere.
private struct NoTransport: ByteTransport {
    var loop: any EventLoop { MultiThreadedEventLoopGroup.singleton.next() }
    var isPatient: Bool { true }
    func resumeReading() {}
    func wakeWriter(of outbox: Outbox) {}
    func abort() {}
}
