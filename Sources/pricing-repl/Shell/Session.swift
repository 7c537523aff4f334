import JSON
import JSONRPC
import PricingClient
import RPCTransport

/// The connection to one daemon and what it says of itself. Connects when first needed, and again after a loss.
@MainActor
final class Session {
    private(set) var socket: String
    /// The server's methods; empty until `loadCatalogue`.
    private(set) var catalogue = MethodCatalogue()
    /// Told of each notification, on any thread.
    var notified: @Sendable (String, JSONObject) -> Void = { _, _ in }

    private var client: RPCClient?
    private var listener: Task<Void, Never>?

    init(socket: String) { self.socket = socket }

    /// Whether a connection was made and is not known to be lost.
    var isConnected: Bool { client != nil }

    /// The connection, for questions asked beside the shell's own calls.
    var liveClient: RPCClient? { client }

    /// Leaves the present connection, and goes to another socket if `path` is given.
    func reconnect(to path: String?) async throws(CallFailure) {
        await disconnect()
        if let path { socket = path }
        catalogue = MethodCatalogue()
        _ = try await connected()
    }

    func disconnect() async {
        listener?.cancel()
        listener = nil
        await client?.close()
        client = nil
    }

    /// Asks the server for its methods, once a connection. A server that cannot describe itself has none.
    func loadCatalogue() async throws(CallFailure) {
        guard catalogue.methods.isEmpty else { return }
        do {
            catalogue = MethodCatalogue(document: try await call("rpc.discover", [:]))
        } catch .refused {
            catalogue = MethodCatalogue()
        }
    }

    /// `loadCatalogue` with its failure as a value.
    func catalogueFailure() async -> CallFailure? {
        do throws(CallFailure) {
            try await loadCatalogue()
            return nil
        } catch {
            return error
        }
    }

    /// One call. Cancelling the task cancels the call on the server.
    func call(_ method: String, _ parameters: JSONObject) async throws(CallFailure) -> JSONObject {
        let client = try await connected()
        do {
            return try await client.call(method, parameters)
        } catch let error as RPCError {
            throw .refused(error)
        } catch is CancellationError {
            throw .refused(.cancelled)
        } catch {
            await disconnect()
            throw .disconnected(ClientFailure.sentence(error))
        }
    }

    /// `call` with its failure as a value.
    func result(_ method: String, _ parameters: JSONObject) async -> Result<JSONObject, CallFailure> {
        do throws(CallFailure) {
            return .success(try await call(method, parameters))
        } catch {
            return .failure(error)
        }
    }

    /// The connection has ended: the next call makes another instead of failing on this one.
    private func forget(_ ended: RPCClient) {
        if client === ended { client = nil }
    }

    private func connected() async throws(CallFailure) -> RPCClient {
        if let client { return client }
        do {
            let fresh = try await RPCClient.connect(socket: socket)
            client = fresh
            let notified = notified
            listener = Task { @concurrent in
                for await notification in fresh.notifications { notified(notification.method, notification.params) }
                await self.forget(fresh)
            }
            return fresh
        } catch {
            throw .disconnected(ClientFailure.sentence(error))
        }
    }
}
