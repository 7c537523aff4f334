import Foundation
import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// `pricing-bench`: what it prints has its shape; how fast anything is, no test says.
    @Suite
    struct BenchTests {
        private func json(_ arguments: [String]) async throws -> JSONObject {
            let program = try ChildProgram(TestDaemon.program("pricing-bench"), arguments + ["--format", "json"])
            let line = await program.line()
            #expect(await program.exit() == 0)
            let errors = await program.errorText()
            let text = try #require(line, Comment(rawValue: errors))
            return try #require(try JSONParser.parse(Array(text.utf8)).object)
        }

        private func number(_ value: JSONValue?) throws -> Double {
            let text = try #require(value)
            return try #require(Double("\(text)"))
        }

        @Test func `a load is answered and counted`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            for work in ["orders", "orders-hot", "orders-zipf", "prices", "products", "inventory", "pings"] {
                let load = ["--socket", daemon.socket, "--work", work, "--connections", "3", "--depth", "4"]
                let report = try await json(load + ["--seconds", "1", "--rate", "50", "--subscribers", "1"])
                #expect(report["work"]?.string == work)
                #expect(report["answered"] == 50, "an open loop sends what it owes: \(report)")
                #expect(report["unanswered"] == 0)
                #expect(report["unsent"] == 0)
                #expect(try number(report["latencyMs"]?["p50"]) > 0)
                let reasons = try #require(report["refused"]?.object).keys
                #expect(Set(reasons).isSubset(of: ["INSUFFICIENT_STOCK", "PRODUCT_ARCHIVED"]))
                if work == "orders" { #expect(try #require(report["events"]?.integer) > 0) }
            }
        }

        @Test func `a missing daemon is said so`() async throws {
            let program = try ChildProgram(
                TestDaemon.program("pricing-bench"),
                ["--work", "pings", "--socket", "/nowhere/s.sock"]
            )
            #expect(await program.exit() == 2)
            #expect(await program.errorText().contains("no daemon answers at /nowhere/s.sock"))
        }

        @Test func `a comparison measures every line`() async throws {
            let report = try await json(["compare", "--seconds", "1", "--rounds", "1", "--products", "50"])
            let standings = try #require(report["standings"]?.array)
            #expect(
                standings.map { $0["name"]?.string } == [
                    "orders", "hotOrders", "oneOrder", "thinOrders", "thinHotOrders", "thinOneOrder", "wal", "disk",
                    "learning", "prices", "pings", "bytes", "connections", "tail", "memory",
                ]
            )
            for line in standings {
                #expect(try number(line["ours"]) > 0, "\(line)")
                #expect(try number(line["rival"]) > 0, "\(line)")
                #expect(try number(line["ratio"]) > 0, "\(line)")
            }
            for clients in ["1", "8", "32"] {
                for work in ["orders", "hotOrders", "prices"] {
                    #expect(try number(report["pgbench"]?[work]?[clients]) > 0)
                }
                for work in ["orders", "hotOrders"] { #expect(try number(report["thinShop"]?[work]?[clients]) > 0) }
            }
            let overload = try #require(report["overload"]?.array)
            #expect(overload.map { $0["timesPeak"] } == [2, 10])
            for row in overload {
                for figure in ["offered", "goodput", "ofPeak", "acceptedMs"] {
                    #expect(try number(row[figure]) > 0, "\(row)")
                }
                for share in ["refusedShare", "expiredShare"] {
                    #expect((0...1).contains(try number(row[share])), "\(row)")
                }
            }
            #expect(try #require(report["residentKiB"]?["atRest"]?.integer) > 0)
            #expect(try #require(report["residentKiB"]?["afterLoad"]?.integer) > 0)
            #expect(try number(report["readySeconds"]?["first"]) > 0)
            #expect(try number(report["readySeconds"]?["later"]) > 0)
            try expectTables(report)
        }

        private func expectTables(_ report: JSONObject) throws {
            let tables = try #require(report["tables"]?.array)
            #expect(
                tables.map { $0["name"]?.string } == [
                    "customer_order", "event_sequence", "inventory", "order_line", "stock_movement",
                ]
            )
            let inventory = try #require(tables.first { $0["name"] == "inventory" })
            #expect(try #require(inventory["updates"]?.integer) > 0)
            #expect((0...1).contains(try number(inventory["hotShare"])))
        }

        @Test func `each size of a shop is measured`() async throws {
            let sizes = ["--products", "200,100", "--history", "0,500"]
            let report = try await json(["compare", "--scale", "--seconds", "1", "--rounds", "1"] + sizes)
            let rows = try #require(report["sizes"]?.array)
            #expect(rows.map { $0["products"]?.integer } == [100, 100, 200, 200])
            #expect(rows.map { $0["history"]?.integer } == [0, 500, 0, 500])
            for row in rows {
                for figure in ["orders", "kept", "oneOrderMs", "prices", "pageMs"] {
                    #expect(try number(row[figure]) > 0, "\(figure) of \(row)")
                }
                let rest = try #require(row["residentKiB"]?["atRest"]?.integer)
                #expect(try #require(row["residentKiB"]?["highest"]?.integer) >= rest)
            }
            #expect(report["standings"]?.array?.map { $0["name"]?.string } == ["orders", "memory"])
        }

        @Test func `every number of connections is measured and pgbench stops somewhere`() async throws {
            let report = try await json([
                "compare", "--sessions", "--seconds", "1", "--rounds", "1", "--products", "50",
            ])
            let rows = try #require(report["sessions"]?.array)
            #expect(rows.map { $0["connections"]?.integer } == [1, 2, 4, 8, 16, 32, 64, 128, 256])
            // The cluster of our own takes 64 sessions.
            let stop = try #require(report["pgbenchStops"]?["clients"]?.integer)
            #expect(stop == 64)
            #expect(report["pgbenchStops"]?["reason"]?.string?.contains("connection") == true)
            for row in rows {
                for work in ["orders", "prices"] {
                    for figure in ["perSecond", "p50Ms", "p99Ms"] {
                        #expect(try number(row[work]?[figure]) > 0, "\(work) of \(row)")
                    }
                    let hasRival = try #require(row["connections"]?.integer) < stop
                    #expect((row["pgbench"]?[work] != .null) == hasRival, "\(row)")
                }
            }
        }

        @Test func `a long run is looked at again and again`() async throws {
            let report = try await json(["compare", "--minutes", "0.03", "--seconds", "1", "--products", "50"])
            let samples = try #require(report["samples"]?.array)
            #expect(samples.count >= 2)
            for sample in samples {
                for figure in ["minute", "residentKiB", "orders", "prices"] { #expect(try number(sample[figure]) > 0) }
            }
            for figure in ["residentKiB", "orders", "prices"] { _ = try number(report["aMinute"]?[figure]) }
            #expect(try #require(report["highestKiB"]?.integer) > 0)
            try expectTables(report)
        }

        @Test func `the history of a measured shop is sound and trade goes on`() async throws {
            let daemon = try await TestDaemon.start()
            let psql = try await daemon.psql(as: "postgres")
            let ids = try await psql.run(
                try script("bench/shop", ["products": "200", "customers": "20", "strategy": "bands"])
            )
            #expect(ids == ["1|200|1|20"])
            // Twice, with a trade between: the second past goes on where the trade ended, and ends within a round.
            for rows in [2000, 333] {
                try await psql.run(try script("bench/history", ["rows": "\(rows)"]))
                try await Invariants.expect(daemon)
                let client = try await daemon.client()
                let order: JSONObject = ["customerId": 7, "lines": [["productId": 5, "quantity": 2]]]
                #expect(try await client.call("order.place", order)["status"] == "pending")
                let audit = try await client.call("audit.verify")
                #expect(audit["total"] == 0, "\(audit)")
                await client.close()
            }
            let counts = "select (select count(*) from customer_order), (select count(*) from price_change)"
            #expect(try await psql.run(counts) == ["2335|117"])
        }

        private func script(_ name: String, _ variables: [String: String]) throws -> String {
            let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../sql")
            let text = try String(contentsOf: folder.appending(path: "\(name).sql"), encoding: .utf8)
            return variables.map { "\\set \($0) \($1)\n" }.joined() + text
        }
    }
}
