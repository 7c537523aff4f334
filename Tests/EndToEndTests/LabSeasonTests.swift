import Foundation
import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// Seasons of the laboratory lived through by real products: orders over the socket, under a virtual clock.
    @Suite
    struct LabSeasonTests {
        private static let daemon = Task { try await TestDaemon.start() }

        private static let scenario: JSONObject = [
            "name": "A_scarce", "stock": 25, "horizon_days": 30, "customers_per_day": 4, "demand": "exponential(40)",
            "base": 50, "ref_rate": .decimal("1.1460191874407604"), "elasticity": .decimal("1.2499999999970868"),
            "seed": 101,
        ]

        /// One customer of one season who may buy.
        private struct Customer: Sendable {
            let season: Int
            let day: Double
            let willing: Double
        }

        /// A product on its way through a season: each price that was evaluated, and what it earned.
        private struct Life {
            let product: Int64
            var stock: Int64 = 25
            var prices: [Int64] = []
            var revenue: Int64 = 0
        }

        @Test func `ten seasons over the socket are the laboratorys`() async throws {
            let daemon = try await Self.daemon.value
            let shop = try await ShopClient.open(daemon)
            let customers = try await customers(daemon, seasons: 10)
            _ = try await shop.client.call("clock.set", ["at": .string(moment(0))])
            var lives: [Life] = []
            for _ in 0..<10 { lives.append(Life(product: try await product(shop))) }
            var waiting = customers[...]
            for tick in 0..<120 {  // four a day
                let day = Double(tick) / 4
                if tick > 0 { _ = try await shop.client.call("clock.set", ["at": .string(moment(day))]) }
                for season in lives.indices where lives[season].stock > 0 {
                    lives[season].prices.append(try cents(try await shop.get(lives[season].product)["price"]))
                }
                while let customer = waiting.first, customer.day < day + 0.25 {
                    waiting.removeFirst()
                    try await meet(customer, &lives[customer.season], shop)
                }
            }
            for (season, life) in lives.enumerated() {
                let row = try await laboratory(shop, season)
                let path = try #require(row["path"]?.array)
                #expect(life.prices == path.compactMap { $0["price"].flatMap(hundredths) }, "season \(season)")
                #expect(life.revenue == row["mean"].flatMap(hundredths))
                #expect(life.stock == row["leftOver"].flatMap(hundredths).map { $0 / 100 })
                #expect(try await shop.stock(life.product) == life.stock)
            }
        }

        @Test func `a cancel ends it`() async throws {
            let daemon = try await Self.daemon.value
            let client = try await daemon.client()
            let database = try await daemon.database()
            let request: JSONObject = [
                "scenarios": [.object(Self.scenario)], "policies": ["learn_agile"], "seasons": 1_000_000,
                "_meta": ["progressToken": "lab"],
            ]
            let run = Task { try await client.call("lab.run", request) }
            var seen: [Int64] = []
            for await notification in client.notifications where notification.method == "$/progress" {
                seen.append(try #require(notification.params["done"]?.integer))
                #expect(notification.params["total"] == 1_000_000)
                if seen.count == 2 { break }
            }
            #expect(seen == [20, 40])
            run.cancel()
            let error = await #expect(throws: RPCError.self) { try await run.value }
            #expect(error?.reason == "CANCELLED")
            let left = try await database.text(
                """
                select count(*)::text from pg_stat_activity
                where query like '%lab_seasons%' and state = 'active' and pid <> pg_backend_pid()
                """
            )
            #expect(left == "0")
            await database.close()
        }

        @Test func `the command prints a row a scenario and policy`() async throws {
            let daemon = try await Self.daemon.value
            let file = URL(filePath: #filePath).appending(path: "../../../examples/scenarios.csv").standardizedFileURL
                .path
            let drawing = daemon.folder + "/season.svg"
            let program = try ChildProgram(
                TestDaemon.program("pricing-simulate"),
                [
                    "evaluate", "--socket", daemon.socket, "--scenarios", file, "--policies",
                    "learn_calm,fixed_at_base",
                    "--seasons", "3", "--format", "json", "--plot", "--svg", drawing,
                ]
            )
            var rows: [JSONValue] = []
            while let line = await program.line() { rows.append(try JSONParser.parse(Array(line.utf8))) }
            #expect(await program.exit() == 0)
            #expect(rows.count == 34)
            #expect(rows[0]["scenario"] == "A_scarce" && rows[33]["policy"] == "fixed_at_base")
            #expect(rows[1]["mean"].flatMap(hundredths) == 125_000)
            #expect(
                rows[0].object?.keys == [
                    "scenario", "policy", "seasons", "mean", "share", "ci95", "changes", "reversals", "soldOut",
                    "leftOver",
                ]
            )
            #expect(try String(contentsOfFile: drawing, encoding: .utf8).hasPrefix("<svg"))
        }

        @Test func `the command says what is wrong`() async throws {
            let daemon = try await Self.daemon.value
            for (arguments, code, words) in [
                (["--scenarios", daemon.folder + "/none.csv"], 1 as Int32, "cannot read"),
                (["--random", "1", "--policies", "learn_hot"], 1, "There is no policy learn_hot"), ([], 64, "--random"),
            ] {
                let program = try ChildProgram(
                    TestDaemon.program("pricing-simulate"),
                    ["evaluate", "--socket", daemon.socket] + arguments
                )
                #expect(await program.exit() == code)
                #expect(await program.errorText().contains(words))
            }
        }

        // MARK: steps

        /// The season's first day is one that no other test of this suite's daemon comes near.
        private func moment(_ day: Double) -> String {
            let start = Date(timeIntervalSince1970: 2_208_988_800)  // 2040-01-01
            let whole = day.rounded(.down)
            let microseconds = Int(((day - whole) * 86_400_000_000).rounded())
            let date = start.addingTimeInterval(whole * 86_400 + Double(microseconds / 1_000_000))
            let text = date.formatted(.iso8601)
            return text.dropLast() + "." + String(1_000_000 + microseconds % 1_000_000).dropFirst() + "Z"
        }

        /// The customers of the first seasons in order of time, as the daemon's own database draws them.
        private func customers(_ daemon: TestDaemon, seasons: Int) async throws -> [Customer] {
            let database = try await daemon.database()
            let text = try await database.text(
                """
                select json_agg(json_build_array(number, day, most) order by day)::text
                from parse_scenario('\(JSONValue.object(Self.scenario))') s, generate_series(0, \(seasons - 1)) number,
                     draw_customers(s, number) c, unnest(c.times, c.willing) u (day, most)
                """
            )
            await database.close()
            return try (JSONParser.parse(Array(text.utf8)).array ?? []).map { customer in
                let parts = try #require(customer.array)
                return Customer(
                    season: Int(try #require(parts[0].integer)),
                    day: try #require(Double("\(parts[1])")),
                    willing: try #require(Double("\(parts[2])"))
                )
            }
        }

        /// A product as the scenario declares it, under a calm rule whose prices have steps of 1 % of base.
        private func product(_ shop: ShopClient) async throws -> Int64 {
            let rule = try await shop.client.call(
                "rule.create",
                [
                    "name": .string("season \(ShopClient.unique())"), "strategy": "learn", "preset": "calm",
                    "parameters": ["priceStep": "0.50", "fromShop": false],
                ]
            )
            let ruleId = try #require(rule["ruleId"])
            _ = try await shop.client.call("rule.activate", ["ruleId": ruleId])
            return try await shop.product([
                "basePrice": "50.00", "floor": "20.00", "ceiling": "150.00", "stock": 25, "ruleId": ruleId,
                "elasticity": Self.scenario["elasticity"] ?? .null, "refRate": Self.scenario["ref_rate"] ?? .null,
                "seasonStart": .string(moment(0)), "seasonEnd": .string(moment(30)),
            ])
        }

        /// A customer comes, and buys where the posted price is not above what they would pay.
        private func meet(_ customer: Customer, _ life: inout Life, _ shop: ShopClient) async throws {
            guard life.stock > 0, let price = life.prices.last, customer.willing * 100 >= Double(price) else { return }
            _ = try await shop.client.call("clock.set", ["at": .string(moment(customer.day))])
            let order = try await shop.buy(life.product)
            #expect(try cents(order["total"]) == price)
            life.revenue += price
            life.stock -= 1
            guard life.stock > 0 else { return }
            let change = order["priceChanges"]?.array?.first { $0["productId"]?.integer == life.product }
            life.prices.append(try change.map { try cents($0["new"]) } ?? price)
        }

        private func laboratory(_ shop: ShopClient, _ season: Int) async throws -> JSONValue {
            let reply = try await shop.client.call(
                "lab.run",
                [
                    "scenarios": [.object(Self.scenario)], "policies": ["learn_calm"], "seasons": 1,
                    "firstSeason": .integer(Int64(season)), "withPaths": true,
                ]
            )
            return try #require(reply["items"]?.array?.first)
        }

        /// A number in hundredths.
        private func hundredths(_ value: JSONValue) -> Int64? {
            Double("\(value)").map { Int64(($0 * 100).rounded()) }
        }
    }
}
