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
        var texts: [String] = []
        var textsDropped = 0
        /// The newest alone: an older one is for a line that is no longer there.
        var completion: Item?
        var waker: LineEditor.Waker?

        mutating func dropOldTexts(keeping count: Int) {
            guard texts.count > count else { return }
            textsDropped += texts.count - count
            texts.removeFirst(texts.count - count)
        }
    }

    private let state = Mutex(State())

    /// More than this many waiting texts are not kept: the oldest go first, and the operator is told how many.
    private static let textsMax = 1000

    /// The editor that shows what is announced.
    func attach(_ waker: LineEditor.Waker) { state.withLock { $0.waker = waker } }

    /// Queues `item`. False when no line is being read: then it waits for `take`.
    @discardableResult
    func put(_ item: Item) -> Bool {
        let waker = state.withLock { state in
            switch item {
            case .text(let text):
                state.texts.append(text)
                // In large steps, since each moves all that stay.
                if state.texts.count >= 2 * Self.textsMax { state.dropOldTexts(keeping: Self.textsMax) }
            case .completion: state.completion = item
            }
            return state.waker
        }
        return waker?.wake() ?? false
    }

    /// Removes everything that waits, in order; first how much of it is not shown, if any.
    func removeAll() -> [Item] {
        state.withLock { state in
            state.dropOldTexts(keeping: Self.textsMax)
            var items = state.texts.map { Item.text($0) }
            if state.textsDropped > 0 {
                items.insert(.text("… \(state.textsDropped) earlier lines are not shown"), at: 0)
            }
            if let completion = state.completion { items.append(completion) }
            state.texts = []
            state.textsDropped = 0
            state.completion = nil
            return items
        }
    }
}
