import CEditLine
import Dispatch
import Glibc
import Synchronization

/// Signals, by what runs at the time: SIGINT cancels a call or drops the prompt's line, and ends a script between calls; a
/// second one leaves the call behind, or ends a script.
@MainActor
final class Interrupts {
    /// One command, which the operator may leave before it ends.
    final class Run: Sendable {
        private let left = Atomic(false)

        var isLeft: Bool { left.load(ordering: .relaxed) }

        fileprivate func leave() { left.store(true, ordering: .relaxed) }
    }

    /// The command that this task runs.
    @TaskLocal static var run: Run?

    private struct State {
        var cancel: (@Sendable () -> Void)?
        /// Nil where nothing can be left behind.
        var leave: (@Sendable () -> Void)?
        var isCancelled = false
        var waker: LineEditor.Waker?
        /// Told that the terminal has another size, while no line is read.
        var resized: (@Sendable () -> Void)?
    }

    /// Shared with the signal handlers, which run on a thread of their own.
    private final class Target: Sendable {
        let state = Mutex(State())

        func interrupt() {
            let (cancel, leave, isSecond, waker) = state.withLock { state in
                defer { state.isCancelled = state.cancel != nil }
                return (state.cancel, state.leave, state.isCancelled, state.waker)
            }
            if let cancel {
                if !isSecond { return cancel() }
                if let leave { return leave() }
            } else if let waker {
                // Between a line and its call there is nothing to interrupt.
                _ = waker.interrupt()
                return
            }
            editline_terminal_restore()
            _exit(ExitStatus.interrupted.rawValue)
        }
    }

    private let target: Target
    private let sources: [any DispatchSourceSignal]

    /// Listens from now on.
    init() {
        let target = Target()
        self.target = target
        signal(SIGPIPE, SIG_IGN)
        sources = [SIGINT, SIGWINCH, SIGCONT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { @Sendable [target] in
                let waker = target.state.withLock(\.waker)
                switch number {
                case SIGINT: target.interrupt()
                case SIGWINCH:
                    _ = waker?.wake()
                    target.state.withLock(\.resized)?()
                default: waker?.resume()
                }
            }
            source.resume()
            return source
        }
    }

    /// The prompt that an interrupt from outside reaches.
    func attach(_ waker: LineEditor.Waker) { target.state.withLock { $0.waker = waker } }

    /// Who is told, until the next, that the terminal has another size.
    func onResize(_ resized: (@Sendable () -> Void)?) { target.state.withLock { $0.resized = resized } }

    /// Runs `work` so that SIGINT cancels it. At a second one, what was started is left to itself and `left` comes back;
    /// without a prompt the program ends.
    func cancelling<Value: Sendable>(
        left: Value,
        _ work: @escaping @MainActor @Sendable () async -> Value
    ) async -> Value {
        let run = Run()
        defer {
            target.state.withLock { state in
                state.cancel = nil
                state.leave = nil
            }
        }
        return await withCheckedContinuation { continuation in
            let box = Once(continuation)
            let task = Task { @MainActor in
                box.resume(await Interrupts.$run.withValue(run) { await work() })
            }
            target.state.withLock { state in
                state.cancel = { task.cancel() }
                state.leave = nil
                state.isCancelled = false
                guard state.waker != nil else { return }
                state.leave = {
                    run.leave()
                    box.resume(left)
                }
            }
        }
    }

    /// Runs `work` so that SIGINT cancels it; a second SIGINT ends the program.
    func cancelling<Value: Sendable>(_ work: @escaping @MainActor @Sendable () async -> Value) async -> Value {
        let task = Task { @MainActor in await work() }
        target.state.withLock { state in
            state.cancel = { task.cancel() }
            state.leave = nil
            state.isCancelled = false
        }
        defer { target.state.withLock { $0.cancel = nil } }
        return await task.value
    }
}

/// A continuation that the first of several resumes.
private final class Once<Value: Sendable>: Sendable {
    private let waiting: Mutex<CheckedContinuation<Value, Never>?>

    init(_ continuation: CheckedContinuation<Value, Never>) { waiting = Mutex(continuation) }

    func resume(_ value: Value) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: value)
    }
}
