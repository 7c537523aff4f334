import Postgres
import Synchronization

/// A fair queue for one consumer loop, or for several that share it. Each owner's elements stay in order, and owners take
/// turns, so that one with a long pipeline does not starve the others. Claims are exclusive leases: elements that claim the
/// same are never in two batches at once, and those of one owner leave in the order in which they came.
final class FairQueue<Element: Sendable>: Sendable {
    /// An element and its place in the order of arrival.
    private struct Entry {
        let place: Int
        let element: Element
    }

    private struct State {
        /// What waits, by owner; of no owner is the list empty.
        var lanes: [Int: [Entry]] = [:]
        var count = 0
        /// The next place at the end, and the next one before the beginning.
        var last = 0
        var first = -1
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
    var count: Int { state.withLock { $0.count } }

    /// How many wait that are taken before one more of an owner: all, or as many of every owner as it has then.
    func ahead(of owner: Int) -> Int {
        state.withLock { state in
            min(state.count, ((state.lanes[owner]?.count ?? 0) + 1) * state.lanes.count)
        }
    }

    /// Adds at the end.
    func add(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        change { state in
            for element in elements {
                state.lanes[owner(element), default: []].append(Entry(place: state.last, element: element))
                state.last += 1
            }
            state.count += elements.count
            // Otherwise the batch that holds the claims wakes the loop when it releases them.
            return elements.contains { state.claimed.isDisjoint(with: claims($0)) } ? 1 : 0
        }
    }

    /// Puts back what was taken and not used.
    func addFirst(_ elements: some Collection<Element>) {
        guard !elements.isEmpty else { return }
        change { state in
            for element in elements.reversed() {
                state.lanes[owner(element), default: []].insert(Entry(place: state.first, element: element), at: 0)
                state.first -= 1
            }
            state.count += elements.count
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
            let (batch, left) = chosen(most, state)
            guard !batch.isEmpty else { return ([Element](), nil as CheckedContinuation<Void, Never>?) }
            for (owner, entries) in left { state.lanes[owner] = entries.isEmpty ? nil : entries }
            state.count -= batch.count
            for entry in batch { state.claimed.formUnion(claims(entry.element)) }
            // Another loop may have use for what is left.
            return (batch.map(\.element), state.count == 0 ? nil : state.idleLoops.popLast())
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
            if state.withLock({ $0.isFinished && $0.count == 0 }) { return nil }
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

    /// What may be taken, in the order of arrival, and what is left of the lanes that it comes from. Looked at is the first
    /// of every owner, then the second of every owner, and so on until there are enough; what comes behind is only kept.
    /// Left out are those whose claims overlap with those of a batch, or of one that was left out before.
    private func chosen(_ most: Int, _ state: State) -> (batch: [Entry], left: [(owner: Int, entries: [Entry])]) {
        let lanes = state.lanes.sorted { $0.value[0].place < $1.value[0].place }
        var claimed = state.claimed
        var batch: [Entry] = []
        var looked = [Int](repeating: 0, count: lanes.count)
        var leftOut = [[Entry]](repeating: [], count: lanes.count)
        var unread = Array(lanes.indices)
        while batch.count < most, !unread.isEmpty {
            for lane in unread where batch.count < most {
                let entry = lanes[lane].value[looked[lane]]
                looked[lane] += 1
                let claims = claims(entry.element)
                if claimed.isDisjoint(with: claims) {
                    batch.append(entry)
                } else {
                    claimed.formUnion(claims)
                    leftOut[lane].append(entry)
                }
            }
            unread.removeAll { lanes[$0].value.count == looked[$0] }
        }
        let left = lanes.indices.filter { looked[$0] > leftOut[$0].count }
            .map { (owner: lanes[$0].key, entries: leftOut[$0] + lanes[$0].value.dropFirst(looked[$0])) }
        return (batch.sorted { $0.place < $1.place }, left)
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
