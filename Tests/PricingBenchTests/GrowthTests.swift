import JSON
import PricingClient
import Testing

@testable import pricing_bench

struct GrowthTests {
    private func size(_ products: Int, _ history: Int, orders: [Double], restKiB: Int64) -> GrowthReport.Size {
        var size = GrowthReport.Size(products: products, history: history, fillSeconds: 1)
        size.orders = orders
        size.restKiB = restKiB
        return size
    }

    @Test
    func `The last size is set beside the first, memory beside its goal only where that speaks of it`() throws {
        let report = GrowthReport(
            sizes: [
                size(10, 0, orders: [1000, 2000, 900], restKiB: 30 << 10),
                size(100_000, 5, orders: [900], restKiB: 50 << 10),
                size(100_001, 5, orders: [650, 600], restKiB: 90 << 10),
            ],
            rounds: 3,
            seconds: 5
        )
        #expect(report.standings.map(\.name) == ["orders", "memory"])
        let orders = try #require(report.standings.first)
        #expect(orders.ratio == 0.625)
        #expect(orders.isMet == false)
        let memory = try #require(report.standings.last)
        #expect(memory.ours == 50)
        #expect(memory.isMet == false)
        #expect(report.json["sizes"]?.array?[1]["kept"] == .decimal("0.900"))
        #expect(report.lines.count { $0.hasPrefix("| 100") } == 2)
    }

    @Test
    func `A row that psql prints of a table, and one that is none`() throws {
        let table = try #require(TableActivity(["inventory", "200", "150", "7", "2", "2031-01-01T00:00:00Z"]))
        #expect(table.hotShare == 0.75)
        #expect(table.lastAutovacuum == "2031-01-01T00:00:00Z")
        let still = try #require(TableActivity(["order_line", "0", "0", "0", "0", ""]))
        #expect(still.hotShare == nil)
        #expect(still.json["lastAutovacuum"] == .null)
        #expect(TableActivity(["inventory", "", "", "", "", ""]) == nil)
        #expect(TableActivity([]) == nil)
    }
}

struct LongRunTests {
    private func report(_ samples: [LongRunReport.Sample]) -> LongRunReport {
        LongRunReport(samples: samples, seconds: 10, peakKiB: 300, tables: [])
    }

    @Test
    func `The slope leaves out the first quarter`() {
        let looks = (0..<8).map { n in
            LongRunReport.Sample(
                minute: Double(n) / 2,
                residentKiB: n < 2 ? 1 : 200 + Int64(n),
                orders: 100 - Double(n),
                prices: 50
            )
        }
        let report = report(looks)
        #expect(report.slope { Double($0.residentKiB) } == 2)
        #expect(report.slope { $0.orders } == -2)
        #expect(report.slope { $0.prices } == 0)
        #expect(report.json["aMinute"]?["residentKiB"] == .decimal("2.000"))
        #expect(report.lines.count { $0.hasSuffix("/s |") } == 8)
    }

    @Test
    func `A single look has no slope`() {
        let report = report([LongRunReport.Sample(minute: 1, residentKiB: 1, orders: 1, prices: 1)])
        #expect(report.slope { $0.orders }.isNaN)
        #expect(report.json["aMinute"]?["orders"] == .null)
    }
}

struct SessionsTests {
    @Test
    func `Where pgbench has no room it has no figures, and why is said`() throws {
        var row = SessionsReport.Row(connections: 64)
        var load = LoadReport(LoadPlan(work: .orders, connections: 64, depth: 4, seconds: 2))
        load.note(latency: 4 * Moment.millisecond, refusal: nil, isInTime: true)
        row.orders = [SessionsReport.Figures(load)]
        let report = SessionsReport(
            rows: [row],
            stop: SessionsReport.Stop(clients: 64, said: "pgbench: error: connection failed\nsecond line"),
            rounds: 1,
            trial: Trial(socket: "", shop: ShopIDs(customers: [1], products: [1, 2]), seconds: 2)
        )
        let session = try #require(report.json["sessions"]?.array?.first)
        #expect(session["orders"]?["perSecond"] == .decimal("0.500"))
        #expect(session["pgbench"] == ["orders": nil, "prices": nil])
        #expect(report.json["products"] == 2)
        #expect(report.json["pgbenchStops"] == ["clients": 64, "reason": "pgbench: error: connection failed"])
        #expect(report.lines.last == "pgbench stops at 64 clients: pgbench: error: connection failed")
    }

    @Test
    func `Only want of sessions is an end; anything else went wrong`() {
        #expect(Sessions.hasNoRoom("FATAL:  remaining connection slots are reserved for superusers"))
        #expect(Sessions.hasNoRoom("FATAL:  sorry, too many clients already"))
        #expect(!Sessions.hasNoRoom("connection to server on socket failed: No such file or directory"))
    }
}
