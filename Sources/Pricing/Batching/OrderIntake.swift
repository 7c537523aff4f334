import JSON
import JSONRPC
import Logging
import Postgres
import PricingProtocol
import RPCTransport
import ServiceLifecycle
import Synchronization

/// Gathers the orders that wait while a batch is in the database and places them together: one call, one commit, one
/// answer each. There is no timer, so an idle daemon adds no latency. An order on stock that another transaction has
/// locked waits in a queue of its own, so that the others do not wait with it. An order whose batch was lost with its
/// connection waits in a third queue and is placed again under its key as soon as there is a primary; new orders are refused
/// at once meanwhile.
final class OrderIntake: Intake, Service {
    /// Orders in one batch at most.
    static let batchLimit = 128
    /// Batches in the database at once, no product in two of them.
    private static let writers = 2

    /// How many batches were sent to the database, and how large they were.
    struct BatchTally: Sendable {
        /// Upper bounds of the sizes' buckets, in orders.
        static let bounds = [1, 2, 4, 8, 16, 32, 64, OrderIntake.batchLimit]

        /// Batches at most as large as each bound, and all larger ones at the end; not cumulative.
        private(set) var buckets = [Int64](repeating: 0, count: bounds.count + 1)
        /// Orders in all of them.
        private(set) var orders: Int64 = 0

        mutating func add(_ size: Int) {
            buckets[Self.bounds.firstIndex { size <= $0 } ?? Self.bounds.count] += 1
            orders += Int64(size)
        }
    }

    private struct Waiting: Sendable {
        let context: CallContext
        /// Its products, and its key as a number.
        let claims: [Int64]
        let element: [UInt8]
        let hasNames: Bool
        let ticket: Ticket
    }

    private let database: Database
    private let deadlines: DeadlineWatch
    private let storms: StormLog
    /// Batches with a product or a key in common would wait for each other in the database.
    private let admission = OrderAdmission(batch: batchLimit, batches: writers)
    private let incoming = FairQueue<Waiting>(owner: { $0.context.call.connection.number }, claims: \.claims)
    private let blocked = FairQueue<Waiting> { $0.context.call.connection.number }
    private let tally = Mutex(BatchTally())
    private let retrying = FairQueue<Waiting> { $0.context.call.connection.number }
    private let committed: @Sendable () -> Void

    /// - Parameter committed: told after each batch that committed something.
    init(database: Database, deadlines: DeadlineWatch, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.database = database
        self.deadlines = deadlines
        storms = StormLog(logger)
        self.committed = committed
    }

    /// Orders that wait for the next batch, for stock that another transaction holds, or for a primary.
    var waiting: Int { incoming.count + blocked.count + retrying.count }

    /// Orders that wait for stock that another transaction holds.
    var waitingForStock: Int { blocked.count }

    /// The batches that were sent so far.
    var batches: BatchTally { tally.withLock { $0 } }

    func refusal(on connection: RPCConnection, within limit: CallLimit) -> ErrorText? {
        admission.refusal(behind: incoming.ahead(of: connection.number), within: limit)
    }

    /// Places one order. A cancel has an effect until its batch starts. If the deadline passes later, the caller is answered
    /// in time, with the outcome unknown.
    func submit(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void) {
        let ticket = Ticket(done)
        context.call.cancellation.onCancel {
            ticket.giveUp(context.isLate ? context.expired : .cancelled, isLate: context.isLate)
        }
        var claims = (context.params["lines"]?.array ?? []).compactMap { line in
            line["productId"]?.integer ?? line["sku"]?.string.map { Int64($0.lowercased().hashValue) }
        }
        if let key = context.meta.idempotencyKey { claims.append(Int64(key.hashValue)) }
        incoming.add([
            Waiting(
                context: context,
                claims: claims,
                element: Self.element(context),
                hasNames: context.hasNames,
                ticket: ticket
            )
        ])
    }

