import Glibc
import JSON
import JSONRPC
import PricingClient
import RPCTransport

/// Sends one line as it is, on a connection of its own, and reads the one line that answers it.
///
/// The client of the shell would give the message another id and refuse a broken one; here nothing is changed.
struct RawExchange {
    let line: String

    /// A request, a batch with one, or something broken is answered; a notification never is.
    var expectsReply: Bool {
        switch JSONReading.parse(line) {
        case .object(let message)?: message["id"] != nil || message["method"]?.string == nil
        case .array(let batch)?: batch.isEmpty || batch.contains { RawExchange(line: $0.description).expectsReply }
        default: true
        }
    }

    /// Whether the server's `reply` holds an error.
    static func isError(_ reply: String) -> Bool {
        switch JSONReading.parse(reply) {
        case .object(let message)?: message["error"] != nil
        case .array(let batch)?: batch.contains { $0["error"] != nil }
        default: true
        }
    }

    /// The reply without its line end; nil when none is due. Cancelling the task closes the connection.
    func run(socket path: String) async throws(CallFailure) -> String? {
        let descriptor = try Self.connect(to: path)
        defer { close(descriptor) }
        let reply = await withTaskCancellationHandler {
            await Task { @concurrent in exchange(descriptor) }.value
        } onCancel: {
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
        if reply == nil, Task.isCancelled {
            throw .refused(.cancelled)
        }
        guard let reply else { throw .disconnected("the server closed the connection without a reply") }
        return expectsReply ? reply : nil
    }

    /// Nil when the connection ended first. Blocks.
    private func exchange(_ descriptor: Int32) -> String? {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            rest = rest.dropFirst(count)
        }
        guard expectsReply else { return "" }
        var reader = LineReader(descriptor: descriptor)
        return reader.next()
    }

    private static func connect(to path: String) throws(CallFailure) -> Int32 {
        do throws(RPCClientError) {
            return try PlainSocket.connect(path)
        } catch {
            throw .disconnected(ClientFailure.sentence(error))
        }
    }
}
