import JSONRPC
import Postgres
import PricingProtocol

/// The named queries.
struct ReportHandlers: Sendable {
    let database: Database

    var handlers: [String: Dispatcher.Handler] {
        [
            "report.list": { context throws(PricingFailure) in list(context) },
            "report.run": { context async throws(PricingFailure) in try await run(context) },
        ]
    }

    private func list(_ context: CallContext) -> RPCReply {
        let limit = Int(context.params["limit"]?.integer ?? 50)
        let cursor = context.params["cursor"]?.string
        let rest = cursor.map { last in Report.all.drop { $0.name != last }.dropFirst() } ?? Report.all[...]
        let page = rest.prefix(limit)
        return RPCReply([
            "items": .array(page.map { ["name": .string($0.name), "title": .string($0.title)] }),
            "nextCursor": rest.count > limit ? page.last.map { .string($0.name) } ?? .null : .null,
        ])
    }

    private func run(_ context: CallContext) async throws(PricingFailure) -> RPCReply {
        let name = context.params["name"]?.string ?? ""
        guard let report = Report.all.first(where: { $0.name == name }) else {
            throw .refused(.reportNotFound, message: nil, facts: ["name": .string(name)])
        }
        let limit = context.params["limit"]?.integer ?? 100
        let pages = try await database.run(context) { (session) throws(PostgresError) in
            try session.all(report.statement, [.int(limit)])
        }
        let columns = (pages.first?.columns ?? []).map { JSONValue.string($0) }
        let reply: JSONObject = [
            "columns": .array(columns), "rows": .array(pages.compactMap { $0.cells.map { .array($0) } }),
        ]
        return context.reply(Database.Answer(text: JSONText(reply), isReplayed: false, wouldChange: nil))
    }
}
