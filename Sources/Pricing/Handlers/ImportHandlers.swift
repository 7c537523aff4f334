import JSONRPC
import Postgres
import PricingProtocol

/// `product.import`: rows are checked one by one, so that in mode perRow a bad one fails alone.
struct ImportHandlers: Sendable {
    let database: Database
    let committed: @Sendable () -> Void

    var handlers: [String: Dispatcher.Handler] {
        ["product.import": { context async throws(PricingFailure) in try await importProducts(context) }]
    }

    private func importProducts(_ context: CallContext) async throws(PricingFailure) -> RPCReply {
        let isPerRow = context.params["mode"]?.string == "perRow"
        var good: [JSONValue] = []
        var failed: [(row: Int64, error: RPCError)] = []
        var violations: [Violation] = []
        for (index, row) in (context.params["rows"]?.array ?? []).enumerated() {
            let found = Self.violations(of: row, at: "/rows/\(index)")
            violations += found
            if found.isEmpty {
                good.append(["row": .integer(Int64(index)), "product": row])
            } else {
                failed.append((Int64(index), Self.error(found)))
            }
        }
        if !isPerRow, !violations.isEmpty {
            throw .refused(.invalidParams, message: nil, facts: ["violations": .array(violations.map(\.json))])
        }
        let params: JSONObject = ["mode": isPerRow ? "perRow" : "atomic", "rows": .array(good)]
        var answer = try await database.write("import_products", context.with(params))
        if !context.meta.isDryRun { committed() }
        guard var reply = (try? JSONParser.parse(answer.text.bytes))?.object else { return context.reply(answer) }
        failed += (reply["failed"]?.array ?? []).map { (row: $0["row"]?.integer ?? 0, error: Self.error($0)) }
        reply["failed"] = .array(
            failed.sorted { $0.row < $1.row }.map { ["row": .integer($0.row), "error": .object($0.error.json)] }
        )
        answer = Database.Answer(
            text: JSONText(reply),
            isReplayed: answer.isReplayed,
            wouldChange: answer.wouldChange
        )
        return context.reply(answer)
    }

    /// A row is what product.update takes when it names a product, else what product.create takes.
    private static func violations(of row: JSONValue, at path: String) -> [Violation] {
        var validator = SchemaValidator()
        let method = row["productId"] == nil ? "product.create" : "product.update"
        validator.check(row, .object(AllMethods.byName[method]?.parameters ?? ObjectShape([])), at: path)
        return validator.violations
    }

    private static func error(_ violations: [Violation]) -> RPCError {
        ErrorCode.invalidParams.error(nil, ["violations": .array(violations.map(\.json))])
    }

    /// What the database said of one row, as the error that the row alone would have met.
    private static func error(_ refusal: JSONValue) -> RPCError {
        var error = PostgresError(
            .server,
            refusal["message"]?.string ?? "",
            sqlState: refusal["state"]?.string.map { SQLState($0) }
        )
        error.detail = refusal["detail"]?.string
        error.constraint = refusal["constraint"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        return PricingFailure(error).rpcError(incidentID: Database.freshKey())
    }
}
