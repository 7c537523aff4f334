import Foundation
import Glibc
import JSON
import JSONRPC
import PricingClient
import PricingTestSupport
import RPCTransport
import Synchronization
import Testing

extension EndToEnd {
    /// Orders, quotes, returns, imports, campaigns and rollbacks while daemon and server are killed at random: what was
    /// acknowledged is there, once, and every sum is right.
    @Suite
    struct MixedWriteCrashTests {
        private static let rounds = ProcessInfo.processInfo.environment["PRICINGD_LONG"] == "1" ? 30 : 4
        private static let streams = 4

        private typealias Call = (method: String, params: JSONObject)

        /// What was asked under each key.
        private final class Asked: Sendable {
            let calls = Mutex<[String: Call]>([:])
        }

        private let asked = Asked()

        @Test func `what was acknowledged is found, and the shop adds up, whatever was killed`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            var random = SplitMix64(seed: 20_310_303)
            let shop = try await ShopClient.open(daemon)
            var products: [Int64] = []
            for number in 0..<6 {
                products.append(try await shop.product(["stock": 5_000, "sku": .string("CRASH-\(number)")]))
            }
            for round in 0..<Self.rounds {
                let journal = Journal()
                await withTaskGroup { group in
                    for number in 0..<Self.streams {
                        let (name, seed) = ("\(round) \(number)", random.next())
                        group.addTask { [products] in
                            guard let client = try? await daemon.client() else { return }
                            let own = ShopClient(
                                client: client,
                                categoryId: shop.categoryId,
                                customerId: shop.customerId
                            )
                            await write(name, own, products, journal, SplitMix64(seed: seed))
                        }
                    }
                    let count = Int.random(in: 20...120, using: &random)
                    await journal.reaches(count)
                    if round % 2 == 1, let server = daemon.postmaster {
                        kill(server, SIGKILL)
                        await journal.reaches(count + 20)
                    }
                    await daemon.kill9()
                }
                try await daemon.restart()
                try await expectKept(journal, try await daemon.client())
                try await Invariants.expect(daemon)
            }
            let verified = try await daemon.client().call("audit.verify")
            #expect(verified["total"] == 0, "\(verified["differences"] ?? .null)")
        }

        /// Each acknowledged call gives the same reply again under its key, and every other is made definite.
        private func expectKept(_ journal: Journal, _ client: TestClient) async throws {
            let calls = asked.calls.withLock { $0 }
            for key in journal.intents {
                let call = try #require(calls[key])
                do {
                    let again = try await client.call(call.method, call.params)
                    guard let first = journal.answers[key] else { continue }
                    #expect(again["_meta"]?["replayed"] == true, "\(call.method)")
                    #expect(again.removing("_meta") == first, "\(call.method)")
                } catch let refusal as RPCError {
                    #expect(journal.answers[key] == nil, "\(call.method): \(refusal)")
                    #expect(refusal.reason != "INTERNAL", "\(refusal)")
                }
            }
        }

        /// One peer's writes, each under its own key, until the connection ends. What is refused for good is given up.
        private func write(
            _ name: String,
            _ shop: ShopClient,
            _ products: [Int64],
            _ journal: Journal,
            _ seeded: SplitMix64
        ) async {
            var random = seeded
            var orders: [JSONValue] = []
            var quotes: [JSONValue] = []
            for number in 0..<100_000 {
                let key = "\(name) \(number)"
                var call: Call = Self.next(shop, products, orders.last, quotes.last, &random)
                call.params["_meta"] = ["idempotencyKey": .string(key)]
                let sent = call
                asked.calls.withLock { $0[key] = sent }
                journal.intend(key)
                while true {
                    do {
                        let reply = try await shop.client.call(call.method, call.params)
                        if call.method == "order.place" { orders.append(reply["orderId"] ?? .null) }
                        if call.method == "quote.create" { quotes.append(reply["quoteId"] ?? .null) }
                        journal.acknowledge(key, reply)
                    } catch let error as RPCError {
                        if error.retryable {
                            await Task.yield()
                            continue
                        }
                    } catch {
                        return
                    }
                    break
                }
            }
        }

        private static func next(
            _ shop: ShopClient,
            _ products: [Int64],
            _ order: JSONValue?,
            _ quote: JSONValue?,
            _ random: inout SplitMix64
        ) -> Call {
            let product = JSONValue.integer(products.randomElement(using: &random) ?? 1)
            let line: JSONValue = ["productId": product, "quantity": .integer(Int64.random(in: 1...3, using: &random))]
            let customer = JSONValue.integer(shop.customerId)
            let id = order ?? 1
            switch Int.random(in: 0...11, using: &random) {
            case 0: return ("order.advance", ["orderId": id, "status": "processing"])
            case 1: return ("order.advance", ["orderId": id, "status": "completed"])
            case 2: return ("order.return", ["orderId": id])
            case 3:
                let ttl: JSONValue = Bool.random(using: &random) ? 1 : 600
                return ("quote.create", ["customerId": customer, "lines": [line], "ttlSeconds": ttl])
            case 4: return ("order.place", ["customerId": customer, "quoteId": quote ?? 1])
            case 5: return ("inventory.restock", ["productId": product, "quantity": 30])
            case 6:
                let row: JSONObject = [
                    "productId": product, "basePrice": .string("\(Int.random(in: 80...120, using: &random)).00"),
                ]
                return ("product.import", ["rows": [.object(row)], "mode": "atomic"])
            case 7:
                let end = (Date.now + 2).ISO8601Format()
                return (
                    "campaign.create",
                    ["name": "Short", "productIds": [product], "percentOff": 10, "endsAt": .string(end)]
                )
            case 8:
                let then = (Date.now - 5).ISO8601Format()
                return ("price.rollback", ["to": .string(then), "productIds": [product], "reason": "by mistake"])
            default: return ("order.place", ["customerId": customer, "lines": [line]])
            }
        }
    }
}
