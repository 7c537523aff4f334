import JSON
import JSONRPC
import Markup
import PricingClient
import PricingProtocol
import RPCTransport
import ServiceLifecycle
import Synchronization

/// The connection to the daemon, made again whenever it ends.
final class DaemonLink: Service, Sendable {
    private enum State {
        case away(since: Moment)
        case connected(RPCClient)
    }

    private let socket: String
    private let state = Mutex(State.away(since: Now.moment))
    /// What a connection begins with, before any page is served by it.
    private let begin: @Sendable (RPCClient) async throws -> Void
    private let received: @Sendable (RPCNotification) -> Void
    /// Told when the daemon went (with the time) and when it came back (nil).
    private let changed: @Sendable (Moment?) -> Void

    init(
        socket: String,
        begin: @escaping @Sendable (RPCClient) async throws -> Void,
        received: @escaping @Sendable (RPCNotification) -> Void,
        changed: @escaping @Sendable (Moment?) -> Void
    ) {
        self.socket = socket
        self.begin = begin
        self.received = received
        self.changed = changed
    }

    /// Since when the daemon does not answer; nil while it does.
    var awaySince: Moment? {
        state.withLock { if case .away(let since) = $0 { since } else { nil } }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.connectAgainAndAgain() }
    }

    private func connectAgainAndAgain() async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            if let client = try? await connect() {
                pause = .milliseconds(50)
                for await notification in client.notifications { received(notification) }
                await client.close()
                let now = Now.moment
                state.withLock { $0 = .away(since: now) }
                changed(now)
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    private func connect() async throws -> RPCClient {
        let client = try await RPCClient.connect(socket: socket)
        do {
            try await hello(client)
            try await begin(client)
        } catch {
            await client.close()
            throw error
        }
        state.withLock { $0 = .connected(client) }
        changed(nil)
        return client
    }

    /// Gives up our own rights for the life of the connection: what a page may do depends on who is signed in.
    private func hello(_ client: RPCClient) async throws {
        let reply = try await client.call(
            "session.hello",
            ["client": ["name": "pricing-web", "version": .string(Release.version)], "gateway": true],
            timeout: .seconds(5)
        )
        guard reply["gateway"]?.bool == true else { throw RPCClientError.malformedReply }
    }

    /// Calls a method, for a person when there is a token.
    /// - Throws: `RPCError` alone: without a daemon UNAVAILABLE.
    func call(
        _ method: String,
        _ params: JSONObject = [:],
        login: String? = nil,
        meta: JSONObject = [:],
        timeout: Duration = .seconds(30)
    ) async throws -> JSONObject {
        guard case .connected(let client) = state.withLock({ $0 }) else { throw DaemonLink.unavailable("not_done") }
        var meta = meta
        if let login { meta["login"] = .string(login) }
        var params = params
        if !meta.isEmpty { params[CallMeta.member] = .object(meta) }
        do {
            return try await client.call(method, params, timeout: timeout)
        } catch is RPCClientError {
            let isRead = AllMethods.byName[method]?.effect == .read
            throw DaemonLink.unavailable(isRead ? "not_done" : "unknown")
        }
    }

    private static func unavailable(_ outcome: JSONValue) -> RPCError {
        ErrorCode.unavailable.error(
            "The pricing daemon does not answer.",
            ["dependency": "pricingd", "outcome": outcome]
        )
    }
}

/// The time, and numbers that nobody guesses.
enum Now {
    static var moment: Moment {
        let now = Duration.realTime
        let (seconds, attoseconds) = now.components
        return Moment(seconds: Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// A key that no other request has.
    static func key() -> String {
        let (high, low) = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        return "web-" + String(high, radix: 36) + String(low, radix: 36)
    }
}
