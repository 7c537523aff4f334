import JSONRPC
import Postgres
import PricingProtocol

/// `data.generate`: a year of a shop, in chunks that each really run, with progress between them.
struct GenerateHandlers: Sendable {
    let database: Database
    let committed: @Sendable () -> Void

    /// Orders in one transaction.
    private static let chunk: Int64 = 100

    var handlers: [String: Dispatcher.Handler] {
        ["data.generate": { context async throws(PricingFailure) in try await generate(context) }]
    }

    private func generate(_ context: CallContext) async throws(PricingFailure) -> RPCReply {
        var counts = try await call(DaemonStatements.generateBegin, context.params, context)
        guard let plan = counts["plan"]?.object else { return RPCReply(counts) }
        counts = counts.removing("plan")
        let total = plan["orders"]?.integer ?? 0
        var done: Int64 = 0
        var placed: Int64 = 0
        while done < total, !context.meta.isDryRun {
            context.report(done: done, total: total, "orders")
            var step = plan
            step["from"] = .integer(done)
            step["count"] = .integer(min(Self.chunk, total - done))
            placed += try await call(DaemonStatements.generateOrders, step, context)["orders"]?.integer ?? 0
            done += min(Self.chunk, total - done)
            committed()
        }
        context.report(done: done, total: total, "orders")
        counts["orders"] = .integer(placed)
        if !context.meta.isDryRun { _ = try await call(DaemonStatements.generateFinish, [:], context) }
        return context.reply(Database.Answer(text: JSONText(counts), isReplayed: false, wouldChange: nil))
    }

    private func call(
        _ statement: Statement<[UInt8]>,
        _ parameters: JSONObject,
        _ context: CallContext
    ) async throws(PricingFailure) -> JSONObject {
        let text = parameters.serialized()
        let answer = try await database.run(context) { (session) throws(PostgresError) in
            try session.one(statement, [.json(text)])
        }
        return (try? JSONParser.parse(answer))?.object ?? [:]
    }
}
