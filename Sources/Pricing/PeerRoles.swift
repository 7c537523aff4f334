import Glibc
import JSONRPC
import PricingProtocol

/// Which role a peer has, by the uid and groups that the kernel vouches for.
package struct PeerRoles: Sendable {
    private let ownUser = getuid()
    /// Members may change prices and stock.
    package let operatorGroup: UInt32?
    /// Members may look.
    package let viewerGroup: UInt32?

    package init(operatorGroup: UInt32? = nil, viewerGroup: UInt32? = nil) {
        self.operatorGroup = operatorGroup
        self.viewerGroup = viewerGroup
    }

    /// The groups that are let in, each once.
    package var groups: [UInt32] {
        let given = [operatorGroup, viewerGroup].compactMap { $0 }
        return given.count == 2 && given[0] == given[1] ? [given[0]] : given
    }

    /// The daemon's own uid and root are admin; the mapped groups' members have their role; nobody else has one.
    func role(of peer: Peer) -> Role? {
        if peer.uid == 0 || peer.uid == ownUser { return .admin }
        let groups = Self.groups(of: peer)
        if let operatorGroup, groups.contains(operatorGroup) { return .operator }
        if let viewerGroup, groups.contains(viewerGroup) { return .viewer }
        return nil
    }

    /// The id of a group by its name; nil when there is none.
    package static func group(named name: String) -> UInt32? {
        unsafe getgrnam(name)?.pointee.gr_gid
    }

    private static func groups(of peer: Peer) -> [UInt32] {
        guard let user = unsafe getpwuid(peer.uid), let name = unsafe user.pointee.pw_name else { return [peer.gid] }
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard unsafe getgrouplist(name, peer.gid, &groups, &count) >= 0 else { return [peer.gid] }
        return Array(groups.prefix(Int(count)))
    }
}
