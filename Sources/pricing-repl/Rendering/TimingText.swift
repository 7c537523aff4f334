import JSON

/// How long a call took, here and inside the daemon.
enum TimingText {
    /// `time: 1.234 ms (queue 0.1, database 0.6, total 0.9)`; the part in brackets is what the daemon measured.
    static func line(elapsed: Duration, result: JSONObject) -> String {
        let parts = elapsed.components
        let microseconds =
            parts.seconds.multipliedReportingOverflow(by: 1_000_000).partialValue
            &+ parts.attoseconds / 1_000_000_000_000
        let fraction = String(microseconds % 1000)
        let padding = String(repeating: "0", count: max(0, 3 - fraction.count))
        var line = "time: \(microseconds / 1000).\(padding)\(fraction) ms"
        if let timing = result["_meta"]?["timing"]?.object, !timing.isEmpty {
            line += " (" + timing.map { "\($0.key) \(Grid.Cell($0.value).text)" }.joined(separator: ", ") + ")"
        }
        return line
    }
}
