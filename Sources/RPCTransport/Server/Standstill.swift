/// When something that was read may have come.
struct Arrival: Sendable {
    /// When it was read.
    let read: ContinuousClock.Instant
    /// The earliest moment at which it may have come: before it was read only after a standstill of the process.
    let earliest: ContinuousClock.Instant

    static var now: Arrival {
        let now = ContinuousClock.now
        return Arrival(read: now, earliest: now)
    }
}

/// Notices that the process stood still, as under SIGSTOP or on a suspended machine.
///
/// What is read right after may have arrived at any moment of it, and counts as having arrived when it began: rather is a
/// call refused that has some time left than one carried out whose caller no longer waits.
struct Standstill: Sendable {
    /// How often `beat` is called.
    static let period = Duration.milliseconds(100)
    /// Beats so far apart are a standstill; and so long after it, what was sent meanwhile may still be unread.
    static let gap = Duration.milliseconds(400)

    private var last: ContinuousClock.Instant
    private var latest: (begin: ContinuousClock.Instant, isReadUntil: ContinuousClock.Instant)?

    init(now: ContinuousClock.Instant) {
        last = now
    }

    /// The process runs.
    mutating func beat(now: ContinuousClock.Instant) {
        if now - last >= Standstill.gap { latest = (last, now + Standstill.gap) }
        last = now
    }

    /// The earliest moment at which something read now may have arrived.
    func arrival(now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        if now - last >= Standstill.gap { return last }
        if let latest, now < latest.isReadUntil { return latest.begin }
        return now
    }
}
