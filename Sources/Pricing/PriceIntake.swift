import JSONRPC
import Postgres
import PricingProtocol
import ServiceLifecycle

/// Gathers the `price.get` calls that wait while one query is in the database and answers all of them from the next one,
/// so that many small reads cost one. Always from the database: a call is answered by a query that began after it came, so
/// its caller sees its own writes. Idle, a call is its own query at once.
final class PriceIntake: Intake, Service {
    /// Calls in one query at most; each names at most 500 products.
    private static let batchLimit = 1024

    private struct Waiting: Sendable {
        let context: CallContext
        let ids: [Int64]
        let ticket: Ticket
    }

    private let database: Database
    private let deadlines: DeadlineWatch
    private let together = Lane<Waiting> { $0.context.call.connection.number }
    /// Those that something kept from the answer to a shared query, such as a lost connection: each is tried by itself.
    private let alone = Lane<Waiting> { $0.context.call.connection.number }

    init(database: Database, deadlines: DeadlineWatch) {
        self.database = database
        self.deadlines = deadlines
    }

    /// Gives the posted prices that a call asks for.
    func take(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void) {
        let ids = (context.params["productIds"]?.array ?? []).compactMap(\.integer)
        let ticket = Ticket(done)
        context.call.cancellation.onCancel {
            ticket.giveUp(context.isLate ? .deadline(elapsedMs: context.elapsedMs) : .cancelled, isLate: true)
        }
        together.add([Waiting(context: context, ids: ids, ticket: ticket)])
    }

    /// Answers until the shutdown; what waits then is still answered.
    func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await self.together.workOff(Self.batchLimit, on: self.database.pool) { batch, connection in
                        await self.answer(batch, connection)
                    }
                    self.alone.finish()
                }
                while let batch = await alone.next(Self.batchLimit) {
                    for waiting in batch { group.addTask { await self.answer(waiting) } }
                }
            }
        } onGracefulShutdown: {
            self.together.finish()
        }
    }

    private func answer(_ batch: [Waiting], _ connection: PostgresConnection?) async {
        let begun = ContinuousClock.now
        do throws(PostgresError) {
            let found = try await prices(Array(Set(batch.lazy.flatMap(\.ids))), connection)
            let ended = ContinuousClock.now
            for waiting in batch {
                waiting.context.timer.note(began: begun, ended: ended)
                waiting.ticket.answer(.success(Self.reply(waiting.ids, found)))
            }
        } catch {
            alone.add(batch)
        }
    }

    private func answer(_ waiting: Waiting) async {
        do throws(PricingFailure) {
            waiting.ticket.answer(.success(try await database.read("get_prices", waiting.context)))
        } catch {
            waiting.ticket.answer(.failure(error))
        }
    }

    private func prices(
        _ ids: [Int64],
        _ connection: PostgresConnection?
    ) async throws(PostgresError) -> [Int64: CallStatements.PostedPrice] {
        let rows = try await database.runBatch(on: connection, deadlines) { (session) throws(PostgresError) in
            try session.all(CallStatements.postedPrices, [.intArray(ids)])
        }
        return Dictionary(rows.map { ($0.productID, $0) }, uniquingKeysWith: { _, last in last })
    }

    /// What `get_prices` gives: the products in the order in which they were named first, and the ids of none.
    private static func reply(_ ids: [Int64], _ found: [Int64: CallStatements.PostedPrice]) -> Database.Answer {
        var text = JSONWriter(capacity: 64 + ids.count * 64)
        var missing: [JSONValue] = []
        var seen: Set<Int64> = []
        text.raw("{\"items\":[")
        var separates = false
        for id in ids where ids.count == 1 || seen.insert(id).inserted {
            guard let posted = found[id] else {
                missing.append(.integer(id))
                continue
            }
            if separates { text.raw(",") }
            separates = true
            text.raw("{\"productId\":")
            text.write(id)
            text.raw(",\"price\":")
            text.write(posted.price)
            text.raw(",\"version\":")
            text.write(posted.version)
            text.raw("}")
        }
        text.raw("],\"missing\":")
        text.write(.array(missing))
        text.raw("}")
        return Database.Answer(text: JSONText(verbatim: text.bytes), isReplayed: false, wouldChange: nil)
    }
}
