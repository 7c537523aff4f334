import Postgres
import Synchronization

/// What waits for one loop. Each owner's elements stay in order, and owners take turns, so that one with a long pipeline
/// does not keep the others waiting.
final class Lane<Element: Sendable>: Sendable {
    private struct State {
        var queue: [Element] = []
        var isFinished = false
        /// The loop, while it has nothing to do.
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let owner: @Sendable (Element) -> Int

    /// - Parameter owner: whose an element is.
    init(owner: @escaping @Sendable (Element) -> Int) {
        self.owner = owner
    }

    /// How many wait.
    var count: Int { state.withLock { $0.queue.count } }

    /// Adds at the end.
    func add(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        change { $0.queue += elements }
    }

    /// Puts back what was taken and not used.
    func addFirst(_ elements: some Collection<Element>) {
        guard !elements.isEmpty else { return }
        change { $0.queue.insert(contentsOf: elements, at: 0) }
    }

    /// Lets the loop end once it has taken what waits.
    func finish() {
        change { $0.isFinished = true }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            return state.sleeper.take()
        }?.resume()
    }

    /// Takes at most so many, the first of every owner before the second of any; nil when nothing waits.
    func take(_ most: Int) -> [Element]? {
        state.withLock { state in
            let queue = state.queue
            guard !queue.isEmpty else { return nil }
            guard queue.count > most else {
                state.queue = []
                return queue
            }
            let chosen = Set(inTurns(queue).prefix(most))
            state.queue = queue.indices.filter { !chosen.contains($0) }.map { queue[$0] }
            return chosen.sorted().map { queue[$0] }
        }
    }

    /// Takes at most so many once something waits. Nil after `finish` with nothing left, or when the task is cancelled.
    /// For one loop, which is woken where it runs.
    func next(_ most: Int, isolation: isolated (any Actor)? = #isolation) async -> [Element]? {
        while !Task.isCancelled {
            if let batch = take(most) { return batch }
            if state.withLock({ $0.isFinished }) { return nil }
            await somethingToDo(isolation)
        }
        return nil
    }

    private func somethingToDo(_ isolation: isolated (any Actor)?) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { loop in
                let isNow = state.withLock { state in
                    guard state.queue.isEmpty, !state.isFinished, !Task.isCancelled else { return true }
                    state.sleeper = loop
                    return false
                }
                if isNow { loop.resume() }
            }
        } onCancel: {
            change { _ in }
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
}

extension Lane {
    /// Carries out what waits, batch by batch until `finish`, with a connection that is kept between batches: the loop
    /// sleeps on the connection's thread, so that a call that wakes it is in the database with no other thread between.
    /// - Parameter carryOut: is given at most `most` elements, and the connection unless there is none now.
    func workOff(
        _ most: Int,
        on pool: ConnectionPool,
        _ carryOut: @Sendable ([Element], PostgresConnection?) async -> Void
    ) async {
        while let first = await next(most) {
            var inHand: [Element]? = first
            // What keeps us from a connection keeps the batch from one too, and is told to it.
            try? await pool.withConnection { (connection) async throws(PostgresError) in
                while let batch = inHand {
                    inHand = nil
                    await carryOut(batch, connection)
                    guard connection.isUsable else { return }
                    inHand = await connection.waiting { await next(most) }
                }
            }
            if let batch = inHand { await carryOut(batch, nil) }
        }
    }
}
