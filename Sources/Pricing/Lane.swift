import Synchronization

/// What waits for one loop, in order, and what wakes the loop.
final class Lane<Element: Sendable>: Sendable {
    /// An element whenever something was added; ends with `finish`. For one reader.
    let signal: AsyncStream<Void>

    private let wake: AsyncStream<Void>.Continuation
    private let queue = Mutex<[Element]>([])

    init() {
        (signal, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// How many wait.
    var count: Int { queue.withLock { $0.count } }

    /// Adds at the end.
    func add(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        queue.withLock { $0 += elements }
        wake.yield()
    }

    /// Puts back what was taken and not used.
    func addFirst(_ elements: some Collection<Element>) {
        guard !elements.isEmpty else { return }
        queue.withLock { $0.insert(contentsOf: elements, at: 0) }
        wake.yield()
    }

    /// Takes the first ones, at most so many; nil when nothing waits.
    func take(_ most: Int) -> [Element]? {
        queue.withLock { queue in
            guard !queue.isEmpty else { return nil }
            defer { queue.removeFirst(min(most, queue.count)) }
            return Array(queue.prefix(most))
        }
    }

    /// Lets the reader of `signal` end.
    func finish() {
        wake.finish()
    }
}
