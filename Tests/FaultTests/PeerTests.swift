import Foundation
import Glibc
import JSON
import JSONRPC
import PricingTestSupport
import RPCTransport
import Testing

extension Faults {
    /// Peers that behave badly, beside others that do not.
    @Suite
    struct PeerTests {
        private func request(_ id: Int, _ method: String, _ params: JSONObject = [:]) -> String {
            let message: JSONObject = [
                "jsonrpc": "2.0", "id": .integer(Int64(id)), "method": .string(method), "params": .object(params),
            ]
            return String(decoding: message.serialized(), as: UTF8.self)
        }

        /// Idle, halfway, deaf, noisy, deep, endless and vanishing ones, all at the same time.
        @Test func `a crowd of bad peers costs the good ones nothing`() async throws {
            let daemon = try await Faults.daemon.value
            let trial = try await Trial.start(on: daemon)
            let took = try await trial.run("bad peers") { _ in
                for round in 0..<rounds { try await crowd(trial, round) }
            }
            #expect(trial.journal.refusals.isEmpty, "\(trial.journal.refusals.prefix(3))")
            #expect(took[took.count * 99 / 100] < .milliseconds(isLong ? 100 : 1000))
        }

        private func crowd(_ trial: Trial, _ round: Int) async throws {
            let daemon = trial.daemon
            await trial.journal.advances(by: 50)
            let idle = try (0..<300).map { _ in try PlainSocket.connect(daemon.socket) }
            defer { for descriptor in idle { close(descriptor) } }
            let halfway = Array(#"{"jsonrpc":"2.0","id":1,"meth"#.utf8)
            for descriptor in idle.prefix(50) {
                unsafe _ = Glibc.send(descriptor, halfway, halfway.count, Int32(MSG_NOSIGNAL))
            }
            let deaf = try (0..<5).map { _ in try daemon.lines(reads: false) }
            for peer in deaf { for id in 0..<200 { peer.send(request(id, "rpc.discover")) } }
            let noisy = try (0..<4).map { _ in try LineClient(socket: daemon.socket) }
            for peer in noisy {
                for id in 0..<1000 { peer.send(id % 2 == 0 ? "noise" : request(id, "session.ping")) }
            }
            let deep = try LineClient(socket: daemon.socket)
            deep.send(bytes: Array(repeating: UInt8(ascii: "["), count: 100_000) + [UInt8(ascii: "\n")])
            #expect(await deep.line()?.contains("-32003") == true)
            let endless = try LineClient(socket: daemon.socket)
            let piece = Array(repeating: UInt8(ascii: "a"), count: 1 << 20)
            for _ in 0..<(isLong ? 100 : 20) { endless.send(bytes: piece) }
            endless.send("")
            #expect(await endless.line()?.contains("-32003") == true)
            try await vanish(trial, round)
            for peer in noisy { for _ in 0..<1000 { try #require(await peer.line() != nil) } }
            await trial.journal.advances(by: 100)
            #expect(try Memory.resident(of: daemon.program.pid) < 200 << 20)
        }

        /// Peers that go away with their order under way, one in two after half of its line.
        private func vanish(_ trial: Trial, _ round: Int) async throws {
            for number in 0..<(isLong ? 1000 : 100) {
                let params = trial.shop.order(of: trial.products[0])
                let key = "vanished \(round) \(number)"
                trial.journal.intend(key, Journal.Call(method: "order.place", params: params))
                let line = Array((request(1, "order.place", params.with(key: key)) + "\n").utf8)
                let peer = try LineClient(socket: trial.daemon.socket)
                peer.send(bytes: number % 2 == 0 ? line : Array(line.prefix(line.count / 2)))
                peer.vanish()
                _ = await peer.line()
                trial.journal.noteLost(key)
            }
        }

        /// Ten thousand who say nothing, and a thousand at a time who come and go.
        @Test(.enabled(if: isLong, "takes 20,000 descriptors: --long"))
        func `ten thousand idle peers and a throng of newcomers cost sixteen busy ones nothing`() async throws {
            var room = rlimit(rlim_cur: 20_000, rlim_max: 20_000)
            try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &room) == 0)
            let daemon = try await TestDaemon.start(
                isSandbox: false,
                arguments: ["--limit", "connections=12000"],
                wrapper: ["/usr/bin/prlimit", "--nofile=20000"]
            )
            let trial = try await Trial.start(on: daemon, products: 16)
            var load = Trial.Load()
            load.streams = 16
            let took = try await trial.run("ten thousand peers", load) { _ in
                let idle = try (0..<10_000).map { _ in try PlainSocket.connect(daemon.socket) }
                defer { for descriptor in idle { close(descriptor) } }
                for _ in 0..<rounds {
                    for _ in 0..<1000 { close(try PlainSocket.connect(daemon.socket)) }
                    await trial.journal.advances(by: 500)
                }
                #expect(try Memory.resident(of: daemon.program.pid) < 200 << 20)
            }
            #expect(trial.journal.refusals.isEmpty, "\(trial.journal.refusals.prefix(3))")
            // Whoever makes so many connections on the same cores takes them from the others too.
            #expect(took[took.count * 99 / 100] < .seconds(2))
            #expect(await daemon.stop() == 0)
        }

        /// More orders than the database can place in the time that they may wait, sent without waiting for any answer: each
        /// is placed, or refused at once as not done.
        @Test func `beyond what can be done orders are refused as not done`() async throws {
            let daemon = try await Faults.daemon.value
            let trial = try await Trial.start(on: daemon)
            let (peers, each) = (8, isLong ? 500 : 250)
            var load = Trial.Load()
            load.streams = 1
            try await trial.run("overload", load) { _ in
                for round in 0..<rounds {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for peer in 0..<peers { group.addTask { try await flood(round * peers + peer, each, trial) } }
                        try await group.waitForAll()
                    }
                }
            }
            let entries = trial.journal.entries.filter { $0.key.hasPrefix("flood") }
            let refused = entries.filter { $0.reply == nil }
            print("overload: \(entries.count - refused.count) placed, \(refused.count) refused")
            #expect(entries.count == rounds * peers * each && refused.count < entries.count)
            for refusal in refused.flatMap(\.refusals) {
                #expect(refusal.reason == "RESOURCE_EXHAUSTED" && refusal.data["outcome"] == "not_done", "\(refusal)")
                #expect((10...1000).contains(refusal.retryAfterMs ?? 0))
            }
        }

        /// One peer that sends all its orders before it reads.
        private func flood(_ number: Int, _ count: Int, _ trial: Trial) async throws {
            let peer = try LineClient(socket: trial.daemon.socket)
            var keys: [String] = []
            for id in 0..<count {
                let key = "flood \(number) \(id)"
                let params = trial.shop.order(of: trial.products[id % trial.products.count])
                trial.journal.intend(key, Journal.Call(method: "order.place", params: params))
                keys.append(key)
                peer.send(request(id, "order.place", params.with(key: key)))
            }
            var answered: Set<Int> = []
            while answered.count < count {
                let line = try #require(await peer.line())
                guard case .response(let response) = Message(line: Array(line.utf8)),
                    case .integer(let id)? = response.id
                else {
                    Issue.record("\(line.prefix(300))")
                    return
                }
                #expect(answered.insert(Int(id)).inserted, "one reply a request")
                switch response.body {
                case .result(.object(let reply)): trial.journal.acknowledge(keys[Int(id)], reply)
                case .error(let error): trial.journal.note(keys[Int(id)], error)
                case .result: Issue.record("\(line.prefix(300))")
                }
            }
        }
    }
}
