import Glibc

/// Waits until a descriptor is ready for any of `events` or for `other` to be readable.
///
/// - Parameters:
///   - events: `POLLIN`, `POLLOUT` or both.
///   - other: a second descriptor, -1 for none.
///   - milliseconds: -1 waits for ever.
/// - Returns: which of the two is ready (errors count as ready); neither after the time has passed.
func waitUntilReady(
    _ descriptor: Int32,
    _ events: Int32,
    or other: Int32,
    milliseconds: Int32
) -> (descriptor: Bool, other: Bool) {
    var polled = [
        pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0),
        pollfd(fd: other, events: Int16(truncatingIfNeeded: POLLIN), revents: 0),
    ]
    let end = milliseconds < 0 ? nil : ContinuousClock.now + .milliseconds(milliseconds)
    var left = milliseconds
    while unsafe poll(&polled, 2, left) < 0, errno == EINTR {
        if let end { left = remainingMilliseconds(until: end) }
    }
    return (polled[0].revents != 0, polled[1].revents != 0)
}

/// Whole milliseconds until an instant, rounded up, 0 when it has passed.
func remainingMilliseconds(until end: ContinuousClock.Instant) -> Int32 {
    let left = (end - .now) / .milliseconds(1)
    return left <= 0 ? 0 : Int32(min(left.rounded(.up), 86_400_000))
}
