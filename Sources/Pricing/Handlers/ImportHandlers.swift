import JSONRPC
import Postgres
import PricingProtocol

/// `product.import`: every row is checked, here by its schema and in the database by everything else, and every refused
/// one is told under its number, from 0.
struct ImportHandlers: Sendable {
    let database: Database
    let committed: @Sendable () -> Void

    var handlers: [String: Dispatcher.Handler] {
        ["product.import": { context async throws(PricingFailure) in try await importProducts(context) }]
    }

    /// A refused row and why.
    private struct Refused {
        let row: Int64
        let failure: PricingFailure

        func json(_ database: Database) -> JSONValue {
            ["row": .integer(row), "error": .object(database.rpcError(failure, "product.import").json)]
        }
    }

    /// Violations that are told of one row: so the reply to the most rows of a call, all of them wrong, fits its line.
    private static let mostViolations = 3

    private func importProducts(_ context: CallContext) async throws(PricingFailure) -> RPCReply {
        let isPerRow = context.params["mode"]?.string == "perRow"
        let (good, refused) = Self.checked(context.params["rows"]?.array ?? [])
        if !isPerRow, !refused.isEmpty {
            let violations = refused.flatMap { $0.violations }.map(\.json)
            throw .refused(.invalidParams, message: nil, facts: ["violations": .array(violations)])
        }
        let params: JSONObject = [
            "mode": isPerRow ? "perRow" : "atomic", "rows": .array(good),
            "refused": .array(refused.map { ["row": .integer($0.row), "product": $0.value] }),
        ]
        let answer = try await write(context.with(params), good)
        if !context.meta.isDryRun { committed() }
        guard var reply = (try? JSONParser.parse(answer.text.bytes))?.object else { return context.reply(answer) }
        let failed =
            refused.map { Refused(row: $0.row, failure: Self.failure($0.violations)) } + Self.refused(reply, good)
        reply["failed"] = .array(failed.sorted { $0.row < $1.row }.map { $0.json(database) })
        return context.reply(
            Database.Answer(
                text: JSONText(reply),
                isReplayed: answer.isReplayed,
                wouldChange: answer.wouldChange
            )
        )
    }

    /// - Throws: in mode atomic, what the first refused row met, with that row's number and all that were refused.
    private func write(
        _ context: CallContext,
        _ rows: [JSONValue]
    ) async throws(PricingFailure) -> Database.Answer {
        do throws(PricingFailure) {
            return try await database.write("import_products", context)
        } catch {
            guard case .refused(_, _, let facts) = error else { throw error }
            let failed = Self.refused(facts, rows)
            guard let first = failed.first else { throw error }
            guard case .refused(let code, let message, var told) = first.failure else { throw first.failure }
            told["row"] = .integer(first.row)
            told["failed"] = .array(failed.map { $0.json(database) })
            throw .refused(code, message: message, facts: told)
        }
    }

    /// A row that its schema refuses.
    private struct Malformed {
        let row: Int64
        let value: JSONValue
        let violations: [Violation]
    }

    /// The rows that fit, each with its number, and those that do not. A row is what product.update takes when it names a
    /// product, else what product.create takes; no two rows name the same product.
    private static func checked(_ rows: [JSONValue]) -> (good: [JSONValue], malformed: [Malformed]) {
        var good: [JSONValue] = []
        var malformed: [Malformed] = []
        var rowOfProduct: [Int64: Int] = [:]
        for (index, row) in rows.enumerated() {
            var validator = SchemaValidator()
            let method = row["productId"] == nil ? "product.create" : "product.update"
            let shape = AllMethods.byName[method]?.parameters ?? ObjectShape([])
            validator.check(row, .object(shape), at: "/rows/\(index)")
            var violations = validator.violations
            if let id = row["productId"]?.integer {
                if let other = rowOfProduct[id] {
                    let message = "row \(other) names this product already"
                    violations.append(Violation(path: "/rows/\(index)/productId", rule: "unique", message: message))
                }
                rowOfProduct[id] = rowOfProduct[id] ?? index
            }
            if violations.isEmpty {
                good.append(["row": .integer(Int64(index)), "product": row])
            } else {
                let told = Array(violations.prefix(mostViolations))
                malformed.append(Malformed(row: Int64(index), value: row, violations: told))
            }
        }
        return (good, malformed)
    }

    private static func failure(_ violations: [Violation]) -> PricingFailure {
        .refused(.invalidParams, message: nil, facts: ["violations": .array(violations.map(\.json))])
    }

    /// The rows that the database refused, each as the error that it alone would have met, its paths from the rows' root.
    private static func refused(_ facts: JSONObject, _ rows: [JSONValue]) -> [Refused] {
        let given = Dictionary(rows.map { ($0["row"]?.integer ?? 0, $0["product"]?.object ?? [:]) }) { first, _ in first
        }
        return (facts["failed"]?.array ?? []).map { refusal in
            let row = refusal["row"]?.integer ?? 0
            var error = PostgresError(
                .server,
                refusal["message"]?.string ?? "",
                sqlState: refusal["state"]?.string.map { SQLState($0) }
            )
            error.detail = refusal["detail"]?.string
            error.constraint = refusal["constraint"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            return Refused(row: row, failure: PricingFailure(error, params: given[row] ?? [:]).under("/rows/\(row)"))
        }
    }
}

extension PricingFailure {
    /// The same with the paths of its violations below `path`.
    fileprivate func under(_ path: String) -> PricingFailure {
        guard case .refused(let code, let message, var facts) = self, let violations = facts["violations"]?.array else {
            return self
        }
        facts["violations"] = .array(
            violations.map { violation in
                guard var violation = violation.object else { return .object([:]) }
                violation["path"] = .string(path + (violation["path"]?.string ?? ""))
                return .object(violation)
            }
        )
        return .refused(code, message: message, facts: facts)
    }
}
