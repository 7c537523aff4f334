import HTTPTypes
import Synchronization

/// Which hosts a request may name, and whose pages may send one that changes something.
final class Origins: Sendable {
    /// Names and addresses without the port that we listen on.
    private let ownNames: Set<String>
    /// Further ones, whole.
    private let allowed: Set<String>
    /// The origin that people see when it is not the host's own: behind a proxy with TLS.
    let origin: String?
    /// The port that we listen on; 0 until it is known.
    let port: Atomic<Int>

    /// - Parameter allowed: hosts that are named beside the usual ones.
    init(host: String, port: Int, origin: String?, allowed: [String]) {
        ownNames = Set([host, "127.0.0.1", "localhost", "[::1]"].map { $0.lowercased() })
        let proxied = origin?.split(separator: "/").dropFirst().first.map { [String($0)] } ?? []
        self.allowed = Set((allowed + proxied).map { $0.lowercased() })
        self.origin = origin
        self.port = Atomic(port)
    }

    func isOurs(_ host: String) -> Bool {
        let host = host.lowercased()
        let port = port.load(ordering: .relaxed)
        let suffix = ":\(port)"
        let isOwn = host.hasSuffix(suffix) && ownNames.contains(String(host.dropLast(suffix.utf8.count)))
        return isOwn || port == 80 && ownNames.contains(host) || allowed.contains(host)
    }

    /// What pages of ours are at, as a browser names it that reached us by this host.
    func own(_ host: String) -> String { origin ?? "http://\(host.lowercased())" }

    /// Whether browsers keep the cookie to encrypted connections.
    var isSecure: Bool { origin?.hasPrefix("https://") ?? false }

    /// Why a request that may change something is refused; nil when it came from a page of ours.
    func refusal(_ headers: HTTPFields, host: String) -> String? {
        if let site = headers[.secFetchSite] {
            guard site == "same-origin" else { return "This form was sent from another site." }
            guard let sender = headers[.origin] else { return nil }
            return sender == own(host) ? nil : "This form was sent from another site."
        }
        guard let sender = headers[.origin] else { return "Nothing says which page sent this." }
        return sender == own(host) ? nil : "This form was sent from another site."
    }
}

extension HTTPField.Name {
    static let secFetchSite = Self.known("Sec-Fetch-Site")
    static let lastEventID = Self.known("Last-Event-ID")
    static let idempotencyKey = Self.known("Idempotency-Key")
    static let forwardedFor = Self.known("X-Forwarded-For")
    static let contentTypeOptions = Self.known("X-Content-Type-Options")
    static let referrerPolicy = Self.known("Referrer-Policy")
    static let openerPolicy = Self.known("Cross-Origin-Opener-Policy")
    static let securityPolicy = Self.known("Content-Security-Policy")

    /// A name that is known to be one.
    private static func known(_ name: String) -> Self {
        guard let name = Self(name) else { preconditionFailure("\(name) is no name of a header") }
        return name
    }
}
