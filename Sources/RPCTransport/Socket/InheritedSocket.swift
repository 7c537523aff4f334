import Glibc

/// The socket that systemd hands to a service: `LISTEN_PID` says that it is this process's, and it is descriptor 3.
package enum InheritedSocket {
    private static let descriptor: Int32 = 3

    /// It as a listener: a socket that listens, or one that is already connected; nil when none was handed over.
    package static func listener() -> Listener? {
        guard variable("LISTEN_PID") == String(getpid()), variable("LISTEN_FDS") == "1" else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var listens: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 else { return nil }
        return listens == 1 ? .inherited(descriptor: descriptor) : .connected(descriptor: descriptor)
    }

    /// Where it is bound; nil when it has no path.
    package static func path() -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let got = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        guard got == 0, Int(size) > MemoryLayout<sa_family_t>.size else { return nil }
        let path = unsafe withUnsafeBytes(of: address.sun_path) { unsafe Array($0.prefix { $0 != 0 }) }
        return path.isEmpty ? nil : String(decoding: path, as: UTF8.self)
    }

    private static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
