/// What a peer may do. Each role may do what the ones before it may.
package enum Role: String, Sendable, Comparable, CaseIterable {
    case viewer
    case `operator`
    case admin

    package static func < (left: Role, right: Role) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .admin: 2
        }
    }
}
