import JSON
import JSONRPC
import Postgres
import PricingProtocol

/// `product.import`: every row is checked, here against its schema and in the database against everything else. Every
/// refused row is reported under its number, counted from 0.
struct ImportHandlers: Sendable {
    let database: Database
    let feed: EventFeed
    let ticker: Ticker

    var handlers: [String: Dispatcher.Handler] {
        ["product.import": { context async throws(PricingFailure) in try await importProducts(context) }]
    }

    /// A refused row and why.
    private struct Refused {
        let row: Int64
        let failure: PricingFailure

        func json(_ database: Database, _ method: Method) -> JSONValue {
            ["row": .integer(row), "error": .object(database.rpcError(failure, method.name).json)]
        }
    }

    /// Violations that are reported of one row at most, so that the reply to a call of the most rows, all wrong, fits its line.
    private static let mostViolations = 3

    private func importProducts(_ context: CallContext) async throws(PricingFailure) -> Answer {
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
        let answer =
            isPerRow && !context.isAlone
            ? try await writeInParts(good, params, context) : try await write(context.with(params), good)
        if !context.meta.isDryRun {
            feed.kick()
            if context.method.wakesTicker { ticker.kick() }
        }
        guard var reply = (try? JSONParser.parse(answer.text.bytes))?.object else { return answer }
        let failed =
            refused.map { Refused(row: $0.row, failure: Self.failure($0.violations)) } + Self.refused(reply, good)
        reply["failed"] = .array(failed.sorted { $0.row < $1.row }.map { $0.json(database, context.method) })
        return Answer(
            text: JSONText(reply),
            isReplayed: answer.isReplayed,
            wouldChange: answer.wouldChange
        )
    }

    /// Rows in one transaction, which locks their products for some 50 ms.
    private static let part = 50

    /// Each part under a key of its own, so that the same call, sent again, goes on where it ended. The whole reply is kept
    /// under the call's key last.
    private func writeInParts(
        _ rows: [JSONValue],
        _ params: JSONObject,
        _ context: CallContext
    ) async throws(PricingFailure) -> Answer {
        let request: [Binding] = [
            .text(ifPresent: context.meta.idempotencyKey), .text(context.method.name), .json(params.serialized()),
        ]
        let begun = try await database.run(context) { (session) throws(PostgresError) in
            try session.one(DaemonStatements.beginImport, request)
        }
        if let reply = begun.reply {
            return Answer(text: JSONText(compacting: reply), isReplayed: true)
        }
        let key = context.meta.idempotencyKey ?? Database.freshKey()
        var created: Int64 = 0
        var updated: Int64 = 0
        var failed: [JSONValue] = []
        var isReplayed = !rows.isEmpty
        for start in stride(from: 0, to: rows.count, by: Self.part) {
            context.report(done: Int64(start), total: Int64(rows.count), "rows")
            let part: JSONObject = [
                "mode": "perRow", "call": .string(begun.call),
                "rows": .array(Array(rows[start..<min(start + Self.part, rows.count)])),
            ]
            let bindings: [Binding] = [
                .text(CallStatements.function(of: context.method.name)), .text(context.method.name),
                .json(part.serialized()), .text(key),
                .int(Int64(start / Self.part)), .text(context.actor),
            ]
            let written = try await database.run(context) { (session) throws(PostgresError) in
                try session.one(DaemonStatements.writePart, bindings)
            }
            feed.kick()
            let counts = (try? JSONParser.parse(written.reply))?.object ?? [:]
            created += counts["created"]?.integer ?? 0
            updated += counts["updated"]?.integer ?? 0
            failed += counts["failed"]?.array ?? []
            isReplayed = isReplayed && written.isReplayed
        }
        let reply: JSONObject = [
            "created": .integer(created), "updated": .integer(updated), "failed": .array(failed),
        ]
        if context.meta.idempotencyKey != nil {
            _ = try await database.run(context) { (session) throws(PostgresError) in
                try session.one(DaemonStatements.keepImport, request + [.json(reply.serialized())])
            }
        }
        return Answer(text: JSONText(reply), isReplayed: isReplayed)
    }

    /// - Throws: in mode atomic, the first refused row's failure, with its number and the list of all refused rows.
    private func write(
        _ context: CallContext,
        _ rows: [JSONValue]
    ) async throws(PricingFailure) -> Answer {
        do throws(PricingFailure) {
            return try await database.write(context)
        } catch {
            guard case .refused(_, _, let facts) = error else { throw error }
            let failed = Self.refused(facts, rows)
            guard let first = failed.first else { throw error }
            guard case .refused(let code, let message, var told) = first.failure else { throw first.failure }
            told["row"] = .integer(first.row)
            told["failed"] = .array(failed.map { $0.json(database, context.method) })
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

    /// The rows that the database refused, each with the error that it would have met alone; paths start at the call's root.
    private static func refused(_ facts: JSONObject, _ rows: [JSONValue]) -> [Refused] {
        let given = Dictionary(rows.map { ($0["row"]?.integer ?? 0, $0["product"]?.object ?? [:]) }) { first, _ in first
        }
        return (facts["failed"]?.array ?? []).map { refusal in
            let row = refusal["row"]?.integer ?? 0
            let why = Refusal(
                state: SQLState(refusal["state"]?.string ?? ""),
                message: refusal["message"]?.string ?? "",
                detail: refusal["detail"]?.string,
                constraint: refusal["constraint"]?.string
            )
            return Refused(row: row, failure: PricingFailure(why, params: given[row] ?? [:]).under("/rows/\(row)"))
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
