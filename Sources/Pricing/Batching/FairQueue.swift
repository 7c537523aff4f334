import Postgres
import Synchronization

/// A fair queue for one consumer loop, or for several that share it. Each owner's elements stay in order, and owners take
/// turns, so that one with a long pipeline does not starve the others. Claims are exclusive leases: elements that claim the
/// same are never in two batches at once, and those of one owner leave in the order in which they came.
final class FairQueue<Element: Sendable>: Sendable {
    private struct State {
        var queue: [Element] = []
        /// The claims of the batches that were taken and not yet released.
        var claimed: Set<Int64> = []
        var isFinished = false
        /// Counts the changes after which a loop may find something to do.
        var changes = 0
        /// The loops that have nothing to do.
        var idleLoops: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let owner: @Sendable (Element) -> Int
    private let claims: @Sendable (Element) -> [Int64]

    /// - Parameters:
    ///   - owner: whose an element is.
    ///   - claims: what an element needs exclusively. A batch that was taken must be given to `release` when it is done.
    init(
        owner: @escaping @Sendable (Element) -> Int,
        claims: @escaping @Sendable (Element) -> [Int64] = { _ in [] }
    ) {
        self.owner = owner
        self.claims = claims
    }

    /// How many wait.
    var count: Int { state.withLock { $0.queue.count } }

    /// Adds at the end.
    func add(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        change { state in
            state.queue += elements
            // Otherwise the batch that holds the claims wakes the loop when it releases them.
            return elements.contains { state.claimed.isDisjoint(with: claims($0)) } ? 1 : 0
        }
    }

    /// Puts back what was taken and not used.
    func addFirst(_ elements: some Collection<Element>) {
        guard !elements.isEmpty else { return }
        change { state in
            state.queue.insert(contentsOf: elements, at: 0)
            return 1
        }
    }

    /// Gives back what a batch claims.
    func release(_ batch: [Element]) {
        change { state in
            for element in batch { state.claimed.subtract(claims(element)) }
            return state.isFinished ? .max : 0
        }
    }

    /// Lets the loops end once they have taken what waits.
    func finish() {
        change { state in
            state.isFinished = true
            return .max
        }
    }

    /// - Parameter body: how many loops to wake at most.
    private func change(_ body: (inout State) -> Int) {
        let awake = state.withLock { state in
            state.changes += 1
            let most = min(body(&state), state.idleLoops.count)
            defer { state.idleLoops.removeLast(most) }
            return state.idleLoops.suffix(most)
        }
        for loop in awake { loop.resume() }
    }

    /// Takes at most `most` elements, the first of every owner before the second of any; nil when none may be taken.
    func dequeue(_ most: Int) -> [Element]? {
        let (batch, next) = state.withLock { state in
            let free = free(state)
            guard !free.isEmpty else { return ([Element](), nil as CheckedContinuation<Void, Never>?) }
            let chosen = free.count > most ? inTurns(state.queue, free).prefix(most).sorted() : free
            let batch = chosen.map { state.queue[$0] }
            if batch.count == state.queue.count {
                state.queue = []
            } else {
                let gone = Set(chosen)
                state.queue = state.queue.indices.filter { !gone.contains($0) }.map { state.queue[$0] }
            }
            for element in batch { state.claimed.formUnion(claims(element)) }
            // Another loop may have use for what is left.
            return (batch, state.queue.isEmpty ? nil : state.idleLoops.popLast())
        }
        next?.resume()
        return batch.isEmpty ? nil : batch
    }

    /// Takes at most `most` elements as soon as some may be taken. Nil once the queue is finished and empty, or when the task
    /// is cancelled. The loop resumes on the actor that it was called on.
    func next(_ most: Int, isolation: isolated (any Actor)? = #isolation) async -> [Element]? {
        while !Task.isCancelled {
            let seen = state.withLock { $0.changes }
            if let batch = dequeue(most) { return batch }
            if state.withLock({ $0.isFinished && $0.queue.isEmpty }) { return nil }
            await change(after: seen, isolation)
        }
        return nil
    }

    /// Sleeps until `changes` is no longer `seen`.
    private func change(after seen: Int, _ isolation: isolated (any Actor)?) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { loop in
                let isNow = state.withLock { state in
                    guard state.changes == seen, !Task.isCancelled else { return true }
                    state.idleLoops.append(loop)
                    return false
                }
                if isNow { loop.resume() }
            }
        } onCancel: {
            change { _ in .max }
        }
    }

    /// Indices of the elements whose claims overlap neither with those of a batch nor with those of an element before them.
    private func free(_ state: State) -> [Int] {
        guard !state.claimed.isEmpty else { return Array(state.queue.indices) }
        var claimed = state.claimed
        return state.queue.indices.filter { index in
            let claims = claims(state.queue[index])
            if claimed.isDisjoint(with: claims) { return true }
            claimed.formUnion(claims)
            return false
        }
    }

    /// The indices, ordered by how many elements of the same owner come before each.
    private func inTurns(_ queue: [Element], _ indices: [Int]) -> [Int] {
        var before: [Int: Int] = [:]
        let turns = indices.map { index -> (turn: Int, index: Int) in
            defer { before[owner(queue[index]), default: 0] += 1 }
            return (before[owner(queue[index]), default: 0], index)
        }
        return turns.sorted { $0 < $1 }.map(\.index)
    }
}

extension FairQueue {
    /// Carries out what waits, batch by batch until `finish`, on a connection that is kept between batches. The loop sleeps
    /// on the connection's thread, so that a call that wakes it reaches the database without a change of threads. It gets
    /// the connection before it takes a batch: a batch taken first would wait, while another loop could carry it out.
    /// - Parameter carryOut: is given at most `most` elements, and the connection, or nil when there is none now.
    func consume(
        _ most: Int,
        on pool: ConnectionPool,
        _ carryOut: @Sendable ([Element], PostgresConnection?) async -> Void
    ) async {
        while !Task.isCancelled {
            do throws(PostgresError) {
                let isOver = try await pool.withConnection { (connection) async throws(PostgresError) in
                    while connection.isUsable {
                        guard let batch = await connection.waiting({ await next(most) }) else { return true }
                        await carryOut(batch, connection)
                        release(batch)
                    }
                    return false
                }
                if isOver { return }
            } catch {
                // Without a connection here the batch will not get one either, and fails with the reason.
                guard let batch = await next(most) else { return }
                await carryOut(batch, nil)
                release(batch)
            }
        }
    }
}
