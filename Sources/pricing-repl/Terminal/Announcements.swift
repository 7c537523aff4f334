import Synchronization

/// What other tasks want shown while the operator types: events above the prompt, completions that arrived.
final class Announcements: Sendable {
    /// One thing to do on the reading thread.
    enum Item: Sendable {
        /// Whole lines to print above the prompt.
        case text(String)
        /// Values for the line whose text before the cursor was `line`.
        case completion(line: String, answer: Completer.Answer)
    }

    private struct State {
        var items: [Item] = []
        var waker: LineEditor.Waker?
    }

    private let state = Mutex(State())

    /// More than this many waiting texts are not kept: the oldest go first, and the operator is told how many.
    private static let itemsMax = 1000

    /// The editor that shows what is announced.
    func attach(_ waker: LineEditor.Waker) { state.withLock { $0.waker = waker } }

    /// Queues `item`. False when no line is being read: then it waits for `take`.
    @discardableResult
    func put(_ item: Item) -> Bool {
        let waker = state.withLock { state in
            state.items.append(item)
            if state.items.count > Self.itemsMax { state.items.removeFirst() }
            return state.waker
        }
        return waker?.wake() ?? false
    }

    /// Takes everything that waits, in order.
    func take() -> [Item] {
        state.withLock { state in
            defer { state.items = [] }
            return state.items
        }
    }
}