    /// Places batches until the task is cancelled; what waits then is still placed.
    func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await self.placeIncoming()
                    self.blocked.finish()
                }
                group.addTask {
                    while let batch = await self.blocked.next(Self.batchLimit) { await self.placeBlocked(batch) }
                }
                group.addTask {
                    // Every call has been answered when the daemon ends, so no caller waits for what is left here.
                    await cancelWhenGracefulShutdown {
                        while let batch = await self.retrying.next(Self.batchLimit) { await self.placeAgain(batch) }
                    }
                }
            }
        } onGracefulShutdown: {
            self.incoming.finish()
        }
    }

    private func placeIncoming() async {
        await withDiscardingTaskGroup { writers in
            for _ in 0..<Self.writers {
                writers.addTask {
                    await self.incoming.consume(Self.batchLimit, on: self.database.pool) { batch, connection in
                        self.admission.began()
                        // Of a batch that left nothing behind nobody knows how many more it could have taken.
                        let most = self.incoming.count == 0 ? Self.batchLimit : batch.count
                        self.blocked.add(await self.place(batch, connection))
                        self.admission.ended(most)
                    }
                }
            }
        }
    }

    /// Places those whose stock is free by now, and waits for the first of the others.
    private func placeBlocked(_ batch: [Waiting]) async {
        let held = await place(batch)
        blocked.addFirst(held.dropFirst())
        _ = await place(Array(held.prefix(1)), waits: true)
    }

    /// Once there is a primary: finds out which orders of a lost batch were placed, and places the others.
    private func placeAgain(_ batch: [Waiting]) async {
        blocked.add(await place(batch, isPatient: true))
        await Retry.pause(1)
    }

    /// Places a batch; an order that was given up before is left out, and one whose batch is lost is queued to be placed again.
    /// - Parameters:
    ///   - connection: the one to use, unless it has broken.
    ///   - waits: whether an order waits for stock that another transaction holds, and is refused if it waits too long.
    ///   - isPatient: whether the batch waits for a database that is not there now.
    /// - Returns: the orders on stock that is locked, unless `waits`.
    private func place(
        _ batch: [Waiting],
        _ connection: PostgresConnection? = nil,
        waits: Bool = false,
        isPatient: Bool = false
    ) async -> [Waiting] {
        let wanted = batch.filter { keepsWaiting($0) && $0.ticket.start() }
        guard !wanted.isEmpty else { return [] }
        let begun = ContinuousClock.now
        tally.withLock { $0.add(wanted.count) }
        let outcomes = await outcomes(of: wanted, connection, waits: waits, isPatient: isPatient)
        let ended = ContinuousClock.now
        for order in wanted { order.context.timer.note(began: begun, ended: ended) }
        // After the answers, so that no caller waits for it.
        defer { committed() }
        var held: [Waiting] = []
        for (order, outcome) in zip(wanted, outcomes) {
            switch outcome {
            case .failure(.contended) where !waits:
                order.ticket.pause()
                if keepsWaiting(order) { held.append(order) }
            case .failure(let failure) where order.ticket.wasLost && !failure.isDefinite:
                order.ticket.pause()
                if keepsWaiting(order) { retrying.add([order]) }
            default: order.ticket.answer(outcome)
            }
        }
        return held
    }

    /// Whether the caller still waits for an order; if not, its ticket is given up.
    private func keepsWaiting(_ order: Waiting) -> Bool {
        do throws(PricingFailure) {
            try order.context.checkStillWanted()
            return true
        } catch {
            order.ticket.giveUp(error, isLate: true)
            return false
        }
    }

    /// One outcome for each order. If the whole batch fails, it is tried again and then each order alone, so that no order
    /// fails because of another; every order has a key, so none is placed twice.
    private func outcomes(
        of batch: [Waiting],
        _ connection: PostgresConnection?,
        waits: Bool,
        isPatient: Bool
    ) async -> [Outcome] {
        do throws(PostgresError) {
            let placed = try await Retry.run(limit: Self.retries) { () async throws(PostgresError) in
                try await send(batch, connection, waits: waits, isPatient: isPatient)
            }
            return zip(batch, placed).map { Self.outcome($1, $0.context) }
        } catch {
            if error.kind == .connectionLost {
                for order in batch { order.ticket.lose(PricingFailure(error)) }
            }
            guard batch.count > 1, Self.mayBeOfOne(error) else {
                return batch.map { .failure(database.failure(error, $0.context, isBatched: true)) }
            }
            storms.warn("a batch of orders failed; placing them one by one", ["reason": "\(error)"])
            var outcomes: [Outcome] = []
            for order in batch {
                outcomes += await self.outcomes(of: [order], connection, waits: waits, isPatient: isPatient)
            }
            return outcomes
        }
    }

    /// How often a batch is sent again: only after a conflict. For locked stock there is a queue.
    private static func retries(after error: PostgresError) -> Int {
        error.isContention && error.sqlState != .lockNotAvailable ? 3 : 0
    }

    /// Whether one order may have made the batch fail. What the server lacks, it lacks for each order alone too.
    private static func mayBeOfOne(_ error: PostgresError) -> Bool {
        (error.kind == .server || error.kind == .timeout) && !error.isStorm
    }

    private func send(
        _ batch: [Waiting],
        _ connection: PostgresConnection?,
        waits: Bool,
        isPatient: Bool
    ) async throws(PostgresError) -> [CallStatements.Placed] {
        let text = Self.array(batch.map(\.element))
        let named = batch.contains(where: \.hasNames)
        let placed = try await database.runBatch(on: connection, isPatient: isPatient, deadlines) {
            (session) throws(PostgresError) in
            // The wait for a connection, or a standstill of the daemon, may have taken all the time of an order.
            if batch.contains(where: \.context.isLate) {
                throw PostgresError(.timeout, "a deadline passed before the batch began")
            }
            return try session.all(CallStatements.placeOrders, [.json(text), .bool(waits), .bool(named)])
        }
        guard placed.count == batch.count else {
            throw PostgresError(.unexpectedRows, "\(placed.count) outcomes for \(batch.count) orders")
        }
        return placed
    }

    private static func outcome(
        _ placed: CallStatements.Placed,
        _ context: CallContext
    ) -> Outcome {
        if let refusal = placed.refusal { return .failure(PricingFailure(refusal, params: context.params)) }
        return .success(
            Answer(text: JSONText(compacting: placed.reply ?? []), isReplayed: placed.isReplayed)
        )
    }

    private static func element(_ context: CallContext) -> [UInt8] {
        let object: JSONObject = [
            "params": .object(context.params),
            "key": .string(context.meta.idempotencyKey ?? Database.freshKey()),
            "actor": .string(context.actor),
        ]
        return object.serialized()
    }

    private static func array(_ elements: [[UInt8]]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "[")]
        for (index, element) in elements.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text += element
        }
        text.append(UInt8(ascii: "]"))
        return text
    }
}
