import JSON
import Testing

@testable import pricing_repl

/// Events on their way to the screen.
struct ReplFeedTests {
    private let start = ContinuousClock.now

    private func change(
        _ sequence: Int64,
        product: Int64 = 7,
        topic: String = "stock",
        op: String = "update"
    ) throws -> Change {
        try #require(
            Change([
                "sequence": .integer(sequence), "at": "2026-01-02T03:04:05Z", "topic": .string(topic),
                "op": .string(op), "key": .integer(product),
                "before": [topic: .integer(sequence - 1)], "after": [topic: .integer(sequence)],
                "cause": ["kind": "sale", "orderId": 5],
            ])
        )
    }

    @Test func `a few events are shown at once and each by itself`() throws {
        var feed = Feed()
        for sequence in 1...3 as ClosedRange<Int64> {
            feed.take(try change(sequence))
            let batch = feed.next(at: start)
            #expect(batch.changes.map(\.sequence) == [sequence])
            #expect(batch.hidden == 0)
        }
        #expect(!feed.isWaiting)
    }

    @Test func `a burst becomes one line a product, and nothing is lost from the count`() throws {
        var feed = Feed()
        for sequence in 1...5000 as ClosedRange<Int64> { feed.take(try change(sequence, product: sequence % 10)) }
        let batch = feed.next(at: start)
        #expect(batch.changes.count == 10)
        #expect(batch.changes.reduce(batch.hidden) { $0 + $1.events } == 5000)
        #expect(batch.changes.last?.before["stock"] == 9)
        #expect(batch.changes.last?.after["stock"] == 5000)
    }

    @Test func `what is too much for a second is counted, and the newest is shown`() throws {
        var feed = Feed()
        feed.take(try change(1, product: 1))
        #expect(feed.next(at: start).changes.count == 1)
        for sequence in 2...5001 as ClosedRange<Int64> { feed.take(try change(sequence, product: sequence)) }
        #expect(feed.next(at: start).isEmpty)
        #expect(feed.due(at: start + .milliseconds(400)) == .milliseconds(600))
        let batch = feed.next(at: start + .seconds(1))
        #expect(batch.changes.map(\.sequence) == Array(5001 - Int64(Feed.linesMax) + 1...5001))
        #expect(batch.hidden == 5000 - Feed.linesMax)
        #expect(feed.due(at: start) == nil)
    }

    @Test func `what is no move is never joined, and texts wait for nothing`() throws {
        var feed = Feed()
        feed.take(try change(1, topic: "order", op: "insert"))
        feed.take(try change(2, topic: "order"))
        feed.take(text: "events: gap")
        let batch = feed.next(at: start)
        #expect(batch.texts == ["events: gap"])
        #expect(batch.changes.map(\.events) == [1, 1])
    }

    @Test func `of texts, too, the newest are kept and the rest is counted`() {
        var feed = Feed()
        for number in 1...4321 { feed.take(text: "line \(number)") }
        let batch = feed.next(at: start)
        #expect(batch.texts.count + batch.hidden == 4321)
        #expect(batch.texts.count < 2 * Feed.waitingMax)
        #expect(batch.texts.last == "line 4321")
        #expect(!feed.isWaiting)
    }

    @Test func `muted events are counted`() throws {
        var feed = Feed()
        #expect(feed.mute(true) == 0)
        feed.take(try change(1))
        feed.take(try change(2))
        #expect(feed.next(at: start).isEmpty)
        #expect(feed.mute(false) == 2)
        feed.take(try change(3))
        #expect(feed.next(at: start).changes.count == 1)
    }

    @Test func `a line says product, title, move and cause`() throws {
        let one = try change(5)
        let line = EventText.line(of: one, title: "Yoga mat")
        #expect(line.hasSuffix("  7 Yoga mat  stock 4 → 5  (sale orderId=5)"))
        let both = one.followed(by: try change(6))
        #expect(EventText.line(of: both, title: nil).hasSuffix("  7  stock 4 → 6  (2 moves)"))
        #expect(Amount("65.71")?.change(from: Amount(cents: 7301)) == "▼10%")
        #expect(Amount("4.06")?.change(from: Amount(cents: 400)) == "▲1.5%")
        #expect(
            HumanTime.moment(ofWire: "2026-01-02T03:04:05.123+02:00")
                == HumanTime.moment(ofWire: "2026-01-02T01:04:05Z")
        )
    }
}
