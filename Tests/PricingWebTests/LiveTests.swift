import JSON
import NIOCore
import Testing

@testable import pricing_web

/// The one stream for all, without a socket.
struct LiveTests {
    private static func event(_ sequence: Int64, _ key: Int64, _ old: String, _ new: String) -> JSONObject {
        [
            "sequence": .integer(sequence), "topic": "price", "op": "update", "key": .integer(key),
            "before": ["price": .string(old)], "after": ["price": .string(new)],
        ]
    }

    @Test
    func `A price that moved twice is shown once, from where it was`() throws {
        var conflation = Conflation()
        conflation.take(event: Self.event(5, 1, "10.00", "11.00"))
        conflation.take(event: Self.event(6, 2, "20.00", "21.00"))
        conflation.take(event: Self.event(7, 1, "11.00", "12.00"))
        conflation.take(event: Self.event(7, 1, "11.00", "99.00"))
        let drained = conflation.drain()
        let frame = try #require(drained)
        let items = frame["items"]?.array ?? []
        #expect(frame["sequence"] == 7 && items.count == 2)
        #expect(
            items[0]["key"] == 1 && items[0]["before"]?["price"] == "10.00" && items[0]["after"]?["price"] == "12.00"
        )
        #expect(conflation.isEmpty)
    }

    @Test
    func `A gap is told, also with nothing beside it`() {
        var conflation = Conflation()
        conflation.gap(to: 40)
        let frame = conflation.drain()
        #expect(frame?["gap"] == true && conflation.sequence == 40)
    }

    @Test
    func `The backlog gives what came after a number, or says that it cannot`() {
        var backlog = Backlog()
        backlog.begin(at: 100)
        for number in 1...Int64(Backlog.frames + 2) { backlog.add(Frame("moves", [:], sequence: 100 + number)) }
        #expect(backlog.after(100) == nil && backlog.after(101) == nil)
        #expect(backlog.after(102)?.count == Backlog.frames)
        #expect(backlog.after(100 + Int64(Backlog.frames) + 2) == [])
    }

    @Test
    func `The backlog keeps no more bytes than it may, however long a frame is`() {
        let data: JSONObject = ["items": .string(String(repeating: "x", count: 1000))]
        var backlog = Backlog(bytes: 3 * Frame("moves", data).bytes)
        backlog.begin(at: 0)
        for number in 1...Int64(5) { backlog.add(Frame("moves", data, sequence: number)) }
        #expect(backlog.after(1) == nil && backlog.after(2)?.count == 3)
    }

    private static func peer(_ address: String = "a", _ token: String? = nil) -> EventHub.Peer {
        EventHub.Peer(address: address, token: token) {}
    }

    private static func texts(_ stream: EventHub.Stream) async -> [String] {
        var texts: [String] = []
        for await frame in stream.frames { texts.append(frame.map { String(buffer: $0) }.joined()) }
        return texts
    }

    @Test
    func `Streams are limited in all and by address, and a place is free again`() throws {
        let hub = EventHub(most: 3, mostPerAddress: 2)
        let first = try hub.open(after: nil, Self.peer("a"))
        _ = try hub.open(after: nil, Self.peer("a"))
        #expect(throws: Refusal.self) { try hub.open(after: nil, Self.peer("a")) }
        _ = try hub.open(after: nil, Self.peer("b"))
        #expect(throws: Refusal.self) { try hub.open(after: nil, Self.peer("c")) }
        hub.close(first.id)
        _ = try hub.open(after: nil, Self.peer("c"))
        hub.end()
        #expect(throws: Refusal.self) { try hub.open(after: nil, Self.peer("d")) }
    }

    @Test
    func `A reader who comes back is given what it missed`() async throws {
        let hub = EventHub(most: 3, mostPerAddress: 3)
        hub.begin(at: 10)
        hub.take("events.event", Self.event(11, 1, "10.00", "11.00"))
        _ = hub.flush()
        hub.take("events.event", Self.event(12, 1, "11.00", "12.00"))
        _ = hub.flush()
        let stream = try hub.open(after: StreamPlace(11), Self.peer())
        hub.end()
        let texts = await Self.texts(stream)
        #expect(texts.count == 2 && texts[1].hasPrefix("id: 12\nevent: moves\n") && texts[1].contains("\"12.00\""))
    }

    @Test
    func `A place in a stream is one number, or two where a person's own stands elsewhere`() {
        #expect(StreamPlace("7") == StreamPlace(7) && StreamPlace("7.5") == StreamPlace(shared: 7, own: 5))
        #expect(StreamPlace(7).text == "7" && StreamPlace(shared: 7, own: 9).text == "7.9")
        for text in ["", "x", "7.", ".7", "7.8.9", "7.x"] { #expect(StreamPlace(text) == nil, "\(text)") }
    }
}
