import JSON
import Postgres
import PricingProtocol
import RPCTransport
import ServiceLifecycle

/// Gathers the small reads that wait while queries are in the database and answers all of them from the next one, so that
/// many calls cost one query. Nothing is cached: a call is answered by a query that began after the call came, so its caller
/// sees its own writes. When the daemon is idle, a call gets a query of its own at once.
final class ReadIntake: Intake, Service {
    /// Calls answered together at most; each names at most `CallLimit.pageRows` products.
    private static let batchLimit = 1024
    /// Queries in the database at once at most: while one batch is there, another is answered.
    private static let readers = 2
    /// Calls among them that read much of a product at most, so that a price waits for them only a few milliseconds.
    private static let thoroughLimit = 128

    private struct Waiting: Sendable {
        let context: CallContext
        let read: SharedRead
        let ids: [Int64]
        let skus: [String]
        let ticket: Ticket
    }

    private let database: Database
    private let deadlines: DeadlineWatch
    private let batched = FairQueue<Waiting> { $0.context.call.connection.number }
    /// Calls that the shared query did not answer, for instance because its connection was lost: each is tried alone.
    private let single = FairQueue<Waiting> { $0.context.call.connection.number }

    init(database: Database, deadlines: DeadlineWatch) {
        self.database = database
        self.deadlines = deadlines
    }

    /// Reads what a call of a method of `SharedRead` asks for.
    func submit(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void) {
        let ticket = Ticket(done)
        guard let read = SharedRead(rawValue: context.method.name) else {
            return ticket.answer(.failure(.refused(.methodNotFound, message: nil, facts: [:])))
        }
        context.call.cancellation.onCancel {
            ticket.giveUp(context.isLate ? context.expired : .cancelled, isLate: true)
        }
        let (ids, skus) = (read.ids(context.params), read.skus(context.params))
        batched.add([Waiting(context: context, read: read, ids: ids, skus: skus, ticket: ticket)])
    }

    /// Answers until the shutdown; what waits then is still answered.
    func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await self.answerBatched()
                    self.single.finish()
                }
                while let batch = await single.next(Self.batchLimit) {
                    for waiting in batch { group.addTask { await self.answer(waiting) } }
                }
            }
        } onGracefulShutdown: {
            self.batched.finish()
        }
    }

    private func answerBatched() async {
        await withDiscardingTaskGroup { readers in
            for _ in 0..<Self.readers {
                readers.addTask {
                    await self.batched.consume(Self.batchLimit, on: self.database.pool) { batch, connection in
                        await self.answer(batch, connection)
                    }
                }
            }
        }
    }

    private func answer(_ waiting: [Waiting], _ connection: PostgresConnection?) async {
        var thorough = 0
        var batch: [Waiting] = []
        var later: [Waiting] = []
        for call in waiting {
            thorough += call.read.isThorough ? 1 : 0
            if call.read.isThorough, thorough > Self.thoroughLimit { later.append(call) } else { batch.append(call) }
        }
        batched.addFirst(later)
        let begun = ContinuousClock.now
        do throws(PostgresError) {
            let found = try await found(for: batch, connection)
            let ended = ContinuousClock.now
            for waiting in batch {
                waiting.context.timer.note(began: begun, ended: ended)
                let unknown = waiting.skus.filter { found.ids[$0] == nil }
                let texts = found.texts[waiting.read] ?? [:]
                guard let text = waiting.read.reply(found.ids(of: waiting), unknown: unknown, texts) else {
                    single.add([waiting])
                    continue
                }
                waiting.ticket.answer(.success(Answer(text: text)))
            }
        } catch {
            single.add(batch)
        }
    }

    private func answer(_ waiting: Waiting) async {
        do throws(PricingFailure) {
            waiting.ticket.answer(.success(try await database.read(waiting.context)))
        } catch {
            waiting.ticket.answer(.failure(error))
        }
    }

    /// What one query found.
    private struct Found: Sendable {
        /// The products of the SKUs that the calls name.
        var ids: [String: Int64] = [:]
        /// The texts of the products that they name: by kind of read, then by product.
        var texts: [SharedRead: [Int64: [UInt8]]] = [:]

        func ids(of call: Waiting) -> [Int64] {
            call.skus.isEmpty ? call.ids : call.ids + call.skus.compactMap { ids[$0] }
        }
    }

    private func found(
        for batch: [Waiting],
        _ connection: PostgresConnection?
    ) async throws(PostgresError) -> Found {
        let skus = Set(batch.flatMap(\.skus))
        return try await database.runBatch(on: connection, deadlines) { (session) throws(PostgresError) in
            var found = Found()
            if !skus.isEmpty {
                let names = JSONValue.array(skus.map { .string($0) })
                let rows = try session.all(CallStatements.findSKUs, [.json(names.serialized())])
                found.ids = Dictionary(rows.map { ($0.sku, $0.productID) }, uniquingKeysWith: { _, last in last })
            }
            let wanted = batch.reduce(into: [SharedRead: Set<Int64>]()) {
                $0[$1.read, default: []].formUnion(found.ids(of: $1))
            }
            for (read, ids) in wanted {
                let rows = try session.all(read.statement, [.intArray(Array(ids))])
                found.texts[read] = Dictionary(
                    rows.map { ($0.productID, $0.text) },
                    uniquingKeysWith: { _, last in last }
                )
            }
            return found
        }
    }
}
