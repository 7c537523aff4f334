import RPCTransport

extension MetricsText {
    /// Calls by method and outcome, and how long they took.
    mutating func add(_ tallies: CallTallies) {
        describe("pricingd_calls_total", "counter", "Calls that have ended, by method and outcome.")
        for (series, count) in tallies.outcomes.sorted(by: {
            ($0.key.method, $0.key.outcome) < ($1.key.method, $1.key.outcome)
        }) {
            sample("pricingd_calls_total", [("method", series.method), ("outcome", series.outcome)], "\(count)")
        }
        describe("pricingd_call_seconds", "histogram", "How long calls took, from their line's arrival to the reply.")
        for (method, latency) in tallies.latencies.sorted(by: { $0.key < $1.key }) {
            histogram(
                "pricingd_call_seconds",
                [("method", method)],
                bounds: CallTallies.boundsMs.map { "\($0 / 1000)" },
                buckets: latency.buckets,
                sum: "\(Double(latency.totalMicroseconds) / 1_000_000)"
            )
        }
    }
}
