import Foundation
import Glibc
import Synchronization

/// A peer that sends whatever bytes a test wants, on threads of its own, so that it never blocks the server's.
final class LineClient: Sendable {
    struct CannotConnect: Error {
        let errno: Int32
    }

    private let descriptor: Int32
    private let writer = DispatchQueue(label: "line client")
    private let pieces: AsyncStream<[UInt8]>
    private let gathered = Mutex<[UInt8]>([])
    private let isReading: DispatchSemaphore

    /// - Parameter reads: False leaves everything unread until `startReading()`.
    init(socket path: String, reads: Bool = true) throws {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let connected = unsafe withUnsafePointer(to: address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            let error = CannotConnect(errno: errno)
            Glibc.close(descriptor)
            throw error
        }
        let (pieces, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        self.pieces = pieces
        let gate = DispatchSemaphore(value: reads ? 1 : 0)
        isReading = gate
        self.descriptor = descriptor
        let thread = Thread {
            gate.wait()
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
                guard count > 0 else { break }
                continuation.yield(Array(bytes[..<count]))
            }
            continuation.finish()
        }
        thread.start()
    }

    deinit {
        isReading.signal()
        shutdown(descriptor, Int32(SHUT_RDWR))
        let descriptor = descriptor
        writer.async { Glibc.close(descriptor) }
    }

    func startReading() {
        isReading.signal()
    }

    /// Sends lines, in the background.
    func send(_ lines: String...) {
        send(bytes: lines.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] })
    }

    func send(bytes: [UInt8]) {
        writer.async { [descriptor] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes {
                    unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Ends the input of the server, once everything was sent; replies can still be read.
    func endInput() {
        writer.async { [descriptor] in _ = shutdown(descriptor, Int32(SHUT_WR)) }
    }

    /// Vanishes, once everything was sent.
    func vanish() {
        writer.async { [descriptor] in _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// The next line; nil once the server has closed.
    func line() async -> String? {
        while true {
            let line = gathered.withLock { bytes -> String? in
                guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
                defer { bytes.removeSubrange(...end) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            if let line { return line }
            var piece: [UInt8]?
            for await next in pieces {
                piece = next
                break
            }
            guard let piece else { return nil }
            gathered.withLock { $0 += piece }
        }
    }

    /// All lines until the server closes.
    func lines() async -> [String] {
        var lines: [String] = []
        while let line = await line() {
            lines.append(line)
        }
        return lines
    }
}
