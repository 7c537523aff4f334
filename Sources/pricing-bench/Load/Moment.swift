import Glibc

/// The monotonic clock in nanoseconds.
enum Moment {
    static let second: Int64 = 1_000_000_000
    static let millisecond: Int64 = 1_000_000

    /// Nanoseconds since some moment before this program began.
    static func now() -> Int64 {
        var time = timespec()
        unsafe _ = clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * second + Int64(time.tv_nsec)
    }
}
