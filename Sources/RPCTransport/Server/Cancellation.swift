import Synchronization

/// Cancels one call: runs handlers that stop the work on it.
///
/// Each handler runs at most once: on `cancel()`, or at once if it is registered later.
package final class Cancellation: Sendable {
    /// A registered handler, for `remove`.
    package struct Registration: Sendable, Hashable {
        fileprivate let number: Int
    }

    private struct State {
        var isCancelled = false
        var handlers: [(number: Int, run: @Sendable () -> Void)] = []
        var nextNumber = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Whether `cancel()` was called.
    package var isCancelled: Bool {
        state.withLock { $0.isCancelled }
    }

    /// Runs `handler` when the call is cancelled, or now if it already was. It must not block.
    @discardableResult
    package func onCancel(_ handler: @escaping @Sendable () -> Void) -> Registration {
        let number: Int? = state.withLock { state in
            guard !state.isCancelled else { return nil }
            state.nextNumber += 1
            state.handlers.append((state.nextNumber, handler))
            return state.nextNumber
        }
        guard let number else {
            handler()
            return Registration(number: 0)
        }
        return Registration(number: number)
    }

    /// Removes a handler. It may be running already on another thread.
    package func remove(_ registration: Registration) {
        state.withLock { $0.handlers.removeAll { $0.number == registration.number } }
    }

    /// Forgets all handlers: the call has its answer.
    func retire() {
        state.withLock { $0.handlers = [] }
    }

    /// Cancels, once: runs the handlers in no given order.
    package func cancel() {
        let handlers = state.withLock { state in
            defer { state.handlers = [] }
            state.isCancelled = true
            return state.handlers
        }
        for handler in handlers {
            handler.run()
        }
    }
}
