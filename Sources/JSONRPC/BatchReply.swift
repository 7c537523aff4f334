import Synchronization

/// Gathers the replies of one batch into one line, within the limit of a reply line.
package final class BatchReply: Sendable {
    private struct State {
        var line: [UInt8] = [UInt8(ascii: "[")]
        var open: Int
        var afterwards: [@Sendable () -> Void] = []
    }

    /// Room kept for each reply that is still missing, so that at least its error fits.
    private static let errorBytes = 1024

    private let limit: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - replies: How many of the messages want a reply.
    ///   - limit: Longest line in bytes.
    package init(replies: Int, limit: Int) {
        self.limit = limit
        state = Mutex(State(open: replies))
    }

    /// Adds one reply, given as a line of its own. Returns the whole line with the last one.
    /// A reply that does not fit any more is replaced by `instead`.
    package func add(
        _ reply: [UInt8],
        instead: @autoclosure () -> [UInt8],
        afterReply: (@Sendable () -> Void)?
    ) -> (line: [UInt8], afterwards: [@Sendable () -> Void])? {
        state.withLock { state in
            state.open -= 1
            let fits = reply.count <= limit - state.line.count - state.open * BatchReply.errorBytes
            state.line.append(contentsOf: (fits ? reply : instead()).dropLast())
            state.line.append(UInt8(ascii: state.open > 0 ? "," : "]"))
            if fits, let afterReply { state.afterwards.append(afterReply) }
            guard state.open == 0 else { return nil }
            state.line.append(UInt8(ascii: "\n"))
            return (state.line, state.afterwards)
        }
    }
}
