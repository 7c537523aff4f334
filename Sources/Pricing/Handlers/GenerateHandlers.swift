import JSON
import Postgres
import PricingProtocol

/// `data.generate`: a year of a shop's orders, placed in chunks, with progress between them.
struct GenerateHandlers: Sendable {
    let database: Database
    let committed: @Sendable () -> Void

    /// Orders in one transaction.
    private static let chunk: Int64 = 500

    var handlers: [String: Dispatcher.Handler] {
        ["data.generate": { context async throws(PricingFailure) in try await generate(context) }]
    }

    /// Each chunk is a transaction, and the key's reply is kept with the last one. A dry run does the same in a single
    /// transaction that is rolled back.
    private func generate(_ context: CallContext) async throws(PricingFailure) -> Answer {
        if context.meta.isDryRun { return try await rehearse(context) }
        if context.meta.expect != nil {
            let violation = Violation(path: "/_meta/expect", rule: "unknown", message: "no two runs make the same ids")
            throw .refused(.invalidParams, message: nil, facts: ["violations": [violation.json]])
        }
        let request: [Binding] = [
            .text(ifPresent: context.meta.idempotencyKey), .text(context.method.name),
            .json(context.params.serialized()),
        ]
        if let reply = try await run(DaemonStatements.findReply, request, context), !reply.isEmpty {
            let text = JSONText(compacting: reply)
            return Answer(text: text, isReplayed: true)
        }
        var counts = try await call(DaemonStatements.generateBegin, context.params, context)
        let plan = counts["plan"]?.object ?? [:]
        counts = counts.removing("plan")
        let total = plan["orders"]?.integer ?? 0
        var placed: Int64 = 0
        for done in stride(from: 0, to: total, by: Int64.Stride(Self.chunk)) {
            context.report(done: done, total: total, "orders")
            let step = Self.step(plan, from: done, of: total)
            placed += try await call(DaemonStatements.generateOrders, step, context)["orders"]?.integer ?? 0
            committed()
        }
        context.report(done: total, total: total, "orders")
        counts["orders"] = .integer(placed)
        _ = try await call(DaemonStatements.generateFinish, [:], context)
        _ = try await run(DaemonStatements.keepReply, request + [.json(counts.serialized())], context)
        return Answer(text: JSONText(counts))
    }

    private func rehearse(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let params = context.params.serialized()
        let (counts, changes) = try await database.run(context, isRepeatable: false) {
            (session) throws(PostgresError) in
            var counts = Self.object(try session.one(DaemonStatements.generateBegin, [.json(params)]))
            let plan = counts["plan"]?.object ?? [:]
            counts = counts.removing("plan")
            let total = plan["orders"]?.integer ?? 0
            var placed: Int64 = 0
            for done in stride(from: 0, to: total, by: Int64.Stride(Self.chunk)) {
                context.report(done: done, total: total, "orders")
                let step = Self.step(plan, from: done, of: total)
                let reply = try session.one(DaemonStatements.generateOrders, [.json(step.serialized())])
                placed += Self.object(reply)["orders"]?.integer ?? 0
            }
            counts["orders"] = .integer(placed)
            return (counts, try session.one(CallStatements.wouldChange))
        }
        let text = JSONText(counts)
        return Answer(text: text, wouldChange: changes)
    }

    private func call(
        _ statement: Statement<[UInt8]>,
        _ parameters: JSONObject,
        _ context: CallContext
    ) async throws(PricingFailure) -> JSONObject {
        let answer = try await run(statement, [.json(parameters.serialized())], context) ?? []
        return Self.object(answer)
    }

    private static func object(_ reply: [UInt8]) -> JSONObject {
        (try? JSONParser.parse(reply))?.object ?? [:]
    }

    /// The parameters of the chunk that begins at an order.
    private static func step(_ plan: JSONObject, from done: Int64, of total: Int64) -> JSONObject {
        var step = plan
        step["from"] = .integer(done)
        step["count"] = .integer(min(chunk, total - done))
        return step
    }

    private func run(
        _ statement: Statement<[UInt8]>,
        _ bindings: [Binding],
        _ context: CallContext
    ) async throws(PricingFailure) -> [UInt8]? {
        try await database.run(context, isRepeatable: false) { (session) throws(PostgresError) in
            try session.first(statement, bindings)
        }
    }
}
