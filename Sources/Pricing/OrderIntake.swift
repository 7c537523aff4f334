import JSONRPC
import Logging
import Postgres
import PricingProtocol
import ServiceLifecycle
import Synchronization

/// Gathers the orders that wait while a batch is in the database and places them together: one call, one commit, one
/// answer each. There is no timer, so an idle daemon adds no latency.
final class OrderIntake: Service {
    /// Orders in one batch at most.
    static let batchLimit = 128
    /// How long a batch may take before its connection is given up.
    private static let batchTime = Duration.milliseconds(Database.statementTimeoutMs + 1000)

    /// What came of one order.
    typealias Outcome = Result<Database.Answer, PricingFailure>

    private struct Waiting: Sendable {
        let context: CallContext
        let element: [UInt8]
        let ticket: Ticket
    }

    private let database: Database
    private let deadlines: DeadlineWatch
    private let logger: Logger
    private let queue = Mutex<[Waiting]>([])
    private let signal: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let committed: @Sendable () -> Void

    /// - Parameter committed: told after each batch that committed something.
    init(database: Database, deadlines: DeadlineWatch, logger: Logger, committed: @escaping @Sendable () -> Void) {
        self.database = database
        self.deadlines = deadlines
        self.logger = logger
        self.committed = committed
        (signal, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Orders that wait for the next batch.
    var waiting: Int { queue.withLock { $0.count } }

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
            queue.withLock { $0.append(Waiting(context: context, element: element, ticket: ticket)) }
            wake.yield()
        }
    }

    /// Places batches until the task is cancelled; what waits then is still placed.
    func run() async {
        await withGracefulShutdownHandler {
            for await _ in signal { await placeWaiting() }
            await placeWaiting()
        } onGracefulShutdown: {
            self.wake.finish()
        }
    }

    private func placeWaiting() async {
        while true {
            let batch = queue.withLock { queue in
                let batch = Array(queue.prefix(Self.batchLimit))
                queue.removeFirst(batch.count)
                return batch
            }
            if batch.isEmpty { return }
            await place(batch)
        }
    }

    /// Places a batch; whoever gave up before is left out.
    private func place(_ batch: [Waiting]) async {
        let wanted = batch.filter { $0.ticket.start() }
        guard !wanted.isEmpty else { return }
        let outcomes = await outcomes(of: wanted)
        committed()
        for (order, outcome) in zip(wanted, outcomes) { order.ticket.answer(outcome) }
    }

    /// One outcome an order. A failure of the whole batch is tried again, then order by order, so that no order fails for
    /// another's sake; every element has a key, so nothing happens twice.
    private func outcomes(of batch: [Waiting]) async -> [Outcome] {
        var failure = PostgresError(.closed, "not tried")
        for attempt in 0...3 {
            if attempt > 0 { try? await Task.sleep(for: .milliseconds(Int64.random(in: 1...20) * Int64(attempt))) }
            do throws(PostgresError) {
                let placed = try await send(Self.array(batch.map(\.element)))
                guard placed.count == batch.count else {
                    throw PostgresError(.unexpectedRows, "\(placed.count) outcomes for \(batch.count) orders")
                }
                return zip(batch, placed).map { Self.outcome($1, $0.context, database) }
            } catch {
                failure = error
                if !Database.isWorthRetrying(error) { break }
            }
        }
        if batch.count > 1, failure.kind == .server || failure.kind == .timeout {
            logger.warning("a batch of orders failed; placing them one by one", metadata: ["reason": "\(failure)"])
            var outcomes: [Outcome] = []
            for order in batch { outcomes += await self.outcomes(of: [order]) }
            return outcomes
        }
        return batch.map { .failure(database.failure(failure, $0.context)) }
    }

    /// Sends a batch, and lets go of a server that does not answer in time: its statement limit cannot be trusted then.
    private func send(_ text: [UInt8]) async throws(PostgresError) -> [CallStatements.Placed] {
        let task = Task { () async -> Result<[CallStatements.Placed], PostgresError> in
            do throws(PostgresError) {
                return .success(
                    try await database.pool.run { (session) throws(PostgresError) in
                        try session.all(CallStatements.placeOrders, [.json(text)])
                    }
                )
            } catch {
                return .failure(error)
            }
        }
        let watched = deadlines.add(.now + Self.batchTime) { task.cancel() }
        defer { deadlines.remove(watched) }
        return try await task.value.get()
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
