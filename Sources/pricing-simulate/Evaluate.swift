import ArgumentParser
import JSON
import JSONRPC
import PricingClient
import PricingProtocol
import RPCTransport

/// `pricing-simulate evaluate`: tries policies on seasons of demand, inside the daemon's database.
struct Evaluate: AsyncParsableCommand {
    /// How results are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    static let configuration = CommandConfiguration(
        abstract: "Try pricing policies on seasons of demand and compare them with the optimum.",
        discussion: RandomScenarios.family
    )

    @OptionGroup var connection: SocketOptions

    @Option(help: "A CSV file of scenarios, as examples/scenarios.csv.")
    var scenarios: String?

    @Option(help: "Draw so many scenarios instead.")
    var random: Int?

    @Option(help: "Sell so many shops instead, each of --products products that may learn from each other.")
    var shops: Int64?

    @Option(help: "With --shops: products of each.")
    var products = 30

    @Option(
        help: """
            With --shops: what the truth is of what was typed, as rate=2.0 or elasticity=0.61; own=0.5 is the deviation, \
            in logarithms, by which each product errs by itself besides.
            """
    )
    var error: [String] = []

    @Option(help: "With --shops: how many of the products err as far in the other direction.")
    var unlike = 0

    @Option(help: "With --shops: seasons that were sold before the one that counts.")
    var history: Int64 = 0

    @Option(help: "With --history: other products were sold then, and this is what they erred by, as --error says it.")
    var former: [String] = []

    @Option(help: "Policies, with commas between: learn_calm, learn_pooled_calm, deadline_agile, bands_10_20_80 …")
    var policies: String?

    @Option(help: "Seasons of each scenario.")
    var seasons: Int64 = 200

    @Option(help: "The first season's number: other seasons, other customers.")
    var firstSeason: Int64 = 0

    @Option(help: "What is drawn, 1 unless given. With --scenarios: instead of their own seeds.")
    var seed: UInt32?

    @Option(help: "How to print: a table beside the rivals, or one JSON object a line for each scenario and policy.")
    var format = Format.table

    @Flag(
        help: """
            Show price and stock along the first season of the first scenario under the first policy; with --shops how \
            far off the estimates are along the first shop's season, under each policy.
            """
    )
    var plot = false

    @Option(help: "Draw the plot into this file too.")
    var svg: String?

    func validate() throws {
        guard [scenarios != nil, random != nil, shops != nil].filter(\.self).count == 1 else {
            throw ValidationError("Give one of --scenarios, --random and --shops.")
        }
        guard (1...1000).contains(products), shops.map({ (1...1_000_000).contains($0) }) ?? true else {
            throw ValidationError("--products must lie in 1 to 1000, --shops in 1 to 1000000.")
        }
        guard shops != nil || (error.isEmpty && former.isEmpty && unlike == 0 && history == 0) else {
            throw ValidationError("--error, --unlike, --history and --former need --shops.")
        }
        guard (0...10).contains(history) else { throw ValidationError("--history must lie in 0 to 10.") }
        _ = try shopError(error)
        _ = try shopError(former)
        guard (0...products).contains(unlike) else { throw ValidationError("--unlike must lie in 0 to \(products).") }
        guard former.isEmpty || history > 0 else { throw ValidationError("--former needs --history.") }
        guard random.map({ (1...100_000).contains($0) }) ?? true else {
            throw ValidationError("--random must lie in 1 to 100000.")
        }
        guard !names.isEmpty else { throw ValidationError("--policies names none.") }
        guard (1...1_000_000).contains(seasons) else { throw ValidationError("--seasons must lie in 1 to 1000000.") }
        guard (0...1_000_000_000).contains(firstSeason) else {
            throw ValidationError("--first-season must lie in 0 to 1000000000.")
        }
        guard svg == nil || plot else { throw ValidationError("--svg draws the plot: give --plot too.") }
    }

    /// What `--error` or `--former` says, or a complaint.
    private func shopError(_ texts: [String]) throws -> RandomScenarios.ShopError {
        var error = RandomScenarios.ShopError()
        for text in texts {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            switch (parts[0], parts.count == 2 ? Double(parts[1]) : nil) {
            case ("rate", .some(let factor)) where (0.1...10).contains(factor): error.rate = factor
            case ("elasticity", .some(let factor)) where (0.1...10).contains(factor): error.elasticity = factor
            case ("own", .some(let deviation)) where (0...2).contains(deviation): error.own = deviation
            default:
                throw ValidationError("An error is rate=F, elasticity=F, F from 0.1 to 10, or own=D, D from 0 to 2.")
            }
        }
        return error
    }

    private var names: [String] {
        (policies ?? (shops == nil ? "learn_calm" : "learn_calm,learn_pooled_calm,learn_known_calm")).split(
            separator: ","
        ).map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }

    func run() async throws {
        do {
            let scenarios = try chosen()
            // The rivals that the table shows unasked.
            let policies =
                names + (format == .table && shops == nil ? LabTable.rivals.filter { !names.contains($0) } : [])
            let client = try await connection.connect()
            async let bar: Void = LabProgress.show(
                client.notifications,
                total: shops ?? seasons * Int64(scenarios.count)
            )
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await evaluate(scenarios, policies, client))
            } catch {
                outcome = .failure(error)
            }
            await client.close()  // ends the notifications, and with them the bar
            await bar
            try outcome.get()
        } catch {
            throw Failure.report(error)
        }
    }

    private func chosen() throws -> [JSONObject] {
        if shops != nil {
            var drawn = RandomScenarios(seed: UInt64(seed ?? 1))
            return drawn.draw(products, erring: try shopError(error), unlike: unlike)
        }
        if let random {
            var drawn = RandomScenarios(seed: UInt64(seed ?? 1))
            return drawn.draw(random)
        }
        return try ScenarioFile.scenarios(in: TextFile.read(scenarios ?? ""))
    }

    /// The products of the seasons before, where they were others: of another seed.
    private func formerProducts() throws -> [JSONObject]? {
        guard !former.isEmpty else { return nil }
        var drawn = RandomScenarios(seed: UInt64(seed ?? 1) + 1 << 32)
        return drawn.draw(products, erring: try shopError(former))
    }

    private func evaluate(_ scenarios: [JSONObject], _ policies: [String], _ client: RPCClient) async throws {
        var table = LabTable(policies: policies, scenarios: scenarios.map { $0["name"]?.string ?? "" })
        var lines = format == .table ? [table.header] : []
        var drawing: (any Plot)?
        for (index, batch) in (shops == nil ? scenarios.map { [$0] } : [scenarios]).enumerated() {
            let reply = try await client.call("lab.run", try request(batch, policies, index))
            let rows = (reply["items"]?.array ?? []).compactMap(LabRow.init)
            if index == 0, plot {
                drawing =
                    shops == nil
                    ? rows.first.flatMap { Self.plot($0, batch[0], firstSeason) }
                    : EstimatePlot(rows, of: batch, under: policies)
            }
            switch format {
            case .json:
                if Terminal.error.isInteractive { Terminal.error.write("\r\u{1B}[K") }  // the bar's line
                rows.forEach { Terminal.output.line("\(JSONValue.object($0.json))") }
            case .table:
                for first in stride(from: 0, to: rows.count, by: policies.count) {
                    lines.append(table.add(Array(rows[first..<min(rows.count, first + policies.count)])))
                }
            }
        }
        // All at once, so that no bar stands between the lines.
        if format == .table { (lines + table.foot).forEach(Terminal.output.line) }
        guard let drawing else { return }
        if let svg { try TextFile.write(drawing.svg, to: svg) }
        (format == .json ? Terminal.error : Terminal.output).write(drawing.lines.map { $0 + "\n" }.joined())
    }

    private func request(_ scenarios: [JSONObject], _ policies: [String], _ index: Int) throws -> JSONObject {
        var request: JSONObject = [
            "scenarios": .array(scenarios.map { .object($0) }), "policies": .array(policies.map { .string($0) }),
            "seasons": .integer(shops ?? seasons), "firstSeason": .integer(firstSeason),
            "withOptimum": .bool(self.scenarios == nil),
            "withPaths": .bool(plot && index == 0),
            "_meta": ["progressToken": .integer(Int64(index)), "actor": "pricing-simulate"],
        ]
        if shops != nil {
            request["shop"] = true
            request["history"] = .integer(history)
            if let former = try formerProducts() { request["former"] = .array(former.map { .object($0) }) }
        }
        if self.scenarios != nil, let seed { request["seed"] = .integer(Int64(seed)) }
        return request
    }

    private static func plot(_ row: LabRow, _ scenario: JSONObject, _ season: Int64) -> (any Plot)? {
        guard !row.path.isEmpty, let days = scenario["horizon_days"], let horizon = Double("\(days)") else {
            return nil
        }
        return SeasonPlot(title: "\(row.scenario), \(row.policy), season \(season)", path: row.path, horizon: horizon)
    }
}

/// The bar over all scenarios; a progress token is its scenario's index.
private enum LabProgress {
    static func show(_ notifications: AsyncStream<RPCNotification>, total: Int64) async {
        guard Terminal.error.isInteractive else { return }
        var bar = ProgressBar(isInteractive: true)
        for await notification in notifications where notification.method == Message.progress {
            guard let index = notification.params["token"]?.integer, let done = notification.params["done"]?.integer,
                let each = notification.params["total"]?.integer
            else { continue }
            if let text = bar.show(done: index * each + done, total: total, "seasons") { Terminal.error.write(text) }
        }
        Terminal.error.write(bar.end())
    }
}
