import Testing

@testable import Pricing

@Suite("The lane of waiting orders")
struct LaneTests {
    private struct Item: Sendable, Equatable {
        let owner: Int
        let number: Int
    }

    private let lane = Lane<Item> { $0.owner }

    private func add(_ owner: Int, _ numbers: ClosedRange<Int>) {
        lane.add(numbers.map { Item(owner: owner, number: $0) })
    }

    @Test("What fits is taken as it came")
    func whole() {
        add(1, 1...2)
        add(2, 1...1)
        #expect(lane.take(3)?.map(\.owner) == [1, 1, 2])
        #expect(lane.take(3) == nil)
    }

    @Test("Behind a long pipeline the others come in the first batch, and nobody's order changes")
    func turns() {
        add(1, 1...1000)
        add(2, 1...2)
        add(3, 1...1)
        let first = lane.take(8) ?? []
        #expect(first.count == 8)
        #expect(first.filter { $0.owner == 2 }.map(\.number) == [1, 2])
        #expect(first.filter { $0.owner == 3 }.map(\.number) == [1])
        var ones = first.filter { $0.owner == 1 }.map(\.number)
        while let batch = lane.take(128) { ones += batch.map(\.number) }
        #expect(ones == Array(1...1000))
    }

    @Test("What is put back goes first")
    func putBack() {
        add(1, 2...3)
        lane.addFirst([Item(owner: 1, number: 1)])
        #expect(lane.count == 3)
        #expect(lane.take(10)?.map(\.number) == [1, 2, 3])
    }

    @Test("The loop sleeps until something waits, and ends with what is left")
    func next() async {
        async let first = lane.next(10)
        add(1, 1...2)
        #expect(await first?.map(\.number) == [1, 2])
        add(1, 3...3)
        lane.finish()
        #expect(await lane.next(10)?.map(\.number) == [3])
        #expect(await lane.next(10) == nil)
    }

    @Test("A loop that is cancelled ends, asleep or not")
    func cancelled() async {
        let loop = Task { await lane.next(10) }
        loop.cancel()
        #expect(await loop.value == nil)
    }
}
