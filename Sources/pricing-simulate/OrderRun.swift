import Glibc
import JSON
import JSONRPC
import PricingProtocol
import RPCTransport
import Synchronization

/// One run of `orders`: calls leave on schedule, price moves come in, and the tally keeps both.
final class OrderRun: Sendable {
    /// How a run ended.
    enum Ending: Sendable {
        /// The schedule was done.
        case finished
        /// A signal asked it to stop.
        case interrupted
        /// The daemon went away.
        case lost(any Error)
    }

    /// The longest that a run waits for one reply.
    private static let patience = Duration.seconds(30)

    private let shopper: Shopper
    private let schedule: Schedule
    /// Carry the calls in turn.
    private let clients: [RPCClient]
    /// Carries the subscription alone.
    private let watcher: RPCClient
    private let onMove: @Sendable (PriceMove) -> Void
    private let tally = Mutex(Tally())
    private let lastEvent = Mutex<Int64>(0)
    private let endings: AsyncStream<Ending>
    private let end: AsyncStream<Ending>.Continuation

    init(
        _ shopper: Shopper,
        _ schedule: Schedule,
        clients: [RPCClient],
        watcher: RPCClient,
        onMove: @escaping @Sendable (PriceMove) -> Void
    ) {
        self.shopper = shopper
        self.schedule = schedule
        self.clients = clients
        self.watcher = watcher
        self.onMove = onMove
        (endings, end) = AsyncStream.makeStream()
    }

    /// Ends the run: nothing more is sent, what is under way is awaited.
    func interrupt() {
        end.yield(.interrupted)
    }

    /// Runs to its end, closes the connections and gives the tally.
    func run() async throws -> (Ending, Tally) {
        let subscribed = try await watcher.call("events.subscribe", ["topics": ["price"]], timeout: Self.patience)
        lastEvent.withLock { $0 = subscribed["sequence"]?.integer ?? 0 }
        async let watching: Void = watch()
        let (due, sink) = AsyncStream<(Int, ContinuousClock.Instant)>.makeStream()
        async let pacing = pace(sink)
        await withDiscardingTaskGroup { calls in
            for await (n, moment) in due {
                calls.addTask { await self.act(n, due: moment) }
            }
        }
        let ending = await pacing
        await watcher.close()
        await watching
        if case .lost = ending {} else { await catchUp() }
        for client in clients { await client.close() }
        return (ending, tally.withLock { $0 })
    }

    /// Names each call at its moment, until the schedule, a person or the connection ends it.
    private func pace(_ sink: AsyncStream<(Int, ContinuousClock.Instant)>.Continuation) async -> Ending {
        defer { sink.finish() }
        return await withTaskGroup(of: Ending?.self) { group in
            group.addTask { [schedule] in
                let clock = ContinuousClock()
                let start = clock.now
                var n = 0
                while let wait = schedule.due(n) {
                    do { try await clock.sleep(until: start + wait) } catch { return nil }
                    sink.yield((n, start + wait))
                    n += 1
                }
                return .finished
            }
            group.addTask { [endings] in await endings.first { _ in true } }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .finished
        }
    }

    private func act(_ n: Int, due: ContinuousClock.Instant) async {
        let action = shopper.action(n)
        let client = clients[n % clients.count]
        do {
            try await perform(action, client)
            let latency = ContinuousClock.now - due
            tally.withLock { $0.note(action, latency: latency) }
        } catch let error as RPCError {
            let latency = ContinuousClock.now - due
            tally.withLock { $0.note(refusal: error.reason, latency: latency) }
            if error.reason == "SHUTTING_DOWN" || error.reason == "PERMISSION_DENIED" { end.yield(.lost(error)) }
        } catch {
            end.yield(.lost(error))
        }
    }

    /// All calls of one action, in turn.
    private func perform(_ action: Shopper.Action, _ client: RPCClient) async throws {
        func call(_ method: String, _ params: JSONObject) async throws -> JSONObject {
            try await client.call(method, params, timeout: Self.patience)
        }
        switch action {
        case .order(let params): _ = try await call("order.place", params)
        case .restock(let params): _ = try await call("inventory.restock", params)
        case .quote(let params, let isTaken):
            let quote = try await call("quote.create", params)
            guard isTaken else { return }
            _ = try await call(
                "order.place",
                [
                    "customerId": params["customerId"] ?? .null, "quoteId": quote["quoteId"] ?? .null,
                    "_meta": Shopper.meta,
                ]
            )
        case .orderThatReturns(let params):
            var order: JSONObject = ["_meta": Shopper.meta]
            order["orderId"] = try await call("order.place", params)["orderId"]
            for status in ["processing", "completed"] {
                order["status"] = .string(status)
                _ = try await call("order.advance", order)
            }
            order = order.removing("status")
            order["lines"] = .array((params["lines"]?.array ?? []).prefix(1).map(\.self))
            _ = try await call("order.return", order)
        case .campaign(let params):
            var campaign = params
            campaign["endsAt"] = .string(Self.time(secondsFromNow: 15))
            _ = try await call("campaign.create", campaign)
        }
    }

    /// A time as RFC 3339 in UTC.
    private static func time(secondsFromNow: Int) -> String {
        var moment = Glibc.time(nil) + secondsFromNow
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            var parts = unsafe tm()
            unsafe gmtime_r(&moment, &parts)
            let length = unsafe strftime(text.baseAddress, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
            return unsafe String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    // MARK: price moves

    private func watch() async {
        for await notification in watcher.notifications {
            switch notification.method {
            case Events.Notice.event: note(notification.params)
            case Events.Notice.closed: end.yield(.lost(RPCClientError.disconnected))
            default: break
            }
        }
        end.yield(.lost(RPCClientError.disconnected))
    }

    /// Pulls the moves that were committed but not yet sent when the subscription ended.
    private func catchUp() async {
        var from = lastEvent.withLock { $0 }
        while true {
            let params: JSONObject = ["from": .integer(from), "topics": ["price"], "limit": 500]
            guard let page = try? await clients[0].call("events.list", params, timeout: Self.patience),
                let items = page["items"]?.array, !items.isEmpty
            else { return }
            items.compactMap(\.object).forEach(note)
            let reached = lastEvent.withLock { $0 }
            guard reached > from else { return }
            from = reached
        }
    }

    private func note(_ event: JSONObject) {
        guard let move = PriceMove(event: event) else { return }
        let isNew = lastEvent.withLock { last in
            defer { last = max(last, move.sequence) }
            return move.sequence > last
        }
        guard isNew else { return }
        tally.withLock { $0.note(move) }
        onMove(move)
    }
}
