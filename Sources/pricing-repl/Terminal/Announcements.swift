import Synchronization

/// What other tasks want done while the operator types: texts above the prompt, another prompt, completions that arrived.
final class Announcements: Sendable {
    /// One thing to do on the reading thread.
    enum Item: Sendable {
        /// Whole lines to print above the prompt.
        case text(String)
        case prompt(String)
        /// Values for the line whose text before the cursor was `line`.
        case completion(line: String, answer: Completer.Answer)
    }

    private struct State {
        var texts: [String] = []
        /// Of these the newest alone counts.
        var prompt: Item?
        var completion: Item?
        var waker: LineEditor.Waker?
    }

    private let state = Mutex(State())

    /// The editor that shows what is announced.
    func attach(_ waker: LineEditor.Waker) { state.withLock { $0.waker = waker } }

    /// Whether a line is being read.
    var isReading: Bool { state.withLock(\.waker)?.isReading ?? false }

    /// Queues `item` until a line is read.
    func put(_ item: Item) {
        let waker = state.withLock { state in
            switch item {
            case .text(let text): state.texts.append(text)
            case .prompt: state.prompt = item
            case .completion: state.completion = item
            }
            return state.waker
        }
        _ = waker?.wake()
    }

    /// Makes the waiting editor draw its line anew.
    func wake() { _ = state.withLock(\.waker)?.wake() }

    /// Removes everything that waits, in order.
    func removeAll() -> [Item] {
        state.withLock { state in
            let items = state.texts.map { Item.text($0) } + [state.prompt, state.completion].compactMap(\.self)
            (state.texts, state.prompt, state.completion) = ([], nil, nil)
            return items
        }
    }
}
