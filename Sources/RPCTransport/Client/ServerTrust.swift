import Glibc

/// Checks which user serves at a socket, as the kernel reports it. In a folder that others may write, another user could
/// listen first and would receive passwords.
enum ServerTrust {
    /// Asks who listens at the other end of a connected socket.
    /// - Throws: `.notTrusted` unless it is root, we ourselves or the owner of the socket's folder.
    static func check(_ descriptor: Int32, socket path: String) throws(RPCClientError) {
        var credentials = Credentials()
        var size = socklen_t(MemoryLayout<Credentials>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw .cannotConnect(path: path, errno: errno)
        }
        try check(credentials, socket: path)
    }

    static func check(_ credentials: Credentials, socket path: String) throws(RPCClientError) {
        let uid = credentials.uid
        guard uid == 0 || uid == geteuid() || SocketFolder.vouches(for: uid, socket: path) else {
            throw .notTrusted(path: path, uid: uid)
        }
    }
}
