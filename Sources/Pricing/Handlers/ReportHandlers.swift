import JSON
import Postgres
import PricingProtocol

/// The named queries.
struct ReportHandlers: Sendable {
    let database: Database

    var handlers: [String: Dispatcher.Handler] {
        [
            "report.list": { context async throws(PricingFailure) in try await list(context) },
            "report.run": { context async throws(PricingFailure) in try await run(context) },
        ]
    }

    /// Paged by the database, which makes and checks the cursors of every list.
    private func list(_ context: CallContext) async throws(PricingFailure) -> Answer {
        var params = context.params
        params["reports"] = .array(Report.all.map { ["name": .string($0.name), "title": .string($0.title)] })
        return try await database.read(context.with(params))
    }

    private func run(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let name = context.params["name"]?.string ?? ""
        guard let report = Report.all.first(where: { $0.name == name }) else {
            throw .refused(.reportNotFound, message: nil, facts: ["name": .string(name)])
        }
        let limit = context.params["limit"]?.integer ?? CallDefault.reportRows
        let pages = try await database.run(context) { (session) throws(PostgresError) in
            try session.all(report.statement, [.int(limit)])
        }
        let columns = (pages.first?.columns ?? []).map { JSONValue.string($0) }
        let reply: JSONObject = [
            "columns": .array(columns), "rows": .array(pages.compactMap { $0.cells.map { .array($0) } }),
        ]
        return Answer(text: JSONText(reply))
    }
}
