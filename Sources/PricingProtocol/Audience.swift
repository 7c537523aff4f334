package import JSON

/// Whom a method is for. Each audience may call what those before it may; what it is given of a reply says `Field.shown`.
package enum Audience: String, Sendable, Comparable, CaseIterable {
    /// Anybody: what a shop window shows.
    case `public`
    /// A customer who is signed in: their own orders and account.
    case customer
    /// Who sells: all that an operator may do, but for users and rules.
    case seller
    /// The rest of the staff.
    case staff

    package static func < (left: Audience, right: Audience) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .public: 0
        case .customer: 1
        case .seller: 2
        case .staff: 3
        }
    }

    /// Whether it is of the staff: its calls need a role, and are given all of a reply.
    package var isStaff: Bool { self >= .seller }
}

/// What a person is to the shop, and so what a login of theirs may do.
package enum PersonRole: String, Sendable, CaseIterable {
    case customer
    case seller
    case admin

    package var audience: Audience {
        switch self {
        case .customer: .customer
        case .seller: .seller
        case .admin: .staff
        }
    }

    /// The role that the person's calls have at most; nil for a customer, whose audience stands in its place.
    package var role: Role? {
        switch self {
        case .customer: nil
        case .seller: .operator
        case .admin: .admin
        }
    }
}

extension Method {
    /// The parameter that says whose a call is: a customer leaves it out, or names themselves.
    package var person: String? {
        guard audience <= .customer else { return nil }
        return ["customerId", "userId"].first { name in parameters.fields.contains { $0.name == name } }
    }

    /// Whether these parameters name what belongs to one customer.
    package func namesOwned(_ params: JSONObject) -> Bool {
        Self.owned.contains { params[$0] != nil }
    }

    /// Whether a call with these parameters sets a password.
    package func setsPassword(_ params: JSONObject) -> Bool {
        parameters.fields.contains { field in
            if case .bytes = field.schema { params[field.name] != nil } else { false }
        }
    }

    /// The ids of what belongs to one customer; `refuse_others` looks whose it is.
    package static let owned: Set<String> = ["orderId", "quoteId"]
}

/// What errors tell people who are not of the staff: of `data` these members and no others.
package enum ShownFacts {
    package static let members: Set<String> = [
        "violations", "productId", "sku", "requested", "available", "old", "new", "maxUnitPrice", "why", "orderId",
        "userId", "subscription", "from", "to", "which", "value", "limit", "actual", "elapsedMs", "outcome",
        "dependency", "incidentId", "needRole", "haveRole", "method", "didYouMean", "supported", "duplicateOf",
        "byteOffset", "expected", "digest", "quoteId", "status", "expiresAt",
    ]

    package static func of(_ data: JSONObject) -> JSONObject {
        var shown = JSONObject()
        for (key, value) in data {
            if members.contains(key) {
                shown[key] = value
            } else if key == "wouldChange", let changes = value.object {
                shown[key] = CallMeta.changes.shown(of: changes).map { .object($0) }
            }
        }
        return shown
    }
}

/// The same fields, each of them shown.
func shown(_ fields: [Field]) -> [Field] { fields.map(\.shown) }
