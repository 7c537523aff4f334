import JSON
import JSONRPC
import PricingClient
import PricingTestSupport
import Synchronization
import Testing

extension Faults {
    /// What happens on the way between a client and the daemon.
    @Suite
    struct WireTests {
        private struct Cut {
            let key: String
            let line: String
            let call: Journal.Call
        }

        private func cut(_ number: Int, _ trial: Trial) -> Cut {
            let key = "cut \(1000 + number)"
            let params = trial.shop.order(of: trial.products[0])
            let message: JSONObject = [
                "jsonrpc": "2.0", "id": 1, "method": "order.place", "params": .object(params.with(key: key)),
            ]
            let line = String(decoding: message.serialized(), as: UTF8.self)
            return Cut(key: key, line: line, call: Journal.Call(method: "order.place", params: params))
        }

        /// Sends an order over a wire and notes what came back.
        private func send(_ order: Cut, over socket: String, _ trial: Trial) async throws -> String? {
            trial.journal.intend(order.key, order.call)
            let peer = try LineClient(socket: socket)
            peer.send(order.line)
            let answer = await peer.line()
            if let answer, case .response(let response) = Message(line: Array(answer.utf8)),
                case .result(.object(let reply)) = response.body
            {
                trial.journal.acknowledge(order.key, reply)
            } else {
                trial.journal.noteLost(order.key)
            }
            return answer
        }

        /// The connection ends after each number of bytes of an order, and of its reply.
        @Test func `an order that is cut off at any byte is placed once or not at all`() async throws {
            let daemon = try await Faults.daemon.value
            let trial = try await Trial.start(on: daemon, products: 1)
            var load = Trial.Load()
            load.streams = 0
            try await trial.run("cut at each byte", load) { _ in
                let whole = try await send(cut(0, trial), over: daemon.socket, trial)
                let (up, down) = (cut(0, trial).line.utf8.count + 1, try #require(whole).utf8.count + 1)
                let proxy = try FaultProxy(daemon.folder + "/cut.sock", to: daemon.socket) { number in
                    number <= up
                        ? (.cut(after: number), .whole) : (.whole, .cut(after: number - up - 1))
                }
                for number in 0...(up + down + 1) {
                    _ = try await send(cut(number + 1, trial), over: proxy.socket, trial)
                }
                let entries = trial.journal.entries
                #expect(entries.count == up + down + 3)
                #expect(entries.last?.reply != nil, "the last cut comes after the reply")
                #expect(entries.count { $0.reply == nil } >= up + down - 4)
            }
        }

        /// Every connection is late, slow, stalled, cut or reset, or nothing of it, in either direction.
        @Test func `writes over bad wires are done once each`() async throws {
            let daemon = try await Faults.daemon.value
            let trial = try await Trial.start(on: daemon)
            let seed: UInt64 = 7
            let random = Mutex(SplitMix64(seed: seed))
            let proxy = try FaultProxy(daemon.folder + "/bad.sock", to: daemon.socket) { _ in
                random.withLock { random in (Wire.any(&random), Wire.any(&random)) }
            }
            var load = Trial.Load()
            load.streams = 6
            load.sockets = [proxy.socket]
            load.patience = .milliseconds(300)
            load.writes = .mixed
            try await trial.run("bad wires", load, seed: seed) { _ in
                await trial.journal.advances(by: isLong ? 20_000 : 500)
            }
            #expect(trial.journal.entries.contains { $0.mayBeDone }, "wires were bad")
        }
    }
}
