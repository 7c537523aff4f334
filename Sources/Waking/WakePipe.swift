import Glibc

/// Wakes a thread that is blocked in `poll`, which a `Waker` cannot: a pair of sockets of which
/// one becomes ready for reading.
///
/// As with a `Waker` a wake is kept, here by the kernel; unlike there it counts for every wait until `reset`, since a thread may
/// have to notice it in several waits one after the other.
package struct WakePipe: ~Copyable, Sendable {
    /// It could not be made: the process or the machine has no descriptor left.
    package struct Failure: Error, Sendable {
        package let errno: Int32
    }

    /// To be polled for reading.
    package let reader: Int32
    private let writer: Int32

    /// Makes it, closed on exec.
    package init() throws(Failure) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Failure(errno: errno) }
        reader = ends[0]
        writer = ends[1]
    }

    deinit {
        close(reader)
        close(writer)
    }

    /// Makes every wait return until `reset`; callable from any thread.
    package func wake() {
        var byte: UInt8 = 1
        unsafe _ = write(writer, &byte, 1)
    }

    /// Forgets earlier wakes.
    package func reset() {
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while unsafe read(reader, &bytes, bytes.count) > 0 {}
    }
}
