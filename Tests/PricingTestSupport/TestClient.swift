package import JSONRPC
import PricingProtocol

/// A client whose every successful call is held against what `rpc.discover` promises of it.
package final class TestClient: Sendable {
    private let client: RPCClient

    init(socket: String) async throws {
        client = try await RPCClient.connect(socket: socket)
    }

    /// What the server sends unasked, in order, for one reader.
    package var notifications: AsyncStream<RPCNotification> { client.notifications }

    /// Calls a method and waits for its reply; a reply or parameters outside their schema fail the test.
    /// - Throws: `RPCError` for an error reply, `RPCClientError` when there is no reply.
    package func call(
        _ method: String,
        _ params: JSONObject = [:],
        timeout: Duration? = nil
    ) async throws -> JSONObject {
        while true {
            do {
                let result = try await client.call(method, params, timeout: timeout)
                Promise.check(method, params, result)
                return result
            } catch let error as RPCError where Self.waitsItsTurn(error) {
                try await Task.sleep(for: .milliseconds(error.retryAfterMs ?? 100))
            }
        }
    }

    /// Whether other tests of this process are where only a few calls are let in. As any client would, it comes again.
    private static func waitsItsTurn(_ error: RPCError) -> Bool {
        let gated = CallGate.all.flatMap { [$0.most, $0.perUser, $0.waiting] }.compactMap { $0?.name }
        return error.reason == "RESOURCE_EXHAUSTED" && gated.contains(error.data["which"]?.string ?? "")
    }

    /// Sends a notification; nothing comes back, not even an error.
    package func notify(_ method: String, _ params: JSONObject = [:]) {
        client.notify(method, params)
    }

    /// Lets what was sent leave, ends the connection, and waits until it has ended.
    package func close() async {
        await client.close()
    }
}
