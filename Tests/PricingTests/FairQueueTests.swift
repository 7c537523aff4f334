import Testing

@testable import Pricing

struct FairQueueTests {
    private struct Item: Sendable, Equatable {
        let owner: Int
        let number: Int
    }

    private let queue = FairQueue<Item> { $0.owner }

    private func add(_ owner: Int, _ numbers: ClosedRange<Int>) {
        queue.add(numbers.map { Item(owner: owner, number: $0) })
    }

    @Test
    func `What fits is taken as it came`() {
        add(1, 1...2)
        add(2, 1...1)
        #expect(queue.dequeue(3)?.map(\.owner) == [1, 1, 2])
        #expect(queue.dequeue(3) == nil)
    }

    @Test
    func `Behind a long pipeline the others come in the first batch, and the order of no owner changes`() {
        add(1, 1...1000)
        add(2, 1...2)
        add(3, 1...1)
        let first = queue.dequeue(8) ?? []
        #expect(first.count == 8)
        #expect(first.filter { $0.owner == 2 }.map(\.number) == [1, 2])
        #expect(first.filter { $0.owner == 3 }.map(\.number) == [1])
        var ones = first.filter { $0.owner == 1 }.map(\.number)
        while let batch = queue.dequeue(128) { ones += batch.map(\.number) }
        #expect(ones == Array(1...1000))
    }

    @Test
    func `One more of a short pipeline has only as many of each of the others ahead of it`() {
        #expect(queue.ahead(of: 1) == 0)
        add(1, 1...1000)
        #expect(queue.ahead(of: 1) == 1000)
        #expect(queue.ahead(of: 2) == 1)
        add(2, 1...4)
        #expect(queue.ahead(of: 2) == 10)
        #expect(queue.ahead(of: 1) == 1004)
    }

    @Test
    func `What is put back goes first`() {
        add(1, 2...3)
        queue.addFirst([Item(owner: 1, number: 1)])
        #expect(queue.count == 3)
        #expect(queue.dequeue(10)?.map(\.number) == [1, 2, 3])
    }

    @Test
    func `The loop sleeps until something waits, and ends with what is left`() async {
        async let first = queue.next(10)
        add(1, 1...2)
        #expect(await first?.map(\.number) == [1, 2])
        add(1, 3...3)
        queue.finish()
        #expect(await queue.next(10)?.map(\.number) == [3])
        #expect(await queue.next(10) == nil)
    }

    @Test
    func `A loop that is cancelled ends, asleep or not`() async {
        let loop = Task { await queue.next(10) }
        loop.cancel()
        #expect(await loop.value == nil)
    }

    private let claiming = FairQueue<Item>(
        owner: { $0.owner },
        claims: { [Int64($0.number / 10), Int64($0.number % 10)] }
    )

    private func claim(_ numbers: Int...) {
        claiming.add(numbers.map { Item(owner: 1, number: $0) })
    }

    @Test
    func `What claims the same goes in one batch, or waits for the one that has it`() {
        claim(11, 22, 12)
        let first = claiming.dequeue(10) ?? []
        #expect(first.map(\.number) == [11, 22, 12])
        claim(23, 33)
        #expect(claiming.dequeue(10)?.map(\.number) == nil, "33 would overtake 23")
        claim(44)
        let second = claiming.dequeue(10) ?? []
        #expect(second.map(\.number) == [44])
        claiming.release(first)
        #expect(claiming.dequeue(1)?.map(\.number) == [23])
        #expect(claiming.dequeue(10) == nil)
        claiming.release(second)
        #expect(claiming.dequeue(10) == nil, "23 has it")
        claiming.release([Item(owner: 1, number: 23)])
        #expect(claiming.dequeue(10)?.map(\.number) == [33])
    }

    @Test
    func `Loops that share a queue take everything once, in order where it is claimed, and end together`() async {
        let taken = FairQueue<Item> { $0.owner }
        await withDiscardingTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    while let batch = await claiming.next(4) {
                        taken.add(batch)
                        await Task.yield()
                        claiming.release(batch)
                    }
                }
            }
            for number in 1...1000 {
                claiming.add([Item(owner: number, number: number * 7 % 5 * 11)])
                if number % 10 == 0 { await Task.yield() }
            }
            claiming.finish()
        }
        let items = taken.dequeue(1000) ?? []
        #expect(items.count == 1000)
        for kind in 0..<5 {
            let owners = items.filter { $0.number == kind * 11 }.map(\.owner)
            #expect(owners.count == 200 && owners == owners.sorted())
        }
    }
}
