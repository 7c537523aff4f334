import Glibc

/// What systemd wants to hear from a service: `NOTIFY_SOCKET`, `WATCHDOG_USEC`.
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
