import Foundation
import JSON
import JSONRPC
import PricingTestSupport
import Synchronization
import Testing

extension EndToEnd {
    /// Many connections that all keep a pipeline full: no one gets less than half of what another gets.
    @Suite
    struct FairnessTests {
        private static let connections = ProcessInfo.processInfo.environment["PRICINGD_LONG"] == nil ? 32 : 256
        /// Calls that each connection keeps in flight.
        private static let depth = 8
        /// Answers a connection on average until the count is taken.
        private static let share = 120

        /// Answers by connection, until there are enough of them in all.
        private final class Race: Sendable {
            private let answers: Mutex<[Int]>
            private let enough: Int

            init(_ connections: Int, enough: Int) {
                answers = Mutex(.init(repeating: 0, count: connections))
                self.enough = enough
            }

            var counts: [Int] { answers.withLock { $0 } }

            /// Counts an answer; false once the race is over.
            func answered(_ connection: Int) -> Bool {
                answers.withLock { answers in
                    guard answers.reduce(0, +) < enough else { return false }
                    answers[connection] += 1
                    return true
                }
            }
        }

        @Test(arguments: ["session.ping", "product.get", "order.place"])
        func `the slowest gets half of the fastest`(method: String) async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 1_000_000, "highStock": 2_000_000])
            var asked: JSONObject =
                switch method {
                case "order.place": shop.order(of: product)
                case "product.get": ["productId": .integer(product)]
                default: [:]
                }
            // Turns are counted here, not time.
            asked["_meta"] = ["timeoutMs": 60_000]
            let params = asked
            var clients: [TestClient] = []
            for _ in 0..<Self.connections { clients.append(try await daemon.client()) }
            let race = Race(clients.count, enough: Self.connections * Self.share)
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, client) in clients.enumerated() {
                    for _ in 0..<Self.depth {
                        group.addTask {
                            var goesOn = true
                            while goesOn {
                                do {
                                    _ = try await client.call(method, params)
                                    goesOn = race.answered(number)
                                } catch let error as RPCError where error.reason == "RESOURCE_EXHAUSTED" {
                                    // More wait than may: it asks again, and has gained nothing.
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let (least, most) = (race.counts.min() ?? 0, race.counts.max() ?? 0)
            print(
                "\(method), \(Self.connections) connections: \(least) to \(most) answers, \(ContinuousClock.now - start)"
            )
            #expect(least * 2 >= most)
            for client in clients { await client.close() }
        }
    }
}
