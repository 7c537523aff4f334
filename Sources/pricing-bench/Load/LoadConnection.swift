import Glibc
import JSONRPC
import RPCTransport

/// One connection of a load: requests out, replies in, and for each call in flight the moment that it counts from.
///
/// A call's id is its place among the `depth` that may be in flight, so memory does not grow with the load.
final class LoadConnection {
    /// The open socket, non-blocking.
    let descriptor: Int32

    private var framer = LineFramer(limit: TransportLimits.defaults.responseLineBytes)
    private var output: [UInt8] = []
    private var sent = 0
    /// By id, when the call was meant to leave.
    private var intended: [Int64]
    /// Ids that no call in flight has.
    private var free: [Int]

    /// Connects to the server at `path`.
    /// - Parameter depth: how many calls may be in flight.
    init(socket path: String, depth: Int) throws(BenchFailure) {
        intended = Array(repeating: 0, count: depth)
        free = Array((0..<depth).reversed())
        do throws(RPCClientError) {
            descriptor = try PlainSocket.connect(path)
        } catch {
            throw .noConnection(error)
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(descriptor)
    }

    /// Whether another call may be sent.
    var hasRoom: Bool { !free.isEmpty }

    /// Whether bytes wait until the socket takes them.
    var hasOutput: Bool { sent < output.count }

    /// Puts the next request behind what waits to be sent. There must be room.
    func call(_ requests: inout Requests, intended moment: Int64) {
        guard let id = free.popLast() else { return }
        intended[id] = moment
        requests.append(id: id, to: &output)
    }

    /// Puts one call of another kind behind what waits; its reply is one as any other.
    func send(_ line: String) {
        _ = free.popLast()
        output += line.utf8
    }

    /// Sends as much as the socket takes.
    func flush() throws(BenchFailure) {
        while sent < output.count {
            let count = unsafe output.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor,
                    bytes.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { throw .connectionLost }
            sent += count
        }
        output.removeAll(keepingCapacity: true)
        sent = 0
    }

    /// Reads once what has come. `each` is told a call's intended moment and the reason of its refusal, if any; with
    /// no moment it is a notification.
    func receive(
        _ buffer: inout [UInt8],
        _ each: (_ intended: Int64?, _ refusal: String?) -> Void
    ) throws(BenchFailure) {
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { throw .connectionLost }
        framer.feed(buffer[..<count])
        while let item = framer.next() {
            guard case .line(let line) = item else { throw .connectionLost }
            switch Incoming(line: line) {
            case .notification: each(nil, nil)
            case .reply(let id, let refusal) where intended.indices.contains(id):
                free.append(id)
                each(intended[id], refusal)
            case .reply, .other: throw .connectionLost
            }
        }
    }
}
