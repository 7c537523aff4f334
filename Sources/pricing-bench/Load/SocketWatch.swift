import CLinux
import Glibc

/// Tells which of a load's sockets have something for us; what that costs does not grow with those that have nothing, so
/// that many connections are measured and not the load itself.
@safe final class SocketWatch {
    /// What a socket has.
    struct News {
        /// The number that it was added with.
        let number: Int
        let hasInput: Bool
        /// Whether it takes output again.
        let hasRoom: Bool
    }

    private static let input = EPOLLIN.rawValue
    private static let room = EPOLLOUT.rawValue

    private let descriptor: Int32
    private var events: [epoll_event]

    /// - Parameter most: how many sockets there will be.
    init(most: Int) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        unsafe events = Array(repeating: epoll_event(), count: max(1, most))
    }

    deinit {
        close(descriptor)
    }

    /// Watches a socket for input.
    func add(_ socket: Int32, number: Int) -> Bool {
        control(EPOLL_CTL_ADD, socket, number, Self.input)
    }

    /// Watches a socket for room as well, or for input alone again.
    func change(_ socket: Int32, number: Int, wantsRoom: Bool) {
        _ = control(EPOLL_CTL_MOD, socket, number, wantsRoom ? Self.input | Self.room : Self.input)
    }

    /// Waits so long at most until a socket has something.
    func wait(milliseconds: Int32) -> [News] {
        let count = unsafe epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        return (0..<max(0, Int(count))).map { index in
            let event = unsafe events[index]
            // An error, or the other end's end, is met by reading.
            return unsafe News(
                number: Int(event.data.u64),
                hasInput: event.events & ~Self.room != 0,
                hasRoom: event.events & Self.room != 0
            )
        }
    }

    private func control(_ operation: Int32, _ socket: Int32, _ number: Int, _ kinds: UInt32) -> Bool {
        var event = unsafe epoll_event(events: kinds, data: epoll_data_t(u64: UInt64(number)))
        return unsafe epoll_ctl(descriptor, operation, socket, &event) == 0
    }
}
