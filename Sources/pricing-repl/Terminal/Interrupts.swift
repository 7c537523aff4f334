import Dispatch
import Glibc
import Synchronization

/// SIGINT, by what runs at the time: a call is cancelled, a prompt loses its line, anything else ends the program.
@MainActor
final class Interrupts {
    private struct State {
        var cancel: (@Sendable () -> Void)?
        var isCancelled = false
        var waker: LineEditor.Waker?
    }

    /// Shared with the signal handlers, which run on a thread of their own.
    private final class Target: Sendable {
        let state = Mutex(State())

        func interrupt() {
            let (cancel, isSecond, waker) = state.withLock { state in
                defer { state.isCancelled = state.cancel != nil }
                return (state.cancel, state.isCancelled, state.waker)
            }
            if let cancel, !isSecond { return cancel() }
            if cancel == nil, waker?.interrupt() == true { return }
            _exit(ExitStatus.interrupted.rawValue)
        }
    }

    private let target = Target()
    private let sources: [any DispatchSourceSignal]

    /// Listens from now on.
    init() {
        signal(SIGPIPE, SIG_IGN)
        let interrupted = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        let resized = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: .global())
        sources = [interrupted, resized]
        interrupted.setEventHandler { @Sendable [target] in target.interrupt() }
        resized.setEventHandler { @Sendable [target] in _ = target.state.withLock(\.waker)?.wake() }
        for source in sources { source.resume() }
    }

    /// The prompt that an interrupt from outside reaches.
    func attach(_ waker: LineEditor.Waker) { target.state.withLock { $0.waker = waker } }

    /// Runs `work` so that SIGINT cancels it; a second SIGINT ends the program.
    func cancelling<Value: Sendable>(_ work: @escaping @MainActor @Sendable () async -> Value) async -> Value {
        let task = Task { @MainActor in await work() }
        target.state.withLock { state in
            state.cancel = { task.cancel() }
            state.isCancelled = false
        }
        defer { target.state.withLock { $0.cancel = nil } }
        return await task.value
    }
}
