import Foundation
import Glibc
import PricingClient
import PricingTestSupport
import RPCTransport
import Synchronization

/// What becomes of the bytes that go one way over a connection.
enum Wire: Sendable {
    case whole
    /// Each piece comes later by up to so many milliseconds.
    case late(Int32)
    /// A byte at a time.
    case drip
    /// After so many bytes nothing comes any more, and no end.
    case stall(after: Int)
    /// After so many bytes both sides see the end.
    case cut(after: Int)
    /// The same, with bytes lost that were under way: the side that sent them is told of a reset.
    case reset(after: Int)

    /// Any of them.
    static func any(_ random: inout SplitMix64) -> Wire {
        let count = Int.random(in: 0...3000, using: &random)
        switch Int.random(in: 0...7, using: &random) {
        case 0: return .late(15)
        case 1: return .drip
        case 2: return .stall(after: count)
        case 3: return .cut(after: count)
        case 4: return .reset(after: count)
        default: return .whole
        }
    }
}

/// A proxy on a Unix socket that does to what passes what a bad wire does, a plan a connection.
final class FaultProxy: Sendable {
    typealias Plan = @Sendable (_ number: Int) -> (up: Wire, down: Wire)

    let socket: String
    private let listener: Int32

    /// - Parameters:
    ///   - plan: what happens to the bytes of a connection, by its number from 0: to those that go up to the daemon, and
    ///     to those that come down.
    init(_ socket: String, to target: String, plan: @escaping Plan) throws {
        self.socket = socket
        let listener = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: socket.utf8) }
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 128) == 0 else {
            throw RPCClientError.cannotConnect(path: socket, errno: errno)
        }
        self.listener = listener
        onThread {
            var number = 0
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                if let server = try? PlainSocket.connect(target) {
                    Pair(client, server).run(plan(number))
                } else {
                    close(client)
                }
                number += 1
            }
            close(listener)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
    }
}

/// The two connections of one that passes through.
private final class Pair: Sendable {
    private let client: Int32
    private let server: Int32
    private let open = Atomic(2)

    init(_ client: Int32, _ server: Int32) {
        self.client = client
        self.server = server
    }

    func run(_ wires: (up: Wire, down: Wire)) {
        onThread { self.pump(self.client, self.server, wires.up) }
        onThread { self.pump(self.server, self.client, wires.down) }
    }

    private func pump(_ source: Int32, _ sink: Int32, _ wire: Wire) {
        var passed = 0
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            if case .reset(let limit) = wire, passed >= limit {
                // What waits here is never read, which its sender is told by the kernel.
                var waited = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
                unsafe _ = poll(&waited, 1, -1)
                break
            }
            if case .cut(let limit) = wire, passed >= limit { break }
            let most = min(buffer.count, wire.room(after: passed))
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(source, $0.baseAddress, most) }
            guard count > 0 else { break }
            if case .stall(let limit) = wire, passed >= limit { continue }
            guard send(buffer[..<count], to: sink, wire) else { break }
            passed += count
        }
        leave()
    }

    private func send(_ bytes: ArraySlice<UInt8>, to sink: Int32, _ wire: Wire) -> Bool {
        if case .late(let most) = wire { _ = poll(nil, 0, Int32(bytes.count) % (most + 1)) }
        var rest = bytes
        while !rest.isEmpty {
            let piece = if case .drip = wire { rest.prefix(1) } else { rest }
            let count = unsafe piece.withUnsafeBytes {
                unsafe Glibc.send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// One way has ended: the other follows, and the last one closes.
    private func leave() {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(server, Int32(SHUT_RDWR))
        if open.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            close(client)
            close(server)
        }
    }
}

extension Wire {
    /// How many bytes may be read now, so that what is to end after a number of bytes ends exactly there.
    fileprivate func room(after passed: Int) -> Int {
        switch self {
        case .stall(let limit), .cut(let limit), .reset(let limit): passed < limit ? limit - passed : .max
        case .whole, .late, .drip: .max
        }
    }
}

private func onThread(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.stackSize = 512 << 10
    thread.start()
}
