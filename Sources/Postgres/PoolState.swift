/// Who has which connection: a pure machine that does no I/O. The pool performs what it returns.
struct PoolState {
    /// A place for one connection; the pool keeps the connection of each slot.
    typealias Slot = Int
    typealias Waiter = Int

    /// What someone who wants a connection has to do.
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

    /// Someone who waited, and what they have to do now.
    struct Resumption: Equatable {
        let waiter: Waiter
        let grant: Grant
    }

    private enum Place: Equatable { case opening, idle, busy }

    private let capacity: Int
    private let maxWaiting: Int
    private let firstBackOff: Duration
    private let lastBackOff: Duration

    private var places: [Slot: Place] = [:]
    /// Idle slots, the last used last, so that few connections do most of the work.
    private var idle: [Slot] = []
    private var waiters: [Waiter] = []
    private var nextSlot = 0
    private var backOff: Duration?
    private var down: (until: ContinuousClock.Instant, reason: PostgresError)?
    private var isClosed = false

    init(
        capacity: Int,
        maxWaiting: Int,
        firstBackOff: Duration = .milliseconds(50),
        lastBackOff: Duration = .seconds(1)
    ) {
        self.capacity = max(1, capacity)
        self.maxWaiting = max(0, maxWaiting)
        self.firstBackOff = firstBackOff
        self.lastBackOff = lastBackOff
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

    /// Someone wants a connection.
    /// - Parameter waiter: queued under this number when the answer is `.wait`.
    mutating func acquire(_ waiter: Waiter, now: ContinuousClock.Instant) -> Grant {
        if isClosed { return .refuse(PostgresError(.closed, "the pool is closed")) }
        if let slot = idle.popLast() {
            places[slot] = .busy
            return .use(slot)
        }
        if let down, places.values.contains(.opening) || now < down.until { return .refuse(down.reason) }
        if places.count < capacity { return .open(openSlot()) }
        guard waiters.count < maxWaiting else {
            return .refuse(PostgresError(.poolExhausted, "\(capacity) connections busy, \(maxWaiting) callers wait"))
        }
        waiters.append(waiter)
        return .wait
    }

    /// A connection stands; whoever opened it uses it. The server is up, so waiters may open the free slots.
    mutating func opened(_ slot: Slot) -> [Resumption] {
        down = nil
        backOff = nil
        guard places[slot] != nil else { return [] }
        places[slot] = .busy
        return openForWaiters()
    }

    /// A connect failed: until the back-off has passed, nobody tries again.
    ///
    /// Waiters are refused when nothing that they could be handed is left.
    mutating func openFailed(
        _ slot: Slot,
        reason: PostgresError,
        now: ContinuousClock.Instant
    ) -> [Resumption] {
        places[slot] = nil
        let pause = backOff.map { min($0 * 2, lastBackOff) } ?? firstBackOff
        backOff = pause
        down = (now + pause, reason)
        guard places.isEmpty else { return [] }
        return refuseAll(reason)
    }

    /// What was done about a failed connect is over: the next caller may try at once.
    mutating func mayTryAgain(now: ContinuousClock.Instant) {
        if let down { self.down = (now, down.reason) }
    }

    /// A connection comes back.
    /// - Parameter usable: whether it may serve again; when false the pool drops it.
    mutating func release(_ slot: Slot, usable: Bool, now: ContinuousClock.Instant) -> [Resumption] {
        guard places[slot] != nil else { return [] }
        guard usable, !isClosed else {
            places[slot] = nil
            if isClosed { return [] }
            if let down, now < down.until {
                return places.isEmpty ? refuseAll(down.reason) : []
            }
            return openForWaiters()
        }
        guard !waiters.isEmpty else {
            places[slot] = .idle
            idle.append(slot)
            return []
        }
        places[slot] = .busy
        return [Resumption(waiter: waiters.removeFirst(), grant: .use(slot))]
    }

    /// Someone gave up waiting; false when they had already been resumed.
    mutating func abandon(_ waiter: Waiter) -> Bool {
        guard let index = waiters.firstIndex(of: waiter) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// Closes: waiters are refused, idle slots are to be closed, busy ones when they come back.
    mutating func close() -> (resumptions: [Resumption], idle: [Slot]) {
        isClosed = true
        let closing = idle
        for slot in closing { places[slot] = nil }
        idle = []
        return (refuseAll(PostgresError(.closed, "the pool is closed")), closing)
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
            resumptions.append(Resumption(waiter: waiters.removeFirst(), grant: .open(openSlot())))
        }
        return resumptions
    }

    private mutating func refuseAll(_ reason: PostgresError) -> [Resumption] {
        defer { waiters = [] }
        return waiters.map { Resumption(waiter: $0, grant: .refuse(reason)) }
    }
}
