import JSON
import Testing

@testable import pricing_bench

struct PgBenchTests {
    @Test
    func `Transactions a second, without the time to connect`() throws {
        let text = """
            number of transactions actually processed: 5
            latency average = 0.161 ms
            initial connection time = 2.345 ms
            tps = 6190.418243 (without initial connection time)
            """
        #expect(PgBench.Result(text)?.perSecond == 6190.418243)
        #expect(PgBench.Result(text)?.transactions == 5)
        #expect(PgBench.Result("pgbench: error: connection failed") == nil)
    }

    @Test
    func `The median of its log`() throws {
        let log = "0 1 400 0 1700000000 1\n0 2 300 0 1700000000 2\n0 3 9000 0 1700000000 3\n"
        #expect(try #require(PgBench.median(log: log)) == 0.4)
        #expect(PgBench.median(log: "") == nil)
    }
}

struct ComparisonTests {
    private func comparison(_ figures: RoundFigures, overloads: [Int: [Overload]] = [:]) -> Comparison {
        Comparison(
            figures: figures,
            overloads: overloads,
            rounds: 3,
            seconds: 5,
            products: 10,
            restKiB: 100,
            loadedKiB: 200,
            firstReady: 2,
            laterReady: 1,
            tables: []
        )
    }

    @Test
    func `The median is the middle, and none of nothing`() {
        #expect(median([3, 1, 2]) == 2)
        #expect(median([4, 1, 2, 3]) == 2.5)
        #expect(median([]).isNaN)
        #expect(median([1, .nan, 2]).isNaN)
    }

    @Test
    func `The rival counts with its best number of clients, by medians`() throws {
        let comparison = comparison([
            .orders: [90, 200, 210], .rivalOrders(clients: 1): [10, 10, 900], .rivalOrders(clients: 8): [90, 100, 110],
            .rivalOrders(clients: 32): [80, 80, 80], .oneOrder: [0.3], .rivalOneOrder: [0.2],
        ])
        let orders = try #require(comparison.standings.first { $0.name == "orders" })
        #expect(orders.ours == 200)
        #expect(orders.rival == 100)
        #expect(orders.ratio == 2)
        #expect(orders.isMet == true)
        let one = try #require(comparison.standings.first { $0.name == "oneOrder" })
        #expect(one.isMet == false, "a time that is longer than allowed")
        let prices = try #require(comparison.standings.first { $0.name == "prices" })
        #expect(prices.isMet == false, "what was not measured meets nothing")
        #expect(prices.json["ratio"] == .null)
    }

    @Test
    func `The thin shop counts with its best number of clients too, and bytes have no goal`() throws {
        let comparison = comparison([
            .orders: [200], .rivalOrders(clients: 1): [50], .rivalOrders(clients: 8): [50],
            .rivalOrders(clients: 32): [50], .thinOrders(clients: 1): [60], .thinOrders(clients: 8): [400],
            .thinOrders(clients: 32): [300], .wal: [3000], .thinWAL: [1500], .disk: [900], .thinDisk: [600],
        ])
        for (name, ours, rival) in [("orders", 200.0, 50.0), ("thinOrders", 200, 400), ("wal", 3000, 1500)] {
            let line = try #require(comparison.standings.first { $0.name == name })
            #expect(line.ours == ours)
            #expect(line.rival == rival)
            #expect((line.isMet == nil) == (name == "wal"))
        }
        let disk = try #require(comparison.standings.first { $0.name == "disk" })
        #expect(disk.ratio == 1.5)
    }

    @Test
    func `Overload is told as shares of the peak, accepted orders apart from refused ones`() throws {
        var plan = LoadPlan(work: .orders, connections: 32, depth: 8, seconds: 2, rate: 2000)
        var report = LoadReport(plan)
        for _ in 1...1800 { report.note(latency: 500 * Moment.millisecond, refusal: nil, isInTime: true) }
        for _ in 1...600 { report.note(latency: Moment.millisecond, refusal: "RESOURCE_EXHAUSTED", isInTime: true) }
        for _ in 1...1600 { report.note(latency: 4 * Moment.second, refusal: "DEADLINE_EXCEEDED", isInTime: true) }
        plan.rate = 10_000
        let calm = LoadReport(plan)
        let told = comparison([.orders: [1000]], overloads: [2: [Overload(report)], 10: [Overload(calm)]])
        let rows = try #require(told.json["overload"]?.array)
        #expect(rows.map { $0["timesPeak"] } == [2, 10])
        #expect(rows[0]["offered"] == .decimal("2000.000"))
        #expect(rows[0]["goodput"] == .decimal("900.000"))
        #expect(rows[0]["ofPeak"] == .decimal("0.900"))
        #expect(rows[0]["refusedShare"] == .decimal("0.150"))
        #expect(rows[0]["expiredShare"] == .decimal("0.400"))
        let refusal = try #require(report.milliseconds(50, refused: "RESOURCE_EXHAUSTED"))
        #expect(rows[0]["refusalMs"]?["p50"] == .number(refusal), "a deadline that passed is no refusal")
        #expect(rows[1]["refusalMs"]?["p50"] == .null, "none was refused")
        #expect(told.lines.contains { $0.hasPrefix("| 2 × the peak, 2000.000 /s | 900.000 /s | 0.900 |") })
    }

    @Test
    func `Of memory the highest of all rounds counts, beside its goal`() throws {
        let comparison = comparison([.memory: [51_200, 102_400, 76_800]])
        let memory = try #require(comparison.standings.first { $0.name == "memory" })
        #expect(memory.ours == 100)
        #expect(memory.rival == 150)
        #expect(memory.isMet == true)
    }

    @Test
    func `Table and JSON hold every line`() throws {
        let comparison = comparison([:])
        #expect(comparison.lines.count { $0.hasPrefix("| ") } == 20)
        let json = comparison.json
        let bytes = json["standings"]?.array?.first { $0["name"] == "bytes" }
        #expect(bytes?["limit"] == .null, "it only informs")
        #expect(bytes?["met"] == .null)
        #expect(json["residentKiB"] == ["atRest": 100, "afterLoad": 200])
        #expect(json["standings"]?.array?.count == 15)
        for rival in ["pgbench", "thinShop"] {
            #expect(json[rival]?["orders"]?.object?.keys == ["1", "8", "32"])
        }
    }
}
