/// When a line that was read may have arrived.
struct Arrival: Sendable {
    /// When it was read.
    let read: ContinuousClock.Instant
    /// The earliest moment at which it may have arrived; earlier than `read` only after a standstill of the process.
    let earliest: ContinuousClock.Instant

    static var now: Arrival {
        let now = ContinuousClock.now
        return Arrival(read: now, earliest: now)
    }
}

/// Notices that the process stood still, as under SIGSTOP or on a suspended machine.
///
/// A line that is read right afterwards may have arrived at any time during the standstill, and counts as having arrived
/// at its beginning: it is better to refuse a call that has some time left than to carry out one whose caller no longer
/// waits.
struct Standstill: Sendable {
    /// How often `beat` is called.
    static let period = Duration.milliseconds(100)
    /// Beats that are further apart than this are a standstill. For as long afterwards, lines sent meanwhile may still be
    /// unread.
    static let gap = Duration.milliseconds(400)

    private var last: ContinuousClock.Instant
    private var latest: (begin: ContinuousClock.Instant, isReadUntil: ContinuousClock.Instant)?

    init(now: ContinuousClock.Instant) {
        last = now
    }

    /// Notes that the process runs.
    mutating func beat(now: ContinuousClock.Instant) {
        if now - last >= Standstill.gap { latest = (last, now + Standstill.gap) }
        last = now
    }

    /// The earliest moment at which a line that is read now may have arrived.
    func arrival(now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        if now - last >= Standstill.gap { return last }
        if let latest, now < latest.isReadUntil { return latest.begin }
        return now
    }
}
