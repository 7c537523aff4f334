import JSON
import NIOCore
import Testing

@testable import pricing_web

/// What signed-in people are told of their own, without a socket.
struct OwnStreamTests {
    private static func order(_ sequence: Int64, _ key: Int64, in subscription: String) -> JSONObject {
        [
            "subscription": .string(subscription), "sequence": .integer(sequence), "topic": "order", "op": "update",
            "key": .integer(key), "after": ["status": "processing"],
        ]
    }

    private static func hub() -> EventHub {
        let hub = EventHub(most: 10, mostPerAddress: 10)
        hub.begin("s1", at: 10)
        return hub
    }

    private static func open(_ hub: EventHub, _ token: String?, after place: StreamPlace? = nil) throws
        -> EventHub.Stream
    {
        try hub.open(after: place, EventHub.Peer(address: "a", token: token) {})
    }

    /// All that a stream was given, once its hub has ended.
    private static func texts(_ stream: EventHub.Stream) async -> [String] {
        var texts: [String] = []
        for await frame in stream.frames { texts.append(frame.map { String(buffer: $0) }.joined()) }
        return texts
    }

    @Test
    func `A person's tabs share one subscription, and nobody else is told what it brings`() async throws {
        let hub = Self.hub()
        let (tab, other) = (try Self.open(hub, "ada"), try Self.open(hub, "ada", after: StreamPlace(10)))
        let (stranger, guest) = (try Self.open(hub, "bob"), try Self.open(hub, nil))
        let deeds = hub.flush()
        #expect(deeds.count == 2 && deeds.contains(.subscribe(token: "ada", after: 10, connection: 0)))
        #expect(hub.flush().isEmpty, "asked once")
        // The first event comes before the reply has been handed over.
        hub.take("events.event", Self.order(11, 7, in: "s2"))
        hub.answered("ada", .subscribed("s2", after: 10), on: 0)
        hub.answered("bob", .subscribed("s3", after: 10), on: 0)
        _ = hub.flush()
        hub.take("events.event", Self.order(12, 8, in: "s2"))
        _ = hub.flush()
        hub.end()
        for stream in [tab, other] {
            let texts = await Self.texts(stream)
            #expect(texts.count == 3 && texts[1].hasPrefix("id: 10.11\nevent: own\n") && texts[2].contains("\"key\":8"))
        }
        for stream in [stranger, guest] { #expect(await Self.texts(stream).count == 1) }
    }

    @Test
    func `The subscription ends with the last stream, not with a page that is left for another`() throws {
        let hub = Self.hub()
        let first = try Self.open(hub, "ada")
        _ = hub.flush()
        hub.answered("ada", .subscribed("s2", after: 10), on: 0)
        hub.close(first.id)
        let second = try Self.open(hub, "ada")
        #expect(hub.flush().isEmpty)
        hub.close(second.id)
        #expect(hub.flush() == [.unsubscribe("s2", connection: 0)])
        #expect(hub.figures.people == 0)
    }

    @Test
    func `After the daemon was away it is asked again, and what may have been missed is a gap`() async throws {
        let hub = Self.hub()
        let stream = try Self.open(hub, "ada")
        _ = hub.flush()
        hub.answered("ada", .subscribed("s2", after: 10), on: 0)
        hub.daemonChanged(awaySince: Now.moment)
        #expect(hub.flush().isEmpty, "nobody is there to be asked")
        hub.answered("ada", .subscribed("s9", after: 10), on: 0)
        hub.take("events.event", Self.order(11, 7, in: "s9"))
        hub.daemonChanged(awaySince: nil)
        hub.begin("s1", at: 10)
        #expect(hub.flush() == [.subscribe(token: "ada", after: 10, connection: 1)])
        hub.answered("ada", .failed, on: 1)
        #expect(hub.flush().count == 1, "again and again")
        hub.end()
        let texts = await Self.texts(stream)
        #expect(texts.contains { $0.contains("event: own") && $0.contains("\"gap\":true") })
        #expect(!texts.contains { $0.contains("\"key\":7") })
    }

    @Test
    func `A login that has ended is not asked for again`() throws {
        let hub = Self.hub()
        let stream = try Self.open(hub, "old")
        _ = hub.flush()
        hub.answered("old", .refused, on: 0)
        #expect(hub.flush().isEmpty)
        _ = try Self.open(hub, "ada")
        _ = hub.flush()
        hub.answered("ada", .subscribed("s2", after: 10), on: 0)
        hub.take("events.closed", ["subscription": "s2", "reason": "LOGIN_EXPIRED"])
        #expect(hub.flush().isEmpty)
        hub.close(stream.id)
        #expect(hub.flush().isEmpty && hub.figures.people == 1)
    }

    @Test
    func `One who comes back is given their own that they missed, and told when it is not kept`() async throws {
        let hub = Self.hub()
        let first = try Self.open(hub, "ada")
        _ = hub.flush()
        hub.answered("ada", .subscribed("s2", after: 10), on: 0)
        for number in 11...Int64(11 + OwnStreams.framesKept) {
            hub.take("events.event", Self.order(number, number, in: "s2"))
            _ = hub.flush()
        }
        let late = try Self.open(hub, "ada", after: StreamPlace(shared: 10, own: 10))
        let back = try Self.open(hub, "ada", after: StreamPlace(shared: 10, own: 12))
        hub.end()
        #expect(await Self.texts(first).count == 2 + OwnStreams.framesKept)
        #expect(await Self.texts(back).count == OwnStreams.framesKept)
        let texts = await Self.texts(late)
        #expect(texts.count == 2 && texts[1].contains("\"gap\":true"))
    }

    @Test
    func `More at once than a page can use is a gap`() throws {
        var own = OwnStreams()
        _ = own.join(1, "ada", after: 10)
        _ = own.deeds()
        own.answered("ada", .subscribed("s2", after: 10), on: 0)
        for number in 1...Int64(2 * OwnStreams.things) {
            own.take("s2", "events.event", Self.order(10 + number, number, in: "s2"))
        }
        let drained = own.drain()
        let text = try #require(drained.first).frame.parts(at: nil).map { String(buffer: $0) }.joined()
        #expect(text.contains("\"gap\":true") && !text.contains("\"key\":\(OwnStreams.things + 1)"))
    }
}
