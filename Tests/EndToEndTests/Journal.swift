import JSON
import JSONRPC
import PricingTestSupport
import RPCTransport
import Synchronization
import Testing

/// What the clients of a crash test meant and what they were told: the intent before it is sent, the answer after.
final class Journal: Sendable {
    private struct Entries {
        var intents: [String] = []
        var answers: [String: JSONObject] = [:]
        var waiting: (count: Int, CheckedContinuation<Void, Never>)?
    }

    private let entries = Mutex(Entries())

    var intents: [String] { entries.withLock { $0.intents } }
    var answers: [String: JSONObject] { entries.withLock { $0.answers } }

    func intend(_ key: String) {
        entries.withLock { $0.intents.append(key) }
    }

    func acknowledge(_ key: String, _ reply: JSONObject) {
        let reached: CheckedContinuation<Void, Never>? = entries.withLock { entries in
            entries.answers[key] = reply.removing("_meta")
            guard let waiting = entries.waiting, entries.answers.count >= waiting.count else { return nil }
            entries.waiting = nil
            return waiting.1
        }
        reached?.resume()
    }

    /// Waits until so many answers stand in it.
    func reaches(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = entries.withLock { entries in
                if entries.answers.count >= count { return true }
                entries.waiting = (count, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Orders one unit after another, each under its own key, until the connection ends or `until` says so.
    ///
    /// A retryable refusal is sent again under the same key; every other one is a fault.
    func stream(_ name: String, of product: Int64, _ shop: ShopClient, on client: TestClient, count: Int) async {
        for number in 0..<count {
            let key = "\(name) \(number)"
            intend(key)
            while true {
                do {
                    let reply = try await client.call("order.place", shop.order(of: product, 1, key: key))
                    acknowledge(key, reply)
                    break
                } catch let error as RPCError where error.retryable {
                    await Task.yield()
                } catch is RPCClientError {
                    return
                } catch {
                    Issue.record(error)
                    return
                }
            }
        }
    }

    /// Every acknowledged order exists exactly once, as acknowledged; every other one at most once, and sending its key
    /// again makes it definite. The ledger agrees.
    func expectKept(of product: Int64, stock initial: Int64, _ shop: ShopClient) async throws {
        let customer: JSONObject = ["customerId": .integer(shop.customerId)]
        let found = try await shop.all("order.list", customer)
        let ids = found.compactMap { $0["orderId"]?.integer }
        #expect(Set(ids).count == ids.count)
        let acknowledged = answers.values.compactMap { $0["orderId"]?.integer }
        #expect(Set(acknowledged).count == answers.count, "no two orders share an id")
        #expect(Set(acknowledged).subtracting(ids).isEmpty, "no acknowledged order is lost")
        #expect(ids.count <= intents.count)
        let orders = Dictionary(found.map { ($0["orderId"]?.integer, $0) }) { first, _ in first }
        for answer in answers.values {
            let order = orders[answer["orderId"]?.integer]
            // The title as bought and what came back are the order's alone.
            let lines = order?["lines"]?.array?.map { $0.object?.removing("title").removing("returned") }
            #expect(lines == answer["lines"]?.array?.map(\.object))
            #expect(order?["total"] == answer["total"])
        }
        for key in intents {
            let reply = try await shop.client.call("order.place", shop.order(of: product, 1, key: key))
            if let answer = answers[key] { #expect(reply.removing("_meta") == answer, "the same key, the same reply") }
        }
        #expect(try await shop.all("order.list", customer).count == intents.count)
        #expect(try await shop.stock(product) == initial - Int64(intents.count))
        let movements = try await shop.all("inventory.movements", ["productId": .integer(product)])
        #expect(movements.count == intents.count + 1)
        #expect(movements.compactMap { $0["quantity"]?.integer }.reduce(0, +) == initial - Int64(intents.count))
    }
}
