/// The Prometheus text exposition format, version 0.0.4.
struct MetricsText {
    private(set) var text = ""

    /// Begins a metric: its help and its type.
    mutating func describe(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// A metric of one sample.
    mutating func gauge(_ name: String, _ help: String, _ value: Int64, type: String = "gauge") {
        describe(name, type, help)
        sample(name, [], "\(value)")
    }

    /// A histogram's samples; `buckets` holds a count for each bound and one for larger values, not cumulative.
    mutating func histogram(
        _ name: String,
        _ labels: [(String, String)] = [],
        bounds: [String],
        buckets: [Int64],
        sum: String
    ) {
        var count: Int64 = 0
        for (bound, bucket) in zip(bounds + ["+Inf"], buckets) {
            count += bucket
            sample("\(name)_bucket", labels + [("le", bound)], "\(count)")
        }
        sample("\(name)_sum", labels, sum)
        sample("\(name)_count", labels, "\(count)")
    }

    private static func escaped(_ text: String) -> String {
        text.flatMap { character -> [Character] in
            switch character {
            case "\\": ["\\", "\\"]
            case "\"": ["\\", "\""]
            case "\n": ["\\", "n"]
            default: [character]
            }
        }.reduce(into: "") { $0.append($1) }
    }
}

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
