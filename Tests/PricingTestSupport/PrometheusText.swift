/// Reads the Prometheus text exposition format 0.0.4, strictly.
package struct PrometheusText {
    /// What is wrong with the text.
    package struct Malformed: Error {
        package let reason: String
    }

    /// Each metric's type by its name.
    package private(set) var types: [String: String] = [:]
    /// Each sample by its name and labels, as they stand.
    package private(set) var values: [String: Double] = [:]

    package init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(reason: "the last line has no end") }
        var lastBucket: [String: Double] = [:]
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/) {
                let replaced = types.updateValue(String(match.2), forKey: String(match.1))
                if replaced != nil { throw Malformed(reason: "\(match.1) has two types") }
            } else if line.wholeMatch(of: /# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+/) == nil {
                try read(sample: line, &lastBucket)
            }
        }
        for (series, count) in lastBucket where values[series] != count {
            throw Malformed(reason: "\(series) is not the count of its last bucket")
        }
    }

    /// - Parameter lastBucket: by the name of the count, how many the buckets have come to.
    private mutating func read(sample line: Substring, _ lastBucket: inout [String: Double]) throws {
        let form =
            /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)+\})? ([-+.0-9eEInf]+)/
        guard let match = line.wholeMatch(of: form), let value = Double(match.3) else {
            throw Malformed(reason: "no sample: \(line)")
        }
        let (name, labels) = (String(match.1), match.2.map(String.init) ?? "")
        let family = name.replacing(/_(bucket|sum|count)$/, with: "")
        guard types[name].map({ $0 != "histogram" }) ?? (types[family] == "histogram") else {
            throw Malformed(reason: "\(name) has no type")
        }
        guard values.updateValue(value, forKey: name + labels) == nil else {
            throw Malformed(reason: "\(name)\(labels) stands twice")
        }
        if name == family + "_bucket", types[name] == nil {
            let rest = labels.replacing(/,?le="[^"]*"/, with: "").replacing("{}", with: "")
            guard value >= lastBucket["\(family)_count\(rest)"] ?? 0 else {
                throw Malformed(reason: "\(name)\(labels) is smaller than the bucket before")
            }
            lastBucket["\(family)_count\(rest)"] = value
        }
    }
}
