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

    @Option(help: "Policies, with commas between: learn_calm, deadline_agile, bands_10_20_80 …")
    var policies = "learn_calm"

    @Option(help: "Seasons of each scenario.")
    var seasons: Int64 = 200

    @Option(help: "The first season's number: other seasons, other customers.")
    var firstSeason: Int64 = 0

    @Option(help: "With --random: what is drawn, 1 unless given. Else: instead of the scenarios' own seeds.")
    var seed: UInt32?

    @Option(help: "How to print: a table beside the rivals, or one JSON object a line for each scenario and policy.")
    var format = Format.table

    @Flag(help: "Show price and stock along the first season of the first scenario under the first policy.")
    var plot = false

    @Option(help: "Draw the plot into this file too.")
    var svg: String?

    func validate() throws {
        guard (scenarios == nil) != (random == nil) else { throw ValidationError("Give --scenarios or --random.") }
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

    private var names: [String] {
        policies.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }

    func run() async throws {
        do {
            let scenarios = try chosen()
            // The rivals that the table shows unasked.
            let policies = names + (format == .table ? LabTable.rivals.filter { !names.contains($0) } : [])
            let client = try await connection.connect()
            async let bar: Void = LabProgress.show(client.notifications, total: seasons * Int64(scenarios.count))
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
        if let random {
            var drawn = RandomScenarios(seed: UInt64(seed ?? 1))
            return drawn.draw(random)
        }
        return try ScenarioFile.scenarios(in: TextFile.read(scenarios ?? ""))
    }

    private func evaluate(_ scenarios: [JSONObject], _ policies: [String], _ client: RPCClient) async throws {
        var table = LabTable(policies: policies, scenarios: scenarios.map { $0["name"]?.string ?? "" })
        var lines = format == .table ? [table.header] : []
        var drawing: SeasonPlot?
        for (index, scenario) in scenarios.enumerated() {
            let reply = try await client.call("lab.run", request(scenario, policies, index))
            let rows = (reply["items"]?.array ?? []).compactMap(LabRow.init)
            if index == 0, plot, let row = rows.first { drawing = Self.plot(row, scenario, firstSeason) }
            switch format {
            case .json:
                if Terminal.error.isInteractive { Terminal.error.write("\r\u{1B}[K") }  // the bar's line
                rows.forEach { Terminal.output.line("\(JSONValue.object($0.json))") }
            case .table: lines.append(table.add(rows))
            }
        }
        // All at once, so that no bar stands between the lines.
        if format == .table { (lines + table.foot).forEach(Terminal.output.line) }
        guard let drawing else { return }
        if let svg { try TextFile.write(drawing.svg, to: svg) }
        (format == .json ? Terminal.error : Terminal.output).write(drawing.lines.map { $0 + "\n" }.joined())
    }

    private func request(_ scenario: JSONObject, _ policies: [String], _ index: Int) -> JSONObject {
        var request: JSONObject = [
            "scenarios": [.object(scenario)], "policies": .array(policies.map { .string($0) }),
            "seasons": .integer(seasons), "firstSeason": .integer(firstSeason), "withOptimum": .bool(random != nil),
            "withPaths": .bool(plot && index == 0),
            "_meta": ["progressToken": .integer(Int64(index)), "actor": "pricing-simulate"],
        ]
        if random == nil, let seed { request["seed"] = .integer(Int64(seed)) }
        return request
    }

    private static func plot(_ row: LabRow, _ scenario: JSONObject, _ season: Int64) -> SeasonPlot? {
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
