package import JSON
import JSONRPC
package import RPCTransport

/// A client whose every successful call is held against what `rpc.discover` promises of it.
package final class TestClient: Sendable {
    private let client: RPCClient

    package init(socket: String) async throws {
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
        let result = try await client.call(method, params, timeout: timeout)
        Promise.check(method, params, result)
        return result
    }

    /// The same for the person of a login, or for anybody where there is none.
    package func call(
        as login: String?,
        _ method: String,
        _ params: JSONObject = [:],
        _ meta: JSONObject = [:]
    ) async throws -> JSONObject {
        var (params, meta) = (params, meta)
        if let login { meta["login"] = .string(login) }
        if !meta.isEmpty { params["_meta"] = .object(meta) }
        let result = try await client.call(method, params)
        Promise.check(method, result: result)
        return result
    }

    /// The reason that such a call is refused with; nil for one that succeeds.
    package func reason(
        as login: String?,
        _ method: String,
        _ params: JSONObject = [:],
        _ meta: JSONObject = [:]
    ) async throws -> String? {
        do {
            _ = try await call(as: login, method, params, meta)
            return nil
        } catch let error as RPCError {
            return error.reason
        }
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
