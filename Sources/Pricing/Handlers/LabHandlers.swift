import JSON
import Postgres
import PricingProtocol
import RPCTransport

/// `lab.run`: made-up seasons in short statements, with progress between them; two statements at a time, unless other
/// long readings run.
struct LabHandlers: Sendable {
    let database: Database
    let gates: CallGates

    /// Seasons in one statement, and shops.
    private static let chunk: Int64 = 20
    private static let shopChunk: Int64 = 1

    var handlers: [String: Dispatcher.Handler] {
        ["lab.run": { context async throws(PricingFailure) in try await run(context) }]
    }

    private func run(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let params = context.params
        let policies = params["policies"] ?? []
        let first = params["firstSeason"]?.integer ?? 0
        let scenarios = try await prepared(params["scenarios"], withOptimum: params["withOptimum"], context)
        let seasons = params["seasons"]?.integer ?? 0
        let numbers = first..<(first + seasons)
        let isShop = params["shop"]?.bool == true
        let withPaths = params["withPaths"]?.bool == true
        var items: [JSONValue] = []
        var shopSums: [JSONValue] = []
        if isShop {
            var request: JSONObject = ["scenarios": .array(scenarios), "policies": policies]
            request["history"] = params["history"]
            if let former = params["former"] {
                request["former"] = .array(try await prepared(former, withOptimum: nil, context))
            }
            if withPaths { request["pathOf"] = .integer(first) }
            shopSums = try await sums(of: request, numbers, DaemonStatements.labShops, Self.shopChunk, context) {
                done in
                context.report(done: done, total: seasons, "shops")
            }
        }
        for (index, scenario) in scenarios.enumerated() {
            var request: JSONObject = ["scenario": scenario, "policies": policies]
            let own =
                isShop
                ? shopSums.filter { $0["product"]?.integer == Int64(index + 1) }
                : try await sums(of: request, numbers, DaemonStatements.labSeasons, Self.chunk, context) { done in
                    let before = Int64(index) * seasons
                    context.report(done: before + done, total: Int64(scenarios.count) * seasons, "seasons")
                }
            request["sums"] = .array(own)
            if withPaths { request["pathOf"] = .integer(first) }
            items += try await call(DaemonStatements.labRows, request, context).array ?? []
        }
        return Answer(text: JSONText(["items": .array(items)]))
    }

    private func prepared(
        _ scenarios: JSONValue?,
        withOptimum: JSONValue?,
        _ context: CallContext
    ) async throws(PricingFailure) -> [JSONValue] {
        var prepared: [JSONValue] = []
        for scenario in scenarios?.array ?? [] {
            var request: JSONObject = ["scenario": scenario, "policies": context.params["policies"] ?? []]
            request["seed"] = context.params["seed"]
            request["withOptimum"] = withOptimum
            prepared.append(try await call(DaemonStatements.labPrepare, request, context))
        }
        return prepared
    }

    /// The sums of seasons, added in the order of the chunks and not in that in which the statements ended.
    private func sums(
        of scenario: JSONObject,
        _ seasons: Range<Int64>,
        _ statement: Statement<[UInt8]>,
        _ chunk: Int64,
        _ context: CallContext,
        _ report: (Int64) -> Void
    ) async throws(PricingFailure) -> [JSONValue] {
        let starts = Array(stride(from: seasons.lowerBound, to: seasons.upperBound, by: Int64.Stride(chunk)))
        var sums: [[JSONValue]] = Array(repeating: [], count: starts.count)
        var done: Int64 = 0
        var failure: PricingFailure?
        let gate = CallGate.longReads
        let isWide = gates.widen(gate, context)
        defer { if isWide { gates.leave(gate, context.call.peer.uid) } }
        await withTaskGroup(of: (Int, Result<JSONValue, PricingFailure>).self) { group in
            var waiting = starts.indices[...]
            func startNext() {
                guard failure == nil, let index = waiting.popFirst() else { return }
                var request = scenario
                request["first"] = .integer(starts[index])
                request["count"] = .integer(min(chunk, seasons.upperBound - starts[index]))
                group.addTask { [request] in (index, await self.outcome(of: request, statement, context)) }
            }
            for _ in 0..<(isWide ? 2 : 1) { startNext() }
            for await (index, outcome) in group {
                switch outcome {
                case .success(let rows):
                    sums[index] = rows.array ?? []
                    done += min(chunk, seasons.upperBound - starts[index])
                    report(done)
                case .failure(let error): failure = failure ?? error
                }
                startNext()
            }
        }
        if let failure { throw failure }
        return sums.flatMap { $0 }
    }

    private func outcome(
        of request: JSONObject,
        _ statement: Statement<[UInt8]>,
        _ context: CallContext
    ) async -> Result<JSONValue, PricingFailure> {
        do throws(PricingFailure) {
            return .success(try await call(statement, request, context))
        } catch {
            return .failure(error)
        }
    }

    private func call(
        _ statement: Statement<[UInt8]>,
        _ parameters: JSONObject,
        _ context: CallContext
    ) async throws(PricingFailure) -> JSONValue {
        let text = try await database.run(context) { (session) throws(PostgresError) in
            try session.one(statement, [.json(parameters.serialized())])
        }
        return (try? JSONParser.parse(text)) ?? .null
    }
}
