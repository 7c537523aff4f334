import HTTPTypes
import JSON
import JSONRPC
import Logging
import Markup
import PricingProtocol

/// What every room needs.
struct Site: Sendable {
    let daemon: DaemonLink
    let reads: SharedRead
    let hub: EventHub
    let assets: Assets
    let isSecure: Bool
    /// Proxies whose word on a visitor's address counts.
    let proxies: TrustedProxies
    let requests = RequestTally()
    let logger: Logger

    /// Why a token speaks for nobody.
    static let endedLogin: Set = ["LOGIN_EXPIRED", "BAD_CREDENTIALS", "PERMISSION_DENIED"]

    /// Who is signed in with the visit's token; nil when it has run out.
    func person(_ visit: Visit) async throws -> Person? {
        guard let token = visit.token else { return nil }
        do {
            return Person(try await daemon.call("login.get", login: token))
        } catch let error as RPCError {
            guard Site.endedLogin.contains(error.reason) else { throw error }
            return nil
        }
    }

    /// The address of a visitor.
    func address(_ peer: String, _ headers: HTTPFields) -> String {
        proxies.visitor(peer, headers[values: .forwardedFor].joined(separator: ","))
    }

    /// Calls a method for whoever visits.
    func call(
        _ visit: Visit,
        _ method: String,
        _ params: JSONObject = [:],
        meta: JSONObject = [:]
    ) async throws -> JSONObject {
        try await daemon.call(method, params, login: visit.token, meta: meta)
    }
}

/// Who is signed in.
struct Person: Sendable {
    let userId: Int64
    let role: String
    let name: String
    let email: String

    init?(_ reply: JSONObject) {
        guard let userId = reply["userId"]?.integer, let role = reply["role"]?.string else { return nil }
        self.userId = userId
        self.role = role
        name = reply["fullName"]?.string ?? ""
        email = reply["email"]?.string ?? ""
    }

    /// Whether they work in the shop.
    var isStaff: Bool { role != "customer" }
}
