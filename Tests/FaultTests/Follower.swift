import JSON
import JSONRPC
import PricingTestSupport
import RPCTransport
import Synchronization
import Testing

/// A subscriber of everything, as a client should be one: after a lost connection it goes on from the last number that it has
/// seen. It must see each number once, in order, without a hole.
final class Follower: Sendable {
    private struct State {
        var last: Int64
        var seen: Int64 = 0
        var problems: [String] = []
        var waiting: (number: Int64, CheckedContinuation<Void, Never>)?
    }

    private let state: Mutex<State>
    private let connect: @Sendable () async throws -> TestClient

    /// How many events it has seen, and the number of the last of them.
    var progress: (seen: Int64, last: Int64) { state.withLock { ($0.seen, $0.last) } }
    /// What came twice, out of order, or was left out.
    var problems: [String] { state.withLock { $0.problems } }

    /// - Parameters:
    ///   - start: the number after which it begins.
    ///   - connect: waits for a daemon that serves; gives a connection.
    init(after start: Int64, connect: @escaping @Sendable () async throws -> TestClient) {
        state = Mutex(State(last: start))
        self.connect = connect
    }

    /// Follows until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            guard let client = try? await connect() else {
                await Task.yield()
                continue
            }
            let from = state.withLock { $0.last }
            if (try? await client.call("events.subscribe", ["from": .integer(from)])) != nil {
                for await notification in client.notifications where !take(notification) { break }
            }
            await client.close()
        }
    }

    /// Notes one notification; false when the stream has to be taken up anew.
    private func take(_ notification: RPCNotification) -> Bool {
        let (goesOn, reached): (Bool, CheckedContinuation<Void, Never>?) = state.withLock { state in
            guard notification.method == "events.event", let number = notification.params["sequence"]?.integer else {
                if notification.method == "events.gap", notification.params["reason"] != "SLOW_READER" {
                    state.problems.append("after \(state.last): \(notification.params)")
                }
                return (false, nil)
            }
            if number != state.last + 1 { state.problems.append("event \(number) came after \(state.last)") }
            state.last = number
            state.seen += 1
            guard let waiting = state.waiting, number >= waiting.number else { return (true, nil) }
            state.waiting = nil
            return (true, waiting.1)
        }
        reached?.resume()
        return goesOn
    }

    /// Waits until it has seen a number.
    func reaches(_ number: Int64) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.last >= number { return true }
                state.waiting = (number, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}

/// Whether somebody may go on: a door that a test shuts while there is nothing behind it.
final class Door: Sendable {
    private struct State {
        var isOpen = true
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func shut() {
        state.withLock { $0.isOpen = false }
    }

    func open() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until it is open.
    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
