import Glibc
import RPCTransport

/// What systemd hands to a service and wants to hear from it: `LISTEN_FDS`, `NOTIFY_SOCKET`, `WATCHDOG_USEC`.
struct ServiceManager: Sendable {
    private let notifySocket: String?
    /// How often a sign of life is wanted; nil when none is.
    let watchdog: Duration?

    init() {
        notifySocket = Self.variable("NOTIFY_SOCKET")
        let microseconds = Self.variable("WATCHDOG_USEC").flatMap { Int64($0) }
        let isOurs = Self.variable("WATCHDOG_PID").map { $0 == String(getpid()) } ?? true
        watchdog = isOurs ? microseconds.map { .microseconds($0 / 2) } : nil
    }

    /// The socket that was handed to this process: one that listens, or one that is already connected.
    static func inheritedListener() -> Listener? {
        guard variable("LISTEN_PID") == String(getpid()), variable("LISTEN_FDS") == "1" else { return nil }
        let descriptor: Int32 = 3
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var listens: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 else { return nil }
        return listens == 1 ? .inherited(descriptor: descriptor) : .connected(descriptor: descriptor)
    }

    /// Where the handed socket is bound; nil when it has no path.
    static func inheritedPath() -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let got = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(3, $0, &size) }
        }
        guard got == 0, Int(size) > MemoryLayout<sa_family_t>.size else { return nil }
        let path = unsafe withUnsafeBytes(of: address.sun_path) { unsafe Array($0.prefix { $0 != 0 }) }
        return path.isEmpty ? nil : String(decoding: path, as: UTF8.self)
    }

    /// Tells the manager, when there is one: `READY=1`, `STOPPING=1`, `STATUS=…`, `WATCHDOG=1`.
    func tell(_ message: String) {
        guard let notifySocket else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A leading @ means the abstract name space, whose names begin with a zero byte.
        var path = Array(notifySocket.utf8)
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bytes = Array(message.utf8)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), generic, length)
            }
        }
    }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
