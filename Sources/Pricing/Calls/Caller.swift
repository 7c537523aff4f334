import JSON
import JSONRPC
import PricingProtocol
import RPCTransport

/// Who makes a call, and so what it may do: a peer by its role, a person by the login that the call carries, or anybody
/// behind a gateway.
struct Caller: Sendable {
    /// The person of a login.
    struct Person: Sendable {
        let loginID: Int64
        let userID: Int64
        let email: String
        let role: PersonRole
    }

    /// What the peer's calls may do at most.
    let standing: Standing
    let uid: UInt32
    /// nil for a call without a login.
    let person: Person?

    var audience: Audience {
        person.map { $0.role.audience } ?? (standing.isGateway ? .public : .staff)
    }

    /// The lesser of the peer's role and the person's; nil where an audience stands in its place.
    var role: Role? {
        guard let person else { return standing.isGateway ? nil : standing.role }
        return person.role.role.map { min($0, standing.role) }
    }

    /// Whose calls are about themselves alone; nil for the staff, who act for others.
    var customer: Int64? { audience.isStaff ? nil : person?.userID }

    /// For the records: who did it, and over which peer.
    var actor: String {
        guard standing.isGateway || person != nil else { return "uid:\(uid)" }
        return "\(person?.email ?? audience.rawValue) (uid:\(uid))"
    }

    /// The name that the protocol has for it.
    private var name: String { role?.rawValue ?? audience.rawValue }

    private func denial(_ needed: String) -> RPCError { .permissionDenied(needRole: needed, haveRole: name) }

    /// Whether it may call a method at all.
    func check(_ method: Method) throws(RPCError) {
        guard method.audience <= audience else {
            throw denial((audience == .seller ? Role.admin : method.role).rawValue)
        }
        guard method.role <= role ?? standing.role else { throw denial(method.role.rawValue) }
    }

    /// Whether it may call a method with these parameters, which fit it.
    func check(_ method: Method, _ params: JSONObject) throws(RPCError) {
        if let person, let member = method.person, audience != .staff, let named = params[member]?.integer,
            named != person.userID
        {
            // As if there were nobody else: a customer learns nothing of others.
            if !audience.isStaff { throw ErrorCode.orderNotFound.error() }
            if member == "userId" { throw denial(Role.admin.rawValue) }
        }
        let isOneself = person.map { params["userId"] == .integer($0.userID) } ?? false
        guard let needed = method.reservedRole(for: params, isOneself: isOneself) else { return }
        guard let role, role >= needed else { throw denial(needed.rawValue) }
    }

    /// The parameters with the person's id where a call about themselves leaves it out.
    func completed(_ params: JSONObject, of method: Method) throws(RPCError) -> JSONObject {
        guard let person, let member = method.person, params[member] == nil,
            let field = method.parameters.fields.first(where: { $0.name == member })
        else { return params }
        var params = params
        if member == "userId" {
            if field.isRequired { params[member] = .integer(person.userID) }
        } else if customer != nil {
            if let email = params["customerEmail"]?.string {
                guard email.trimmedName.lowercased() == person.email.lowercased() else {
                    throw ErrorCode.orderNotFound.error()
                }
                params["customerEmail"] = nil
            }
            params[member] = .integer(person.userID)
        }
        return params
    }

    /// What a call says beside its parameters, as it counts: keys are one name space a person.
    func meta(_ given: CallMeta) throws(RPCError) -> CallMeta {
        guard standing.isGateway || person != nil else { return given }
        if given.actor != nil {
            let violation = Violation(path: "/_meta/actor", rule: "login", message: "is the person whose login it is")
            throw .invalidParams("/_meta/actor: \(violation.message).", violations: [violation.json])
        }
        var meta = given
        // A key that a caller gives has no control character.
        meta.idempotencyKey = given.idempotencyKey.map { "\u{1}\(person.map { "\($0.userID)" } ?? "") \($0)" }
        return meta
    }
}

/// What a peer's calls may do at most.
struct Standing: Sendable {
    var role: Role
    /// Whether it acts for others: its role then counts only together with a login.
    var isGateway = false
}
