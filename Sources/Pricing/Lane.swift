import Synchronization

/// What waits for one loop, and what wakes the loop. Each owner's elements stay in order, and owners take turns, so that
/// one with a long pipeline does not keep the others waiting.
final class Lane<Element: Sendable>: Sendable {
    /// An element whenever something was added; ends with `finish`. For one reader.
    let signal: AsyncStream<Void>

    private let wake: AsyncStream<Void>.Continuation
    private let queue = Mutex<[Element]>([])
    private let owner: @Sendable (Element) -> Int

    /// - Parameter owner: whose an element is.
    init(owner: @escaping @Sendable (Element) -> Int) {
        self.owner = owner
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

    /// Takes at most so many, the first of every owner before the second of any; nil when nothing waits.
    func take(_ most: Int) -> [Element]? {
        queue.withLock { queue in
            guard !queue.isEmpty else { return nil }
            guard queue.count > most else {
                defer { queue = [] }
                return queue
            }
            let chosen = Set(inTurns(queue).prefix(most))
            defer { queue = queue.indices.filter { !chosen.contains($0) }.map { queue[$0] } }
            return chosen.sorted().map { queue[$0] }
        }
    }

    /// The queue's indices, ordered by how many of the same owner stand before each.
    private func inTurns(_ queue: [Element]) -> [Int] {
        var before: [Int: Int] = [:]
        let turns = queue.indices.map { index -> (turn: Int, index: Int) in
            defer { before[owner(queue[index]), default: 0] += 1 }
            return (before[owner(queue[index]), default: 0], index)
        }
        return turns.sorted { $0 < $1 }.map(\.index)
    }

    /// Lets the reader of `signal` end.
    func finish() {
        wake.finish()
    }
}
