import Glibc
import JSON
import JSONRPC
import Postgres
import PricingClient
import PricingTestSupport
import Synchronization
import Testing

/// A shop under load while something breaks, and the one judgement after it.
final class Trial: Sendable {
    /// How its clients write.
    struct Load: Sendable {
        /// How many clients there are.
        var streams = 4
        var writes = Writes.trade
        /// Of each call.
        var timeoutMs: Int64?
        /// After which a client gives a connection up that does not answer.
        var patience: Duration?
        /// Where they connect, in turn; the daemon itself unless given.
        var sockets: [String] = []
    }

    let daemon: TestDaemon
    let shop: ShopClient
    let products: [Int64]
    let journal = Journal()
    /// Shut while no daemon listens.
    let door = Door()
    private let stock: Int64
    private let firstEvent: Int64
    private let isOver = Atomic(false)

    /// A shop of its own in a daemon that trials may share.
    static func start(on daemon: TestDaemon, products count: Int = 4, stock: Int64 = 100_000) async throws -> Trial {
        let shop = try await ShopClient.open(daemon)
        var products: [Int64] = []
        for _ in 0..<count {
            let sku = "FAULT-\(ShopClient.unique())"
            products.append(try await shop.product(["stock": .integer(stock), "sku": .string(sku)]))
        }
        let events = try await shop.client.call("events.list", ["limit": 1, "order": "desc"])
        return Trial(daemon, shop, products, stock, after: try #require(events["sequence"]?.integer))
    }

    private init(_ daemon: TestDaemon, _ shop: ShopClient, _ products: [Int64], _ stock: Int64, after event: Int64) {
        self.daemon = daemon
        self.shop = shop
        self.products = products
        self.stock = stock
        firstEvent = event
    }

    /// Runs the fault while clients write and one follows all events; then judges.
    @discardableResult
    func run(
        _ name: String,
        _ load: Load = Load(),
        seed: UInt64 = 20_310_303,
        during fault: @Sendable (inout SplitMix64) async throws -> Void
    ) async throws -> [Duration] {
        var random = SplitMix64(seed: seed)
        let follower = Follower(after: firstEvent) { [daemon, door] in
            await door.pass()
            return try await daemon.client()
        }
        var took: [Duration] = []
        let following = Task { await follower.run() }
        let begin = ContinuousClock.now
        try await withThrowingTaskGroup(of: [Duration].self) { group in
            for number in 0..<load.streams {
                let writer = Writer(self, load, name: "\(name) \(number)", seed: random.next())
                group.addTask { await writer.run { self.isOver.load(ordering: .relaxed) } }
            }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await fault(&random)) } catch { outcome = .failure(error) }
            isOver.store(true, ordering: .relaxed)
            door.open()
            for try await some in group { took += some }
            try outcome.get()
        }
        let gap = journal.longestGap
        let lasted = begin.duration(to: .now)
        try await expectKept(follower)
        following.cancel()
        await following.value
        took.sort()
        let p99 = took.isEmpty ? .zero : took[took.count * 99 / 100]
        print(
            "fault matrix: \(name), seed \(seed): \(journal.answers) writes acknowledged, \(journal.refusals.count) refusals, longest gap \(gap), p99 \(p99),"
                + " \(follower.progress.seen) events, \(lasted) under load, \(begin.duration(to: .now) - lasted) to judge"
        )
        return took
    }

    /// Kills the daemon, and starts it again.
    func killDaemon() async throws {
        door.shut()
        await daemon.kill9()
        try await daemon.restart()
        door.open()
    }

    // MARK: The judgement

    /// What was acknowledged is found under its key, as it was told; what was told as not done was not; all else is made
    /// definite by its key. Each order exists once; stock is what was bought and delivered; the stream has no hole, neither
    /// in the database nor as its follower saw it; invariants and audit have nothing to say.
    private func expectKept(_ follower: Follower) async throws {
        let judge = ShopClient(
            client: try await daemon.client(),
            categoryId: shop.categoryId,
            customerId: shop.customerId
        )
        let entries = journal.entries
        #expect(journal.answers > 0, "there was a load")
        let replies = try await replay(entries, judge.client)
        try await expectOrders(entries, replies, judge)
        if entries.allSatisfy({ ["order.place", "inventory.restock"].contains($0.call.method) }) {
            try await expectStock(entries, replies, judge)
        }
        try await Invariants.expect(daemon)
        let audit = try await judge.client.call("audit.verify", ["_meta": ["timeoutMs": 60_000]])
        #expect(audit["total"] == 0, "\(audit["differences"] ?? .null)")

        let database = try await daemon.database()
        while try await database.text("select pricing_code.unnumbered_events()::text") != "0" { await Task.yield() }
        await database.close()
        let events = try await judge.client.call("events.list", ["limit": 1, "order": "desc"])
        let last = try #require(events["sequence"]?.integer)
        await follower.reaches(last)
        #expect(follower.problems.isEmpty, "\(follower.problems.prefix(5))")
        // The shop may have gone on by itself since: a campaign ends, a quote expires.
        let progress = follower.progress
        #expect(progress.seen == progress.last - firstEvent)
        await judge.client.close()
    }

    /// Sends every key again, some at a time: the reply of each write that is done now.
    private func replay(_ entries: [Journal.Entry], _ client: TestClient) async throws -> [String: JSONObject] {
        try await withThrowingTaskGroup(of: [String: JSONObject].self) { group in
            for first in 0..<16 {
                group.addTask {
                    var replies: [String: JSONObject] = [:]
                    for place in stride(from: first, to: entries.count, by: 16) {
                        replies[entries[place].key] = try await self.replay(entries[place], client)
                    }
                    return replies
                }
            }
            return try await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        }
    }

    private func replay(_ entry: Journal.Entry, _ client: TestClient) async throws -> JSONObject? {
        let (method, params) = (entry.call.method, entry.call.params.with(key: entry.key, timeoutMs: 20_000))
        for _ in 0..<1000 {
            do {
                let again = try await client.call(method, params)
                let isReplay = again["_meta"]?["replayed"] == true
                if let first = entry.reply {
                    #expect(isReplay && again.removing("_meta") == first, "\(method) \(entry.key)")
                } else if !entry.mayBeDone, !entry.refusals.isEmpty {
                    #expect(!isReplay, "\(method) \(entry.key) was told as not done: \(entry.refusals)")
                }
                return again
            } catch let refusal as RPCError {
                // Sixteen at a time may meet at a row, or at the door.
                if refusal.retryable { continue }
                #expect(entry.reply == nil, "\(method) \(entry.key) is lost: \(refusal)")
                #expect(refusal.reason != "INTERNAL", "\(method): \(refusal)")
                return nil
            }
        }
        Issue.record("\(method) \(entry.key) cannot be settled")
        return nil
    }

    private func expectOrders(
        _ entries: [Journal.Entry],
        _ replies: [String: JSONObject],
        _ judge: ShopClient
    ) async throws {
        let found = try await judge.all("order.list", ["customerId": .integer(shop.customerId)])
        let orders = Dictionary(found.map { ($0["orderId"]?.integer, $0) }) { first, _ in first }
        #expect(orders.count == found.count)
        var told: Set<Int64?> = []
        for entry in entries where entry.call.method == "order.place" {
            guard let reply = replies[entry.key] else { continue }
            let id = reply["orderId"]?.integer
            #expect(told.insert(id).inserted, "two keys have order \(id ?? 0)")
            // The title as bought and what came back are the order's alone.
            let lines = orders[id]?["lines"]?.array?.map { $0.object?.removing("title").removing("returned") }
            #expect(lines == reply["lines"]?.array?.map(\.object), "order \(id ?? 0)")
            #expect(orders[id]?["total"] == reply["total"], "order \(id ?? 0)")
        }
        #expect(told == Set(orders.keys), "every order has its key")
    }

    private func expectStock(
        _ entries: [Journal.Entry],
        _ replies: [String: JSONObject],
        _ judge: ShopClient
    ) async throws {
        var expected = Dictionary(uniqueKeysWithValues: products.map { ($0, stock) })
        for entry in entries where replies[entry.key] != nil {
            if entry.call.method == "inventory.restock" {
                let (product, units) = (entry.call.params["productId"]?.integer, entry.call.params["quantity"]?.integer)
                expected[try #require(product), default: 0] += try #require(units)
            }
            for line in entry.call.params["lines"]?.array ?? [] {
                let (product, units) = (line["productId"]?.integer, line["quantity"]?.integer)
                expected[try #require(product), default: 0] -= try #require(units)
            }
        }
        for product in products { #expect(try await judge.stock(product) == expected[product], "product \(product)") }
    }
}

extension JSONObject {
    /// The parameters of a write under a key.
    func with(key: String, timeoutMs: Int64? = nil) -> JSONObject {
        var params = self
        var meta: JSONObject = ["idempotencyKey": .string(key)]
        if let timeoutMs { meta["timeoutMs"] = .integer(timeoutMs) }
        params["_meta"] = .object(meta)
        return params
    }
}
