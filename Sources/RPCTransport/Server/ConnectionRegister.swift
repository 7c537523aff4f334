import JSON
import JSONRPC
import Synchronization
import Waking

/// What runs in a server now: its connections, each of which holds its calls in flight, how many calls that are in all,
/// and whether new ones are still taken. `server.requests`, `server.cancel`, `$/cancelRequest`, the drain and the
/// metrics all find a call here.
final class ConnectionRegister: Sendable {
    private struct State {
        var connections: [Int: RPCConnection] = [:]
        var perUser: [UInt32: Int] = [:]
        var nextNumber = 1
    }

    /// The user that the daemon runs as. It and root have no limit of connections per user.
    private let ownUser: UInt32
    private let limits: TransportLimits
    /// What waits to be written to all connections.
    let budget: OutputBudget
    private let state = Mutex(State())
    /// Calls in flight, and the number of the last one.
    private let running = Atomic(0)
    private let lastCall = Atomic<Int64>(0)
    /// Connections that have a call in flight.
    private let active = Atomic(0)
    private let isDraining = Atomic(false)
    private let progress = Waker()
    /// Nil until `watchForStandstill` runs.
    private let standstill = Mutex<Standstill?>(nil)

    init(limits: TransportLimits, ownUser: UInt32) {
        self.limits = limits
        budget = OutputBudget(limits)
        self.ownUser = ownUser
    }

    /// Numbers a new connection and says whether it has to be refused.
    func open(
        _ peer: Peer,
        refusal: RPCError? = nil,
        _ make: (Int) -> RPCConnection
    ) -> (connection: RPCConnection, refusal: RPCError?) {
        state.withLock { state in
            let connection = make(state.nextNumber)
            state.nextNumber += 1
            let isExempt = peer.uid == 0 || peer.uid == ownUser
            let ofUser = state.perUser[peer.uid, default: 0]
            let refusal: RPCError? =
                if let refusal {
                    refusal
                } else if isDraining.load(ordering: .sequentiallyConsistent) {
                    .shuttingDown
                } else if state.connections.count >= limits.connections {
                    .resourceExhausted(.connections, limits, retryAfterMs: RetryAfter.full)
                } else if !isExempt, ofUser >= limits.connectionsPerUser {
                    .resourceExhausted(.connectionsPerUser, limits, retryAfterMs: RetryAfter.full)
                } else {
                    nil
                }
            if refusal == nil {
                state.connections[connection.number] = connection
                state.perUser[peer.uid] = ofUser + 1
            }
            return (connection, refusal)
        }
    }

    func close(_ connection: RPCConnection) {
        state.withLock { state in
            guard state.connections.removeValue(forKey: connection.number) != nil else { return }
            let left = state.perUser[connection.peer.uid, default: 1] - 1
            state.perUser[connection.peer.uid] = left > 0 ? left : nil
        }
    }

    /// All connections that were accepted.
    var connections: [RPCConnection] { state.withLock { Array($0.connections.values) } }

    /// How many calls have not ended.
    var callsInFlight: Int { running.load(ordering: .sequentiallyConsistent) }

    /// The calls that have no answer yet, the oldest first.
    var calls: [RPCCall] { connections.flatMap(\.calls).sorted { $0.number < $1.number } }

    /// The number for a new call.
    func numberCall() -> Int64 { lastCall.add(1, ordering: .relaxed).newValue }

    /// Counts a call, or says why it is refused.
    /// - Parameters:
    ///   - inFlight: how many its connection has in flight, this one included.
    ///   - rank: its connection's rank, computed only when it matters.
    func beginCall(isUrgent: Bool, inFlight: Int, rank: @autoclosure () -> PeerRank) -> RPCError? {
        if inFlight == 1 { active.add(1, ordering: .relaxed) }
        // Counted before the drain is checked; a drain begins before it counts. So no call is missed by both.
        let calls = running.add(1, ordering: .sequentiallyConsistent).newValue
        let refusal: RPCError? =
            if isDraining.load(ordering: .sequentiallyConsistent) {
                .shuttingDown
            } else if !isUrgent, calls > limits.contestedCalls {
                refusal(calls: calls, inFlight: inFlight, limits.admission(rank()))
            } else {
                nil
            }
        if refusal != nil { endCall() }
        return refusal
    }

    /// Admission control: near the limit a connection with more calls in flight than its share is refused, which keeps
    /// room for connections with few calls. At the limit every call is refused.
    private func refusal(calls: Int, inFlight: Int, _ admission: TransportLimits.Admission) -> RPCError? {
        let share = max(1, admission.shared / max(1, active.load(ordering: .relaxed)))
        let isOverShare = calls > admission.shared && inFlight > share
        guard calls > admission.most || isOverShare else { return nil }
        var refusal = RPCError.resourceExhausted(.waitingCalls, limits, retryAfterMs: RetryAfter.busy)
        if isOverShare { refusal.data["share"] = .integer(Int64(share)) }
        refusal.data["outcome"] = "not_done"
        return refusal
    }

    /// A call of a connection has ended.
    /// - Parameter inFlight: how many calls the connection still has.
    func connectionGaveBack(leaving inFlight: Int) {
        if inFlight == 0 { active.subtract(1, ordering: .relaxed) }
    }

    func endCall() {
        running.subtract(1, ordering: .sequentiallyConsistent)
        if isDraining.load(ordering: .sequentiallyConsistent) { progress.wake() }
    }

    /// Notes regularly that the process runs, until the task is cancelled.
    func watchForStandstill() async {
        while !Task.isCancelled {
            standstill.withLock { standstill in
                if standstill == nil { standstill = Standstill(now: .now) }
                standstill?.beat(now: .now)
            }
            budget.giveBack()
            try? await Task.sleep(for: Standstill.period)
        }
    }

    /// When a line that is read now may have arrived.
    func arrival(now: ContinuousClock.Instant) -> Arrival {
        Arrival(read: now, earliest: standstill.withLock { $0?.arrival(now: now) ?? now })
    }

    /// Whether new calls are refused because the server ends.
    var isEnding: Bool { isDraining.load(ordering: .relaxed) }

    /// From now on new calls and connections are refused.
    func beginDrain() {
        isDraining.store(true, ordering: .sequentiallyConsistent)
    }

    /// Waits until at most `spared` calls are left, or the task is cancelled.
    func waitForCalls(downTo spared: Int) async {
        while callsInFlight > spared, !Task.isCancelled {
            await progress.wait()
        }
    }
}
