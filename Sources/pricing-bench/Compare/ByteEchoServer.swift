import Dispatch
import Glibc
import RPCTransport

/// What a socket alone costs: a server that sends back every byte it is sent, one connection at a time.
struct ByteEchoServer: Sendable {
    let path: String

    /// Listens at `path`, and serves one connection to its end on a thread of its own.
    static func start(_ path: String) throws(BenchFailure) -> ByteEchoServer {
        unsafe _ = unlink(path)
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0, let address = UnixAddress(path),
            unsafe address.use({ unsafe bind(listener, $0, $1) }) == 0, listen(listener, 1) == 0
        else {
            throw .file(path, errno: errno)
        }
        DispatchQueue.global().async {
            let peer = accept(listener, nil, nil)
            close(listener)
            if peer >= 0 { echo(peer) }
        }
        return ByteEchoServer(path: path)
    }

    private static func echo(_ peer: Int32) {
        defer { close(peer) }
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = unsafe read(peer, &bytes, bytes.count)
            guard count > 0 else { return }
            var sent = 0
            while sent < count {
                let now = unsafe bytes.withUnsafeBytes { room in
                    unsafe send(peer, room.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                }
                guard now > 0 else { return }
                sent += now
            }
        }
    }
}
