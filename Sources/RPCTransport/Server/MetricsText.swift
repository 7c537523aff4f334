/// The Prometheus text exposition format, version 0.0.4.
package struct MetricsText {
    package private(set) var text = ""

    package init() {}

    /// Begins a metric: its help and its type.
    package mutating func describe(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    package mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// A metric of one sample.
    package mutating func gauge(_ name: String, _ help: String, _ value: Int64, type: String = "gauge") {
        describe(name, type, help)
        sample(name, [], "\(value)")
    }

    /// A histogram's samples; `buckets` holds a count for each bound and one for larger values, not cumulative.
    package mutating func histogram(
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
