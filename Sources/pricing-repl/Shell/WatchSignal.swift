import JSON
import JSONRPC
import PricingProtocol
import RPCTransport
import Synchronization

/// Says when to look again: when something has happened, when time is up, when the window has another size.
final class WatchSignal: Sendable {
    /// Several that come together are one.
    let wakes: AsyncStream<Void>
    private let woken: AsyncStream<Void>.Continuation
    private let subscribed = Atomic(false)

    private static let connectPause = Duration.seconds(1)

    init() { (wakes, woken) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Whether each change wakes now.
    var hearsChanges: Bool { subscribed.load(ordering: .relaxed) }

    func wake() { woken.yield() }

    /// Until the task is cancelled. The first wake comes when all that happens from then on is heard.
    /// - Parameters:
    ///   - subscription: of what is watched; nil where no event tells of it.
    ///   - socket: the daemon's: this connection is for nothing else, so no event of it is shown as a line.
    func run(every pause: Duration, subscription: JSONObject?, socket: String) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                if let subscription { await self.follow(subscription, socket) } else { self.wake() }
            }
            group.addTask {
                while (try? await Task.sleep(for: pause)) != nil { self.wake() }
            }
        }
    }

    private func follow(_ subscription: JSONObject, _ socket: String) async {
        while !Task.isCancelled {
            if let client = try? await RPCClient.connect(socket: socket, keeping: 1) {
                let isRefused = await follow(subscription, client)
                await client.close()
                if isRefused { return wake() }
            }
            subscribed.store(false, ordering: .relaxed)
            wake()
            guard (try? await Task.sleep(for: Self.connectPause)) != nil else { return }
        }
    }

    /// True where the daemon has no such subscription for us.
    private func follow(_ subscription: JSONObject, _ client: RPCClient) async -> Bool {
        do {
            _ = try await client.call("events.subscribe", subscription)
        } catch {
            return error is RPCError && !Task.isCancelled
        }
        subscribed.store(true, ordering: .relaxed)
        wake()
        for await notice in client.notifications where notice.method != Message.progress { wake() }
        return false
    }
}
