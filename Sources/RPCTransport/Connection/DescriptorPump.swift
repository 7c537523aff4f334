import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Waking

/// Moves bytes between two plain descriptors and a connection, on a separate thread.
///
/// `poll` with small blocking reads and writes works for pipes, terminals, sockets and regular files, and leaves the
/// descriptors' flags alone, which other processes share.
final class DescriptorPump: ByteTransport {
    /// A pipe that is reported as writable takes this many bytes without blocking.
    private static let writeBytes = 4096
    private static let readBytes = 64 << 10

    private let input: Int32
    private let output: Int32
    private let pipe: WakePipe
    private let isAborted = Atomic(false)
    /// Where the calls are handled; only the bytes are moved on the separate thread.
    let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    init(input: Int32, output: Int32) throws(StandardIO.SystemError) {
        do throws(WakePipe.Failure) {
            pipe = try WakePipe()
        } catch {
            throw StandardIO.SystemError(errno: error.errno)
        }
        self.input = input
        self.output = output
    }

    func resumeReading() {
        pipe.wake()
    }

    func wakeWriter(of outbox: Outbox) {
        pipe.wake()
    }

    func abort() {
        isAborted.store(true, ordering: .releasing)
        pipe.wake()
    }

    var isPatient: Bool { true }

    /// Runs on its thread until the connection is done, then closes both descriptors.
    func run(_ connection: RPCConnection) {
        var pending = Pending()
        while !isAborted.load(ordering: .acquiring) {
            if pending.isEmpty {
                switch connection.outbox.next() {
                case .write(let pieces, let count): pending = Pending(pieces, count: count)
                case .idle: break
                case .end: abort()
                }
                if isAborted.load(ordering: .acquiring) { break }
            }
            let reads = !connection.inbox.hasEnded && connection.inbox.wantsMore
            var waits = [
                pollfd(fd: pipe.reader, events: Int16(POLLIN), revents: 0),
                pollfd(fd: reads ? input : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pending.isEmpty ? -1 : output, events: Int16(POLLOUT), revents: 0),
            ]
            guard unsafe poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else { break }
            if waits[0].revents != 0 { pipe.reset() }
            if waits[1].revents != 0 { read(into: connection.inbox) }
            if waits[2].revents != 0, !write(&pending, connection.outbox) { break }
        }
        connection.transportClosed()
        _ = close(input)
        _ = close(output)
    }

    private func read(into inbox: Inbox) {
        var bytes = [UInt8](repeating: 0, count: DescriptorPump.readBytes)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(input, $0.baseAddress, $0.count) }
        if count > 0 {
            inbox.put(ByteBuffer(bytes: bytes[..<count]))
        } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
            inbox.end()
        }
    }

    /// False when the reading end is closed.
    private func write(_ pending: inout Pending, _ outbox: Outbox) -> Bool {
        let bytes = pending.front(DescriptorPump.writeBytes)
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(output, $0.baseAddress, $0.count) }
        guard count >= 0 else { return errno == EINTR || errno == EAGAIN }
        pending.drop(count)
        outbox.wrote(count)
        return true
    }

    /// Bytes that were taken from the outbox and are not written yet.
    private struct Pending {
        private var bytes: [UInt8] = []
        private var start = 0

        init() {}

        init(_ pieces: [ByteBuffer], count: Int) {
            bytes.reserveCapacity(count)
            for piece in pieces {
                bytes.append(contentsOf: piece.readableBytesView)
            }
        }

        var isEmpty: Bool { start == bytes.count }

        func front(_ count: Int) -> ArraySlice<UInt8> {
            bytes[start...].prefix(count)
        }

        mutating func drop(_ count: Int) {
            start = min(start + count, bytes.count)
        }
    }
}
