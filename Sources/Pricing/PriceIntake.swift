import JSONRPC
import Postgres
import PricingProtocol
import ServiceLifecycle

/// Gathers the `price.get` calls that wait while one query is in the database and answers all of them from the next one,
/// so that many small reads cost one. Always from the database: a call is answered by a query that began after it came, so
/// its caller sees its own writes. Idle, a call is its own query at once.
final class PriceIntake: Service {
    /// Calls in one query at most; each names at most 500 products.
    private static let batchLimit = 1024
    /// How long a query may take before its connection is given up.
    private static let batchTime = Duration.milliseconds(Database.statementTimeoutMs + 1000)

    private struct Waiting: Sendable {
        let context: CallContext
        let ids: [Int64]
        let ticket: Ticket
    }

    private let database: Database
    private let deadlines: DeadlineWatch
    private let lane = Lane<Waiting> { $0.context.call.connection.number }

    init(database: Database, deadlines: DeadlineWatch) {
        self.database = database
        self.deadlines = deadlines
    }

    /// Gives the posted prices that a call asks for. Whatever keeps the shared query from an answer, such as a lost
    /// connection, the call is tried by itself after it.
    func get(_ context: CallContext) async throws(PricingFailure) -> Database.Answer {
        let ids = (context.params["productIds"]?.array ?? []).compactMap(\.integer)
        let ticket = Ticket()
        let registration = context.call.cancellation.onCancel {
            ticket.giveUp(context.isLate ? .deadline(elapsedMs: context.elapsedMs) : .cancelled, isLate: true)
        }
        let outcome = await withCheckedContinuation { answer in
            ticket.wait(answer)
            lane.add([Waiting(context: context, ids: ids, ticket: ticket)])
        }
        context.call.cancellation.remove(registration)
        switch outcome {
        case .success(let answer): return answer
        case .failure: return try await database.read("get_prices", context)
        }
    }

    /// Answers until the shutdown; what waits then is still answered.
    func run() async {
        await withGracefulShutdownHandler {
            for await _ in lane.signal { await answerWaiting() }
            await answerWaiting()
        } onGracefulShutdown: {
            self.lane.finish()
        }
    }

    private func answerWaiting() async {
        while let batch = lane.take(Self.batchLimit) {
            for waiting in batch { waiting.context.timer.begin() }
            do throws(PostgresError) {
                let found = try await prices(Set(batch.flatMap(\.ids)))
                for waiting in batch {
                    waiting.context.timer.end()
                    waiting.ticket.answer(.success(Self.answer(waiting.ids, found)))
                }
            } catch {
                for waiting in batch { waiting.ticket.answer(.failure(PricingFailure(error))) }
            }
        }
    }

    private func prices(_ ids: Set<Int64>) async throws(PostgresError) -> [Int64: CallStatements.PostedPrice] {
        let rows = try await database.cancellable(
            { cancel in
                let watched = self.deadlines.add(.now + Self.batchTime, cancel)
                return { self.deadlines.remove(watched) }
            },
            { (session) throws(PostgresError) in
                try session.all(CallStatements.postedPrices, [.intArray(Array(ids))])
            }
        )
        return Dictionary(rows.map { ($0.productID, $0) }, uniquingKeysWith: { _, last in last })
    }

    /// What `get_prices` gives: the products in the order in which they were named first, and the ids of none.
    private static func answer(_ ids: [Int64], _ found: [Int64: CallStatements.PostedPrice]) -> Database.Answer {
        var items: [String] = []
        var missing: [String] = []
        var seen: Set<Int64> = []
        for id in ids where seen.insert(id).inserted {
            guard let posted = found[id] else {
                missing.append("\(id)")
                continue
            }
            items.append("{\"productId\":\(id),\"price\":\"\(posted.price)\",\"version\":\(posted.version)}")
        }
        let text = "{\"items\":[\(items.joined(separator: ","))],\"missing\":[\(missing.joined(separator: ","))]}"
        return Database.Answer(text: JSONText(verbatim: Array(text.utf8)), isReplayed: false, wouldChange: nil)
    }
}
