/// When each call is due. The schedule is absolute: a slow reply never delays the calls after it, so a daemon that
/// cannot keep up shows it as latency.
struct Schedule: Sendable, Equatable {
    /// Calls a second, above 0.
    let rate: Double
    /// How many calls; nil for no end.
    let count: Int?

    /// `duration` in seconds; the smaller of the two ends counts.
    init(rate: Double, count: Int?, duration: Double?) {
        self.rate = rate
        let fitting = duration.map { Int(min(($0 * rate).rounded(.up), 1e15)) }
        self.count = [count, fitting].compactMap(\.self).min()
    }

    /// How long after the start the n-th call is due, n from 0; nil when there is no such call.
    func due(_ n: Int) -> Duration? {
        if let count, n >= count { return nil }
        return .seconds(Double(n) / rate)
    }
}
