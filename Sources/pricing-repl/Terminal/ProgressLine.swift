import Glibc
import Synchronization

/// How far a call is, on a line of its own that the result takes the place of.
final class ProgressLine: Sendable {
    private struct State {
        var isWanted = false
        var isShown = false
    }

    private let state = Mutex(State())

    /// A call begins.
    func begin() { state.withLock { $0.isWanted = true } }

    /// Shows `text` while a call runs; what comes later is too late.
    /// - Parameter width: the columns of the terminal, which the line does not fill.
    func show(_ text: String, width: Int) {
        state.withLock { state in
            guard state.isWanted else { return }
            state.isShown = true
            _ = Console.write("\r\u{1B}[K" + DisplayText.clipped(text, to: width - 1), to: STDERR_FILENO)
        }
    }

    /// The call has ended: its line goes.
    func end() {
        state.withLock { state in
            if state.isShown { _ = Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
            state = State()
        }
    }
}
