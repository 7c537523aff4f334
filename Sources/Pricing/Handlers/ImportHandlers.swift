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
        let isPerRow = context.params["mode"]?.string != "atomic"
        let (good, refused) = try await checked(context)
        if !isPerRow, !refused.isEmpty {
            let violations = refused.flatMap { $0.violations }.map(\.json)
            throw .refused(.invalidParams, message: nil, facts: ["violations": .array(violations)])
        }
        var params = context.params
        params["mode"] = isPerRow ? "perRow" : "atomic"
        params["rows"] = .array(good)
        params["refused"] = .array(refused.map { ["row": .integer($0.row), "product": $0.value] })
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

    /// Rows in one transaction: at a millisecond a row that changes price and stock, it locks their products for some 20.
    private static let part = 20

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
        var counts: JSONObject = ["created": 0, "updated": 0, "unchanged": 0]
        var failed: [JSONValue] = []
        var isReplayed = !rows.isEmpty
        for start in stride(from: 0, to: rows.count, by: Self.part) {
            context.report(done: Int64(start), total: Int64(rows.count), "rows")
            var part = params.removing("refused")
            part["call"] = .string(begun.call)
            part["rows"] = .array(Array(rows[start..<min(start + Self.part, rows.count)]))
            let bindings: [Binding] = [
                .text(CallStatements.function(of: context.method.name)), .text(context.method.name),
                .json(part.serialized()), .text(key),
                .int(Int64(start / Self.part)), .text(context.actor),
            ]
            let written = try await database.run(context) { (session) throws(PostgresError) in
                try session.one(DaemonStatements.writePart, bindings)
            }
            feed.kick()
            let done = (try? JSONParser.parse(written.reply))?.object ?? [:]
            for (kind, count) in counts {
                counts[kind] = .integer((count.integer ?? 0) + (done[kind]?.integer ?? 0))
            }
            failed += done["failed"]?.array ?? []
            isReplayed = isReplayed && written.isReplayed
        }
        counts["failed"] = .array(failed)
        let reply = counts
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

    /// The rows that fit, each with its number, and those that do not. No two rows name the same product.
    private func checked(
        _ context: CallContext
    ) async throws(PricingFailure) -> (good: [JSONValue], malformed: [Malformed]) {
        var good: [JSONValue] = []
        var malformed: [Malformed] = []
        for (index, row) in (context.params["rows"]?.array ?? []).enumerated() {
            var validator = SchemaValidator()
            validator.check(row, .object(Catalogue.importRow), at: "/rows/\(index)")
            if validator.violations.isEmpty {
                good.append(["row": .integer(Int64(index)), "product": row])
            } else {
                let told = Array(validator.violations.prefix(Self.mostViolations))
                malformed.append(Malformed(row: Int64(index), value: row, violations: told))
            }
        }
        let rows = JSONValue.array(good).serialized()
        let repeated = try await database.run(context) { (session) throws(PostgresError) in
            try session.all(DaemonStatements.repeatedRows, [.json(rows)])
        }
        guard !repeated.isEmpty else { return (good, malformed) }
        let byRow = Dictionary(uniqueKeysWithValues: repeated.map { ($0.row, $0) })
        for row in good {
            guard let number = row["row"]?.integer, let found = byRow[number] else { continue }
            let message = "row \(found.first) names this product already"
            let violation = Violation(path: "/rows/\(number)/\(found.member)", rule: "unique", message: message)
            malformed.append(Malformed(row: number, value: row["product"] ?? .null, violations: [violation]))
        }
        return (good.filter { byRow[$0["row"]?.integer ?? -1] == nil }, malformed.sorted { $0.row < $1.row })
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
