import ArgumentParser
import Testing

@testable import pricing_bench

struct ArgumentTests {
    @Test
    func `A load without a subcommand is a measurement`() throws {
        let words = ["--work", "orders-zipf", "--connections", "8", "--depth", "32", "--rate", "70.5", "--lines", "3"]
        let command = try #require(try PricingBench.parseAsRoot(words) as? Measure)
        #expect(command.work == .ordersZipf)
        #expect(command.connections == 8)
        #expect(command.depth == 32)
        #expect(command.rate == 70.5)
        #expect(command.lines == 3)
        #expect(command.subscribers == 0)
        #expect(command.format == .table)
    }

    @Test
    func `A comparison takes turns five times unless told otherwise`() throws {
        let command = try #require(try PricingBench.parseAsRoot(["compare", "--format", "json"]) as? Compare)
        #expect(command.rounds == 5)
        #expect(command.seconds == 5)
        #expect(command.products == nil)
        #expect(command.format == .json)
    }

    @Test
    func `Sizes of a shop come in ascending order, each once`() throws {
        let words = ["compare", "--scale", "--products", "1000,10,1000", "--history", "2000,0"]
        let command = try #require(try PricingBench.parseAsRoot(words) as? Compare)
        #expect(command.scale)
        #expect(command.products?.values == [10, 1000])
        #expect(command.history?.values == [0, 2000])
    }

    @Test(arguments: [
        ["--connections", "1"], ["--work", "everything"], ["--work", "pings", "--connections", "513"],
        ["--work", "pings", "--depth", "0"], ["--work", "pings", "--seconds", "3601"],
        ["--work", "pings", "--rate", "0"], ["--work", "pings", "--rate", "nan"],
        ["--work", "orders", "--lines", "101"], ["--work", "orders", "--subscribers", "65"],
        ["compare", "--rounds", "0"], ["compare", "--seconds", "601"], ["compare", "--products", "0"],
        ["compare", "--products", "10,"], ["compare", "--products", "-1"], ["compare", "--products", "10,20"],
        ["compare", "--history", "0"], ["compare", "--scale", "--history", "50000001"],
        ["compare", "--scale", "--sessions"], ["compare", "--sessions", "--minutes", "1"],
        ["compare", "--minutes", "0"],
    ])
    func `What is out of its range is refused`(words: [String]) {
        #expect(throws: (any Error).self) { try PricingBench.parseAsRoot(words) }
    }
}
