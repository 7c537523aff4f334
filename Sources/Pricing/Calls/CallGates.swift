import JSONRPC
import PricingProtocol
import RPCTransport
import Synchronization

/// Limits how many calls of some methods run at a time (`CallGate`).
final class CallGates: Sendable {
    private enum Entry: Sendable {
        case go
        case full(CallLimit)
        case gaveUp
    }

    private struct Waiter {
        let number: Int
        let uid: UInt32
        let continuation: CheckedContinuation<Entry, Never>
    }

    private struct Inside {
        var running = 0
        var perUser: [UInt32: Int] = [:]
        var waiting: [Waiter] = []

        mutating func add(_ uid: UInt32) {
            running += 1
            perUser[uid, default: 0] += 1
        }

        mutating func remove(_ uid: UInt32) {
            running -= 1
            let left = perUser[uid, default: 1] - 1
            perUser[uid] = left > 0 ? left : nil
        }
    }

    private struct State {
        var gates: [CallGate: Inside] = [:]
        var nextNumber = 0
    }

    private let state = Mutex(State())

    /// Runs `body` once the call may run.
    /// - Throws: `.exhausted` when too many calls run and wait already; `.deadline` and `.cancelled` while it waits.
    func pass<Value>(
        _ gate: CallGate?,
        _ context: CallContext,
        _ body: () async throws(PricingFailure) -> Value
    ) async throws(PricingFailure) -> Value {
        guard let gate else { return try await body() }
        switch await enter(gate, context) {
        case .go: break
        case .full(let limit): throw .exhausted(Shortage(limit, retryAfterMs: RetryAfter.full))
        case .gaveUp:
            try context.checkStillWanted()
            throw .cancelled
        }
        defer { leave(gate, context.call.peer.uid) }
        return try await body()
    }

    /// Takes one more place for a call that runs already, if one is free; `leave` gives it back.
    func widen(_ gate: CallGate, _ context: CallContext) -> Bool {
        state.withLock { state in
            guard let inside = state.gates[gate], inside.running < gate.most.value else { return false }
            state.gates[gate]?.add(context.call.peer.uid)
            return true
        }
    }

    /// Gives a call's place back; the first waiting call gets it.
    func leave(_ gate: CallGate, _ uid: UInt32) {
        let next: Waiter? = state.withLock { state in
            guard var inside = state.gates[gate] else { return nil as Waiter? }
            defer { state.gates[gate] = inside }
            inside.remove(uid)
            guard !inside.waiting.isEmpty else { return nil }
            let next = inside.waiting.removeFirst()
            inside.add(next.uid)
            return next
        }
        next?.continuation.resume(returning: .go)
    }

    private func enter(_ gate: CallGate, _ context: CallContext) async -> Entry {
        await withCheckedContinuation { continuation in
            let uid = context.call.peer.uid
            let (number, entry) = state.withLock { state in
                state.nextNumber += 1
                let number = state.nextNumber
                var inside = state.gates[gate] ?? Inside()
                defer { state.gates[gate] = inside }
                if inside.running < gate.most.value {
                    if let perUser = gate.perUser, inside.perUser[uid, default: 0] >= perUser.value {
                        return (number, Entry.full(perUser) as Entry?)
                    }
                    inside.add(uid)
                    return (number, .go)
                }
                guard let room = gate.waiting else { return (number, .full(gate.most)) }
                guard inside.waiting.count < room.value else { return (number, .full(room)) }
                inside.waiting.append(Waiter(number: number, uid: uid, continuation: continuation))
                return (number, nil)
            }
            if let entry { return continuation.resume(returning: entry) }
            context.call.cancellation.onCancel { self.giveUp(number, gate) }
        }
    }

    private func giveUp(_ number: Int, _ gate: CallGate) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.gates[gate]?.waiting.firstIndex(where: { $0.number == number }) else { return nil }
            return state.gates[gate]?.waiting.remove(at: index)
        }
        waiter?.continuation.resume(returning: .gaveUp)
    }
}
