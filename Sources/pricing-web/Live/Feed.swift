import HTTPTypes
import HummingbirdCore
import JSON
import NIOCore
import RPCTransport
import ServiceLifecycle

/// The one subscription for everybody, and the beat in which what it brings is sent on.
struct Feed: Service {
    static let beat = Duration.milliseconds(250)

    let hub: EventHub

    /// Subscribes on a new connection, after the last event that an earlier one brought.
    static func subscribe(_ client: RPCClient, _ hub: EventHub) async throws {
        var params: JSONObject = ["topics": ["price", "stock", "catalogue"], "overflow": "gap"]
        let last = hub.sequence
        if last > 0 { params["from"] = .integer(last) }
        let reply = try await client.call("events.subscribe", params, timeout: .seconds(5))
        if let sequence = reply["sequence"]?.integer, last == 0 { hub.begin(at: sequence) }
    }

    /// Ends the open streams when the program is told to end: only then can the server end.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Feed.beat)
                hub.flush()
            }
        }
        hub.end()
    }
}

/// `GET /api/events`: the stream of one browser, from where it was.
struct LiveStream: Sendable {
    let hub: EventHub

    func answer(_ visit: Visit) throws -> Answer {
        let last = visit.headers[.lastEventID] ?? visit.query["from"]
        let stream = try hub.open(after: last.flatMap { Int64($0) }, address: visit.address, hangUp: visit.hangUp)
        let hub = hub
        return .stream("text/event-stream", gone: { hub.close(stream.id) }) { writer in
            defer { hub.close(stream.id) }
            for await frame in stream.frames {
                try await writer.write(ByteBuffer(bytes: frame))
                hub.took(stream.id)
            }
        }
    }
}
