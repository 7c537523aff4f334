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
    private func comparison(_ figures: RoundFigures) -> Comparison {
        Comparison(
            figures: figures,
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
        #expect(comparison.json["standings"]?.array?[3]["ratio"] == .null)
    }

    @Test
    func `Of memory the highest of all rounds counts, beside its goal`() throws {
        let comparison = comparison([.memory: [51_200, 102_400, 76_800]])
        let memory = try #require(comparison.standings.last)
        #expect(memory.name == "memory")
        #expect(memory.ours == 100)
        #expect(memory.rival == 150)
        #expect(memory.isMet == true)
    }

    @Test
    func `Table and JSON hold every line`() throws {
        let comparison = comparison([:])
        #expect(comparison.lines.count { $0.hasPrefix("| ") } == 11)
        let json = comparison.json
        let bytes = json["standings"]?.array?.first { $0["name"] == "bytes" }
        #expect(bytes?["limit"] == .null, "it only informs")
        #expect(bytes?["met"] == .null)
        #expect(json["residentKiB"] == ["atRest": 100, "afterLoad": 200])
        #expect(json["standings"]?.array?.count == 9)
        #expect(json["pgbench"]?["orders"]?.object?.keys == ["1", "8", "32"])
    }
}
