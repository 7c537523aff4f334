import JSONRPC
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

        @Test func aLoadIsAnsweredAndCounted() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            for work in ["orders", "orders-hot", "orders-zipf", "prices", "pings"] {
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

        @Test func aMissingDaemonIsSaidSo() async throws {
            let program = try ChildProgram(
                TestDaemon.program("pricing-bench"),
                ["--work", "pings", "--socket", "/nowhere/s.sock"]
            )
            #expect(await program.exit() == 2)
            #expect(await program.errorText().contains("no daemon answers at /nowhere/s.sock"))
        }

        @Test func aComparisonMeasuresEveryLine() async throws {
            let report = try await json(["compare", "--seconds", "1", "--rounds", "1", "--products", "50"])
            let standings = try #require(report["standings"]?.array)
            #expect(
                standings.map { $0["name"]?.string } == [
                    "orders", "hotOrders", "oneOrder", "prices", "pings", "bytes", "connections", "tail",
                ]
            )
            for line in standings {
                #expect(try number(line["ours"]) > 0, "\(line)")
                #expect(try number(line["rival"]) > 0, "\(line)")
                #expect(try number(line["ratio"]) > 0, "\(line)")
            }
            for work in ["orders", "hotOrders", "prices"] {
                for clients in ["1", "8", "32"] {
                    #expect(try number(report["pgbench"]?[work]?[clients]) > 0)
                }
            }
            #expect(try #require(report["residentKiB"]?["atRest"]?.integer) > 0)
            #expect(try #require(report["residentKiB"]?["afterLoad"]?.integer) > 0)
            #expect(try number(report["readySeconds"]?["first"]) > 0)
            #expect(try number(report["readySeconds"]?["later"]) > 0)
        }
    }
}
