import Foundation
import Glibc
import JSON
import JSONRPC
package import RPCTransport
import Synchronization

/// A peer that sends whatever bytes a test wants, on threads of its own, so that it never blocks the server's.
package final class LineClient: Sendable {
    private let handle: FileHandle
    private let writer = DispatchQueue(label: "line client")
    private let reader: LineReader
    private let gate: DispatchSemaphore
    private let isChecking: Bool
    /// Requests whose reply is still to come, by the text of their id.
    private let asked = Mutex<[String: (method: String, params: JSONObject)]>([:])

    /// - Parameters:
    ///   - reads: false leaves everything unread until `startReading()`.
    ///   - isChecking: whether a result that breaks its method's schema fails the test; for the methods of the protocol.
    package init(socket path: String, reads: Bool = true, isChecking: Bool = false) throws(RPCClientError) {
        handle = FileHandle(fileDescriptor: try PlainSocket.connect(path), closeOnDealloc: true)
        self.isChecking = isChecking
        gate = DispatchSemaphore(value: reads ? 1 : 0)
        reader = LineReader(handle, gate: gate)
    }

    deinit {
        gate.signal()
        shutdown(handle.fileDescriptor, Int32(SHUT_RDWR))
    }

    /// Begins to read what came.
    package func startReading() {
        gate.signal()
    }

    /// Sends lines, in the background.
    package func send(_ lines: String...) {
        if isChecking { lines.forEach(note) }
        send(bytes: lines.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] })
    }

    /// Sends bytes, in the background.
    package func send(bytes: [UInt8]) {
        writer.async { [handle] in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes {
                    unsafe Glibc.send(handle.fileDescriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Ends our side, once everything was sent; replies can still be read.
    package func endInput() {
        writer.async { [handle] in _ = shutdown(handle.fileDescriptor, Int32(SHUT_WR)) }
    }

    /// Vanishes, once everything was sent.
    package func vanish() {
        writer.async { [handle] in _ = shutdown(handle.fileDescriptor, Int32(SHUT_RDWR)) }
    }

    /// The next line; nil once the server has closed.
    package func line() async -> String? {
        guard let line = await reader.next() else { return nil }
        if isChecking { check(line) }
        return line
    }

    /// All lines until the server closes.
    package func lines() async -> [String] {
        var lines: [String] = []
        while let line = await line() { lines.append(line) }
        return lines
    }

    /// Remembers a well-formed request of moderate size, so that its reply can be held against the method's schema.
    private func note(_ line: String) {
        guard line.utf8.count < 100_000, case .request(let request) = Message(line: Array(line.utf8)) else { return }
        asked.withLock { $0["\(request.id)"] = (request.method, request.params) }
    }

    private func check(_ line: String) {
        guard case .response(let response) = Message(line: Array(line.utf8)), let id = response.id,
            let request = asked.withLock({ $0.removeValue(forKey: "\(id)") }),
            case .result(.object(let result)) = response.body
        else { return }
        Promise.check(request.method, request.params, result)
    }
}
