import PricingProtocol
import Synchronization

/// Counts the calls that have ended, by method and outcome, for `server.metrics`.
final class CallTallies: Sendable {
    /// The calls of one method with one outcome.
    struct Series: Hashable, Sendable {
        let method: String
        /// `ok`, or the reason of the error.
        let outcome: String
    }

    /// How long the calls of a method took.
    struct Latency: Sendable {
        /// Calls at most as long as each bound, and all of them at the end; not cumulative.
        var buckets = [Int64](repeating: 0, count: CallTallies.boundsMs.count + 1)
        var totalMicroseconds: Int64 = 0

        mutating func add(microseconds: Int64) {
            let place = CallTallies.boundsMs.firstIndex { Double(microseconds) <= $0 * 1000 }
            buckets[place ?? CallTallies.boundsMs.count] += 1
            totalMicroseconds += microseconds
        }
    }

    /// Upper bounds of the latency histogram's buckets, in milliseconds.
    static let boundsMs: [Double] = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000]

    /// Counts the calls of one method.
    final class Tally: Sendable {
        private struct State {
            var latency = Latency()
            var answered: Int64 = 0
            var refused: [String: Int64] = [:]
        }

        private let state = Mutex(State())

        /// Counts a call that has ended; `refusal` is the reason of its error, nil for a success.
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

        /// How long the calls took, and how many had each outcome.
        var figures: (latency: Latency, outcomes: [String: Int64]) {
            let state = state.withLock { $0 }
            let outcomes = state.refused.merging(state.answered > 0 ? ["ok": state.answered] : [:]) { $0 + $1 }
            return (state.latency, outcomes)
        }
    }

    /// One for each method.
    let byMethod: [String: Tally] = AllMethods.byName.mapValues { _ in Tally() }

    /// Ended calls by method and outcome.
    var outcomes: [Series: Int64] {
        byMethod.reduce(into: [:]) { all, entry in
            for (outcome, count) in entry.value.figures.outcomes {
                all[Series(method: entry.key, outcome: outcome)] = count
            }
        }
    }

    /// Durations by method, of those that were called.
    var latencies: [String: Latency] {
        byMethod.mapValues { $0.figures }.filter { !$0.value.outcomes.isEmpty }.mapValues(\.latency)
    }
}
