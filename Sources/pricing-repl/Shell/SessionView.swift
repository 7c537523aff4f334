import Dispatch
import RPCTransport
import Synchronization

/// What the reading thread sees of a session, which lives elsewhere.
final class SessionView: Sendable {
    private struct State: Sendable {
        var catalogue = MethodCatalogue()
        var client: RPCClient?
        var isAway = false
    }

    private let state = Mutex(State())
    private let described = DispatchSemaphore(value: 0)

    /// The connection, for questions asked beside the shell's own calls.
    var client: RPCClient? {
        get { state.withLock(\.client) }
        set { state.withLock { $0.client = newValue } }
    }

    /// The server's methods; empty until they are known.
    var catalogue: MethodCatalogue {
        get { state.withLock(\.catalogue) }
        set {
            state.withLock { $0.catalogue = newValue }
            if !newValue.methods.isEmpty { described.signal() }
        }
    }

    /// Whether the daemon was looked for and is not there.
    var isAway: Bool {
        get { state.withLock(\.isAway) }
        set { state.withLock { $0.isAway = newValue } }
    }

    /// The methods, once they are known, for at most so long. Blocks, which only a thread of one's own may.
    func catalogue(within milliseconds: Int) -> MethodCatalogue {
        let known = catalogue
        guard known.methods.isEmpty, !isAway else { return known }
        if described.wait(timeout: .now() + .milliseconds(milliseconds)) == .success { described.signal() }
        return catalogue
    }
}
