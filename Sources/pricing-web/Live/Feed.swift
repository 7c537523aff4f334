import HTTPTypes
import HummingbirdCore
import JSON
import JSONRPC
import NIOCore
import PricingProtocol
import RPCTransport
import ServiceLifecycle

/// The subscriptions, the one for everybody and those of signed-in people, and the beat in which what they bring is sent on.
struct Feed: Service {
    static let beat = Duration.milliseconds(250)
    private static let shared = Events.topics(for: .public)

    let hub: EventHub
    let daemon: DaemonLink

    /// Subscribes for everybody on a new connection, after the last event that an earlier one brought.
    static func subscribe(_ client: RPCClient, _ hub: EventHub) async throws {
        var params = request(shared)
        let last = hub.sequence
        if last > 0 { params["from"] = .integer(last) }
        let reply = try await client.call("events.subscribe", params, timeout: .seconds(5))
        hub.begin(reply["subscription"]?.string, at: reply["sequence"]?.integer ?? 0)
    }

    private static func request(_ topics: [String]) -> JSONObject {
        ["topics": .array(topics.map { .string($0) }), "overflow": "gap"]
    }

    /// Ends the open streams when the program is told to end: only then can the server end.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    try? await Task.sleep(for: Feed.beat)
                    for deed in hub.flush() { group.addTask { await carryOut(deed) } }
                }
            }
        }
        hub.end()
    }

    private func carryOut(_ deed: OwnStreams.Deed) async {
        switch deed {
        case .subscribe(let token, let number, let connection):
            hub.answered(token, await subscribe(token, after: number), on: connection)
        case .unsubscribe(let id, let connection):
            guard hub.isCurrent(connection) else { return }
            _ = try? await daemon.call("events.unsubscribe", ["subscription": .string(id)])
        }
    }

    /// Subscribes to what a person may see besides what everybody does.
    private func subscribe(_ token: String, after number: Int64?) async -> OwnStreams.Outcome {
        do {
            guard let person = Person(try await daemon.call("login.get", login: token)) else { return .failed }
            let topics = Events.topics(for: person.isStaff ? .staff : .customer)
            var params = Feed.request(topics.filter { !Feed.shared.contains($0) })
            if let number { params["from"] = .integer(number) }
            let reply = try await daemon.call("events.subscribe", params, login: token, timeout: .seconds(5))
            guard let id = reply["subscription"]?.string, let last = reply["sequence"]?.integer else { return .failed }
            return .subscribed(id, after: last)
        } catch let error as RPCError where Site.endedLogin.contains(error.reason) {
            return .refused
        } catch {
            return .failed
        }
    }
}

/// `GET /api/events`: the stream of one browser, from where it was.
struct LiveStream: Sendable {
    let hub: EventHub

    func answer(_ visit: Visit) throws -> Answer {
        let last = visit.headers[.lastEventID] ?? visit.query["from"]
        let peer = EventHub.Peer(address: visit.address, token: visit.token, hangUp: visit.hangUp)
        let stream = try hub.open(after: last.flatMap { StreamPlace($0) }, peer)
        let hub = hub
        return .stream("text/event-stream", gone: { hub.close(stream.id) }) { writer in
            defer { hub.close(stream.id) }
            for await frame in stream.frames {
                for part in frame { try await writer.write(part) }
                hub.took(stream.id)
            }
        }
    }
}
