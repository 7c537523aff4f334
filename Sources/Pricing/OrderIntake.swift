import JSONRPC
import Logging
import Postgres
import PricingProtocol
import ServiceLifecycle
import Synchronization

/// Gathers the orders that wait while a batch is in the database and places them together: one call, one commit, one
/// answer each. There is no timer, so an idle daemon adds no latency. An order on stock that another transaction holds is
/// set aside and waits on a lane of its own, so that nobody else does.
final class OrderIntake: Service {
    /// Orders in one batch at most.
    static let batchLimit = 128
    /// How long a batch may take before its connection is given up.
    private static let batchTime = Duration.milliseconds(Database.statementTimeoutMs + 1000)

    /// What came of one order.
    typealias Outcome = Result<Database.Answer, PricingFailure>

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
        let element: [UInt8]
        let ticket: Ticket
    }

    private let database: Database
    private let deadlines: DeadlineWatch
    private let logger: Logger
    private let open = Lane<Waiting> { $0.context.call.connection.number }
    private let contended = Lane<Waiting> { $0.context.call.connection.number }
    private let tally = Mutex(BatchTally())
    private let committed: @Sendable () -> Void

    /// - Parameter committed: told after each batch that committed something.
    init(database: Database, deadlines: DeadlineWatch, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.database = database
        self.deadlines = deadlines
        self.logger = logger
        self.committed = committed
    }

    /// Orders that wait for the next batch, or for stock that another transaction holds.
    var waiting: Int { open.count + contended.count }

    /// Those that wait for stock that another transaction holds.
    var waitingForStock: Int { contended.count }

    /// The batches that were sent so far.
    var batches: BatchTally { tally.withLock { $0 } }

    /// Places one order and waits for its own outcome. A cancel counts until its batch starts; its deadline is kept even
    /// then, by an answer that says nothing of the outcome.
    func place(_ context: CallContext) async -> Outcome {
        let element = Self.element(context)
        let ticket = Ticket()
        let registration = context.call.cancellation.onCancel {
            ticket.giveUp(context.isLate ? .deadline(elapsedMs: context.elapsedMs) : .cancelled, isLate: context.isLate)
        }
        defer { context.call.cancellation.remove(registration) }
        return await withCheckedContinuation { answer in
            ticket.wait(answer)
            open.add([Waiting(context: context, element: element, ticket: ticket)])
        }
    }

    /// Places batches until the task is cancelled; what waits then is still placed.
    func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in self.open.signal { await self.placeWaiting() }
                    await self.placeWaiting()
                    self.contended.finish()
                }
                group.addTask {
                    for await _ in self.contended.signal { await self.placeContended() }
                    await self.placeContended()
                }
            }
        } onGracefulShutdown: {
            self.open.finish()
        }
    }

    private func placeWaiting() async {
        while let batch = open.take(Self.batchLimit) {
            contended.add(await place(batch))
        }
    }

    /// Places those whose stock is free by now, and waits for the first of the others.
    private func placeContended() async {
        while let batch = contended.take(Self.batchLimit) {
            let held = await place(batch)
            contended.addFirst(held.dropFirst())
            _ = await place(Array(held.prefix(1)), waits: true)
        }
    }

    /// Places a batch; whoever gave up before is left out.
    /// - Parameter waits: whether an order waits for stock that another transaction holds, and is refused in the end.
    /// - Returns: the orders that did not wait.
    private func place(_ batch: [Waiting], waits: Bool = false) async -> [Waiting] {
        let wanted = batch.filter { $0.ticket.start() }
        guard !wanted.isEmpty else { return [] }
        for order in wanted { order.context.timer.begin() }
        tally.withLock { $0.add(wanted.count) }
        let outcomes = await outcomes(of: wanted, waits: waits)
        for order in wanted { order.context.timer.end() }
        committed()
        var held: [Waiting] = []
        for (order, outcome) in zip(wanted, outcomes) {
            guard !waits, case .failure(.contended) = outcome else {
                order.ticket.answer(outcome)
                continue
            }
            order.ticket.pause()
            do throws(PricingFailure) {
                try order.context.checkStillWanted()
                held.append(order)
            } catch {
                order.ticket.answer(.failure(error))
            }
        }
        return held
    }

    /// One outcome an order. A failure of the whole batch is tried again, then order by order, so that no order fails for
    /// another's sake; every element has a key, so nothing happens twice.
    private func outcomes(of batch: [Waiting], waits: Bool) async -> [Outcome] {
        var failure = PostgresError(.closed, "not tried")
        for attempt in 0...3 {
            if attempt > 0 { try? await Task.sleep(for: .milliseconds(Int64.random(in: 1...20) * Int64(attempt))) }
            do throws(PostgresError) {
                let placed = try await send(Self.array(batch.map(\.element)), waits: waits)
                guard placed.count == batch.count else {
                    throw PostgresError(.unexpectedRows, "\(placed.count) outcomes for \(batch.count) orders")
                }
                return zip(batch, placed).map { Self.outcome($1, $0.context, database) }
            } catch {
                failure = error
                if !Database.isWorthRetrying(error) || error.sqlState == .lockNotAvailable { break }
            }
        }
        if batch.count > 1, failure.kind == .server || failure.kind == .timeout {
            logger.warning("a batch of orders failed; placing them one by one", metadata: ["reason": "\(failure)"])
            var outcomes: [Outcome] = []
            for order in batch { outcomes += await self.outcomes(of: [order], waits: waits) }
            return outcomes
        }
        return batch.map { .failure(database.failure(failure, $0.context)) }
    }

    /// Sends a batch, and lets go of a server that does not answer in time: its statement limit cannot be trusted then.
    private func send(_ text: [UInt8], waits: Bool) async throws(PostgresError) -> [CallStatements.Placed] {
        try await database.cancellable(
            { cancel in
                let watched = self.deadlines.add(.now + Self.batchTime, cancel)
                return { self.deadlines.remove(watched) }
            },
            { (session) throws(PostgresError) in
                try session.all(CallStatements.placeOrders, [.json(text), .bool(waits)])
            }
        )
    }

    private static func outcome(
        _ placed: CallStatements.Placed,
        _ context: CallContext,
        _ database: Database
    ) -> Outcome {
        if let refusal = placed.refusal { return .failure(database.failure(refusal, context)) }
        return .success(
            Database.Answer(
                text: JSONText(compacting: placed.reply ?? []),
                isReplayed: placed.isReplayed,
                wouldChange: nil
            )
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
