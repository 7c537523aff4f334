/// Which connections are open and in use, and who waits: a state machine without I/O. The pool carries out what it
/// returns.
struct PoolState {
    /// A place for one connection; the pool keeps the connection of each slot.
    typealias Slot = Int
    typealias Waiter = Int

    /// What a caller that wants a connection has to do.
    enum Grant: Equatable {
        /// Use the connection of this slot.
        case use(Slot)
        /// Connect, and report `opened` or `openFailed`.
        case open(Slot)
        /// Wait until resumed.
        case wait
        /// Give up.
        case refuse(PostgresError)
    }

    /// A caller that waited, and what it has to do now.
    struct Resumption: Equatable {
        let waiter: Waiter
        let grant: Grant
    }

    private enum Place: Equatable { case opening, idle, busy }

    private struct Waiting {
        let waiter: Waiter
        let isPatient: Bool
    }

    private let capacity: Int
    private let maxWaiting: Int
    private let firstPause: Duration
    private let lastPause: Duration

    private var places: [Slot: Place] = [:]
    /// Idle slots, the last used last, so that few connections do most of the work.
    private var idle: [Slot] = []
    private var waiters: [Waiting] = []
    private var nextSlot = 0
    /// Why the last connect failed; nil while the server can be reached as far as is known.
    private var down: PostgresError?
    /// How long to pause before the next connect while the server is down.
    private(set) var pause: Duration
    private var isClosed = false

    init(
        capacity: Int,
        maxWaiting: Int,
        firstPause: Duration = .milliseconds(50),
        lastPause: Duration = .seconds(1)
    ) {
        self.capacity = max(1, capacity)
        self.maxWaiting = max(0, maxWaiting)
        self.firstPause = firstPause
        self.lastPause = lastPause
        pause = firstPause
    }

    /// What is in use now.
    var status: ConnectionPool.Status {
        let opening = places.values.count { $0 == .opening }
        return ConnectionPool.Status(
            open: places.count - opening,
            idle: idle.count,
            busy: places.count - opening - idle.count,
            opening: opening,
            waiting: waiters.count,
            isServerDown: down != nil
        )
    }

    /// A caller wants a connection.
    /// - Parameters:
    ///   - waiter: queued under this number when the answer is `.wait`.
    ///   - isPatient: whether to wait for a server that is down instead of being refused at once.
    mutating func acquire(_ waiter: Waiter, isPatient: Bool = false) -> Grant {
        if isClosed { return .refuse(PostgresError(.closed, "the pool is closed")) }
        if let slot = idle.popLast() {
            places[slot] = .busy
            return .use(slot)
        }
        if let down, !isPatient { return .refuse(down) }
        if down == nil, places.count < capacity { return .open(openSlot()) }
        guard waiters.count < maxWaiting else {
            return .refuse(PostgresError(.poolExhausted, "\(capacity) connections busy, \(maxWaiting) callers wait"))
        }
        waiters.append(Waiting(waiter: waiter, isPatient: isPatient))
        return .wait
    }

    /// A connection was opened, and its opener uses it. The server is up, so waiters may open the free slots.
    mutating func opened(_ slot: Slot) -> [Resumption] {
        down = nil
        pause = firstPause
        guard places[slot] != nil else { return [] }
        places[slot] = .busy
        return openForWaiters()
    }

    /// A connect failed: from now on only `tryAgain` connects, and only patient callers wait for it.
    ///
    /// Impatient callers that wait already are refused once no connection is left that could be handed to them.
    mutating func openFailed(_ slot: Slot, reason: PostgresError) -> [Resumption] {
        places[slot] = nil
        down = reason
        return places.isEmpty ? refuse(reason) { !$0.isPatient } : []
    }

    /// The slot for one more connect while the server is down; nil when it is up or the pool is closed.
    mutating func tryAgain() -> Slot? {
        guard down != nil, !isClosed else { return nil }
        pause = min(pause * 2, lastPause)
        return openSlot()
    }

    /// A connection is given back.
    /// - Parameter usable: whether it may serve again; when false the pool drops it.
    mutating func release(_ slot: Slot, usable: Bool) -> [Resumption] {
        guard places[slot] != nil else { return [] }
        guard usable, !isClosed else {
            places[slot] = nil
            if isClosed { return [] }
            guard let down else { return openForWaiters() }
            return places.isEmpty ? refuse(down) { !$0.isPatient } : []
        }
        guard !waiters.isEmpty else {
            places[slot] = .idle
            idle.append(slot)
            return []
        }
        places[slot] = .busy
        return [Resumption(waiter: waiters.removeFirst().waiter, grant: .use(slot))]
    }

    /// A caller gave up waiting; false when it was resumed before.
    mutating func abandon(_ waiter: Waiter) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.waiter == waiter }) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// Closes: waiters are refused, idle connections are to be closed now and busy ones when they are given back.
    mutating func close() -> (resumptions: [Resumption], idle: [Slot]) {
        isClosed = true
        let closing = idle
        for slot in closing { places[slot] = nil }
        idle = []
        return (refuse(PostgresError(.closed, "the pool is closed")) { _ in true }, closing)
    }

    /// Whether nothing is open any more after `close`.
    var isDrained: Bool { isClosed && places.isEmpty }

    private mutating func openSlot() -> Slot {
        let slot = nextSlot
        nextSlot += 1
        places[slot] = .opening
        return slot
    }

    private mutating func openForWaiters() -> [Resumption] {
        var resumptions: [Resumption] = []
        while places.count < capacity, !waiters.isEmpty {
            resumptions.append(Resumption(waiter: waiters.removeFirst().waiter, grant: .open(openSlot())))
        }
        return resumptions
    }

    private mutating func refuse(_ reason: PostgresError, _ whom: (Waiting) -> Bool) -> [Resumption] {
        defer { waiters.removeAll(where: whom) }
        return waiters.filter(whom).map { Resumption(waiter: $0.waiter, grant: .refuse(reason)) }
    }
}
