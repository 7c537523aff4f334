import Foundation
import JSON
import JSONRPC
import PricingClient
import PricingTestSupport
import RPCTransport

/// What a client of a trial writes.
enum Writes: Sendable {
    /// Orders of one to three units, and a delivery for each.
    case trade
    /// Orders, quotes, returns, imports, campaigns, deliveries and rollbacks.
    case mixed
}

/// A client as one should be: it notes what it means before it sends it, and sends the same key again after a lost
/// connection and after what is refused as worth another try.
struct Writer: Sendable {
    private let trial: Trial
    private let load: Trial.Load
    private let name: String
    private let seed: UInt64
    private let socket: String

    init(_ trial: Trial, _ load: Trial.Load, name: String, seed: UInt64) {
        self.trial = trial
        self.load = load
        self.name = name
        self.seed = seed
        let sockets = load.sockets.isEmpty ? [trial.daemon.socket] : load.sockets
        socket = sockets[Int(seed % UInt64(sockets.count))]
    }

    /// Writes until it is told to end: how long each acknowledged call took.
    func run(until isOver: () -> Bool) async -> [Duration] {
        var random = SplitMix64(seed: seed)
        var (orders, quotes): ([JSONValue], [JSONValue]) = ([], [])
        var took: [Duration] = []
        var client: TestClient?
        var number = 0
        while !isOver() {
            number += 1
            let key = "\(name) \(number)"
            let call =
                load.writes == .trade
                ? trade(number, &random) : mixed(orders.last ?? 1, quotes.last ?? 1, &random)
            trial.journal.intend(key, call)
            let begin = ContinuousClock.now
            // What cannot be settled while the load lasts is settled by the judgement.
            while !isOver() {
                guard let reply = await send(key, call, &client) else { continue }
                guard case .success(let result) = reply else { break }
                took.append(begin.duration(to: .now))
                if call.method == "order.place" { orders.append(result["orderId"] ?? 1) }
                if call.method == "quote.create" { quotes.append(result["quoteId"] ?? 1) }
                break
            }
        }
        await client?.close()
        return took
    }

    /// One try: the reply, a refusal for good, or nil when it is worth another.
    private func send(
        _ key: String,
        _ call: Journal.Call,
        _ client: inout TestClient?
    ) async -> Result<JSONObject, RPCError>? {
        do {
            if client == nil {
                await trial.door.pass()
                client = try await TestClient(socket: socket)
            }
            guard let connected = client else { return nil }
            let params = call.params.with(key: key, timeoutMs: load.timeoutMs)
            let reply = try await connected.call(call.method, params, timeout: load.patience)
            trial.journal.acknowledge(key, reply)
            return .success(reply)
        } catch let refusal as RPCError {
            trial.journal.note(key, refusal)
            guard refusal.retryable || refusal.reason == "CANCELLED" || refusal.reason == "DEADLINE_EXCEEDED" else {
                return .failure(refusal)
            }
            await pause(milliseconds: refusal.retryAfterMs ?? 20)
        } catch RPCClientError.cannotConnect {
            await pause(milliseconds: 20)
        } catch {
            trial.journal.noteLost(key)
            await client?.close()
            client = nil
        }
        return nil
    }

    /// The pause that the daemon asks of its clients.
    private func pause(milliseconds: Int) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { continuation.resume() }
        }
    }

    private func trade(_ number: Int, _ random: inout SplitMix64) -> Journal.Call {
        let product = JSONValue.integer(trial.products.randomElement(using: &random) ?? 1)
        let units = JSONValue.integer(Int64.random(in: 1...3, using: &random))
        if number % 2 == 0 {
            return Journal.Call(method: "inventory.restock", params: ["productId": product, "quantity": units])
        }
        return order([["productId": product, "quantity": units]])
    }

    private func order(_ lines: [JSONValue]) -> Journal.Call {
        let customer = JSONValue.integer(trial.shop.customerId)
        return Journal.Call(method: "order.place", params: ["customerId": customer, "lines": .array(lines)])
    }

    private func mixed(_ order: JSONValue, _ quote: JSONValue, _ random: inout SplitMix64) -> Journal.Call {
        let product = JSONValue.integer(trial.products.randomElement(using: &random) ?? 1)
        let line: JSONValue = ["productId": product, "quantity": .integer(Int64.random(in: 1...3, using: &random))]
        let customer = JSONValue.integer(trial.shop.customerId)
        func call(_ method: String, _ params: JSONObject) -> Journal.Call {
            Journal.Call(method: method, params: params)
        }
        switch Int.random(in: 0...11, using: &random) {
        case 0: return call("order.advance", ["orderId": order, "status": "processing"])
        case 1: return call("order.advance", ["orderId": order, "status": "completed"])
        case 2: return call("order.return", ["orderId": order])
        case 3:
            let ttl: JSONValue = Bool.random(using: &random) ? 1 : 600
            return call("quote.create", ["customerId": customer, "lines": [line], "ttlSeconds": ttl])
        case 4: return call("order.place", ["customerId": customer, "quoteId": quote])
        case 5: return call("inventory.restock", ["productId": product, "quantity": 30])
        case 6:
            let base = JSONValue.string("\(Int.random(in: 80...120, using: &random)).00")
            let row: JSONObject = ["productId": product, "basePrice": base]
            return call("product.import", ["rows": [.object(row)], "mode": "atomic"])
        case 7:
            let end = JSONValue.string((Date.now + 2).ISO8601Format())
            let campaign: JSONObject = [
                "name": "Short", "productIds": [product], "percentOff": 10, "endsAt": end,
            ]
            return call("campaign.create", campaign)
        case 8:
            let then = JSONValue.string((Date.now - 5).ISO8601Format())
            return call("price.rollback", ["to": then, "productIds": [product], "reason": "by mistake"])
        default: return self.order([line])
        }
    }
}
