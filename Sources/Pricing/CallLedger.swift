import JSONRPC
import Synchronization

/// Every call that runs now, and what became of those that have ended: the source of `server.requests`,
/// `server.cancel` and `server.metrics`.
final class CallLedger: Sendable {
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
        var buckets = [Int64](repeating: 0, count: CallLedger.boundsMs.count + 1)
        var totalMicroseconds: Int64 = 0

        mutating func add(microseconds: Int64) {
            let place = CallLedger.boundsMs.firstIndex { Double(microseconds) <= $0 * 1000 }
            buckets[place ?? CallLedger.boundsMs.count] += 1
            totalMicroseconds += microseconds
        }
    }

    /// Upper bounds of the latency histogram's buckets, in milliseconds.
    static let boundsMs: [Double] = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000]

    private struct State {
        var running: [Int64: RPCCall] = [:]
        var nextNumber: Int64 = 1
        var outcomes: [Series: Int64] = [:]
        var latencies: [String: Latency] = [:]
    }

    private let state = Mutex(State())

    /// A call begins; its number.
    func begin(_ call: RPCCall) -> Int64 {
        state.withLock { state in
            defer { state.nextNumber += 1 }
            state.running[state.nextNumber] = call
            return state.nextNumber
        }
    }

    /// A call has ended; how long it took, in microseconds.
    @discardableResult
    func end(_ number: Int64, method: String, outcome: String) -> Int64 {
        state.withLock { state in
            guard let call = state.running.removeValue(forKey: number) else { return 0 }
            let took = (ContinuousClock.now - call.received).microseconds
            state.outcomes[Series(method: method, outcome: outcome), default: 0] += 1
            state.latencies[method, default: Latency()].add(microseconds: took)
            return took
        }
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
    var outcomes: [Series: Int64] { state.withLock { $0.outcomes } }

    /// Durations by method.
    var latencies: [String: Latency] { state.withLock { $0.latencies } }
}

extension Duration {
    /// Whole microseconds.
    fileprivate var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
