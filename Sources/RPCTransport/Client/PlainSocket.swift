import Glibc

/// A connection without a client behind it, for a program that writes and reads the lines by itself.
package enum PlainSocket {
    /// Connects, and sends nothing before the server is known to be trusted.
    /// - Returns: the open descriptor, which blocks; the caller closes it.
    package static func connect(_ path: String) throws(RPCClientError) -> Int32 {
        guard let address = UnixAddress(path) else { throw .cannotConnect(path: path, errno: ENAMETOOLONG) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .cannotConnect(path: path, errno: errno) }
        do throws(RPCClientError) {
            guard unsafe address.use({ unsafe Glibc.connect(descriptor, $0, $1) }) == 0 else {
                throw .cannotConnect(path: path, errno: errno)
            }
            try ServerTrust.check(descriptor, socket: path)
            return descriptor
        } catch {
            _ = close(descriptor)
            throw error
        }
    }
}
