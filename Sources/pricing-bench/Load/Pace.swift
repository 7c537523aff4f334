/// When the calls of a load are due. Pure: it is told the time.
///
/// A closed loop sends as soon as a reply leaves room. An open loop sends on schedule, whatever the daemon does: a call
/// that had to wait for room is late, and its latency counts from when it was due, so that a stall is seen by every call
/// that would have met it.
struct Pace: Sendable {
    /// The load's first nanosecond, and the first that is no longer its own.
    let start: Int64
    let end: Int64
    /// Calls a second of an open loop; nil for a closed loop.
    let rate: Double?
    private var taken: Int64 = 0

    init(start: Int64, seconds: Int, rate: Double?) {
        self.start = start
        end = start + Int64(seconds) * Moment.second
        self.rate = rate
    }

    /// When the next call of an open loop is due; nil when there is none, and for a closed loop.
    var due: Int64? {
        guard let rate else { return nil }
        let moment = start + Int64(Double(taken) * Double(Moment.second) / rate)
        return moment < end ? moment : nil
    }

    /// Takes the next call when it is time for one: the moment that its latency counts from.
    mutating func next(now: Int64) -> Int64? {
        let moment = rate == nil ? (now < end ? now : nil) : due
        guard let moment, moment <= now else { return nil }
        taken += 1
        return moment
    }

    /// Whether no call is left to send.
    func isDone(now: Int64) -> Bool { rate == nil ? now >= end : due == nil }

    /// Calls that an open loop still owes.
    var owed: Int64 {
        guard let rate else { return 0 }
        let all = (Double(end - start) * rate / Double(Moment.second)).rounded(.up)
        return max(0, Int64(all) - taken)
    }
}
