import PricingProtocol
import RPCTransport
import Synchronization

/// Every call that runs now, and what became of those that have ended: the source of `server.requests`,
/// `server.cancel` and `server.metrics`.
final class CallRegister: Sendable {
    /// One call that runs now.
    struct Running: Sendable {
        /// Its number among all calls of this daemon.
        let number: Int64
        let call: RPCCall
    }

    /// What became of the calls of one method that ended one way.
    struct Series: Hashable, Sendable {
        let method: String
        /// `ok`, or the reason of the error.
        let outcome: String
    }

    /// How long the calls of a method took.
    struct Latency: Sendable {
        /// Calls at most as long as each bound, and all of them at the end; not cumulative.
        var buckets = [Int64](repeating: 0, count: CallRegister.boundsMs.count + 1)
        var totalMicroseconds: Int64 = 0

        mutating func add(microseconds: Int64) {
            let place = CallRegister.boundsMs.firstIndex { Double(microseconds) <= $0 * 1000 }
            buckets[place ?? CallRegister.boundsMs.count] += 1
            totalMicroseconds += microseconds
        }
    }

    /// Upper bounds of the latency histogram's buckets, in milliseconds.
    static let boundsMs: [Double] = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000]

    /// What became of the calls of one method.
    final class Tally: Sendable {
        private struct State {
            var latency = Latency()
            var answered: Int64 = 0
            var refused: [String: Int64] = [:]
        }

        private let state = Mutex(State())

        /// A call has ended, with this reason if it was refused.
        func add(microseconds: Int64, refusal: String?) {
            state.withLock { state in
                state.latency.add(microseconds: microseconds)
                if let refusal {
                    state.refused[refusal, default: 0] += 1
                } else {
                    state.answered += 1
                }
            }
        }

        /// Durations of those that have ended, and how many there are of each outcome.
        var figures: (latency: Latency, outcomes: [String: Int64]) {
            let state = state.withLock { $0 }
            let outcomes = state.refused.merging(state.answered > 0 ? ["ok": state.answered] : [:]) { $0 + $1 }
            return (state.latency, outcomes)
        }
    }

    private struct State {
        var running: [Int64: RPCCall] = [:]
        var nextNumber: Int64 = 1
    }

    private let state = Mutex(State())
    /// One a method.
    let tallies: [String: Tally] = AllMethods.byName.mapValues { _ in Tally() }

    /// A call begins that others may see running; its number.
    func begin(_ call: RPCCall) -> Int64 {
        state.withLock { state in
            defer { state.nextNumber += 1 }
            state.running[state.nextNumber] = call
            return state.nextNumber
        }
    }

    /// It has ended.
    func end(_ number: Int64) {
        state.withLock { _ = $0.running.removeValue(forKey: number) }
    }

    /// The calls that run now, oldest first.
    var running: [Running] {
        state.withLock { $0.running }.map { Running(number: $0.key, call: $0.value) }
            .sorted { $0.number < $1.number }
    }

    /// Cancels one; false when it has ended.
    func cancel(_ number: Int64) -> Bool {
        let call = state.withLock { $0.running[number] }
        call?.cancellation.cancel()
        return call != nil
    }

    /// Ended calls by method and outcome.
    var outcomes: [Series: Int64] {
        tallies.reduce(into: [:]) { all, entry in
            for (outcome, count) in entry.value.figures.outcomes {
                all[Series(method: entry.key, outcome: outcome)] = count
            }
        }
    }

    /// Durations by method, of those that were called.
    var latencies: [String: Latency] {
        tallies.mapValues { $0.figures }.filter { !$0.value.outcomes.isEmpty }.mapValues(\.latency)
    }
}
