import Glibc
import PricingProtocol
import RPCTransport
import Synchronization

/// Gives a peer its role by its uid, as the kernel reports it, and by that user's groups.
package struct PeerRoles: Sendable {
    private let ownUser = getuid()
    /// The group whose members have the role operator.
    package let operatorGroup: UInt32?
    /// The group whose members have the role viewer.
    package let viewerGroup: UInt32?

    package init(operatorGroup: UInt32? = nil, viewerGroup: UInt32? = nil) {
        self.operatorGroup = operatorGroup
        self.viewerGroup = viewerGroup
    }

    /// The groups whose members may connect, each once.
    package var groups: [UInt32] {
        let given = [operatorGroup, viewerGroup].compactMap { $0 }
        return given.count == 2 && given[0] == given[1] ? [given[0]] : given
    }

    /// Whether the peer is root or the user that the daemon runs as.
    fileprivate func isOwn(_ peer: Peer) -> Bool { peer.uid == 0 || peer.uid == ownUser }

    /// Admin for root and for the user that the daemon runs as, else the role of the peer's group; nil without a role.
    func role(of peer: Peer) -> Role? {
        if isOwn(peer) { return .admin }
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

/// The roles of the connected peers. A role is looked up once for each connection and away from the event loop, since the
/// system reads its users and groups from files or from a server in the network.
final class ConnectedRoles: Sendable {
    private let roles: PeerRoles
    /// By the number of the connection; those that need no looking up are not in it.
    private let known = Mutex<[Int: Role]>([:])

    init(_ roles: PeerRoles) {
        self.roles = roles
    }

    /// Looks up the role of a peer that has connected; nil when it has none.
    @concurrent
    func admit(_ connection: RPCConnection) async -> Role? {
        guard !roles.isOwn(connection.peer) else { return .admin }
        let role = roles.role(of: connection.peer)
        known.withLock { $0[connection.number] = role }
        return role
    }

    /// The role that was looked up when the peer connected; nil without one.
    func role(of connection: RPCConnection) -> Role? {
        roles.isOwn(connection.peer) ? .admin : known.withLock { $0[connection.number] }
    }

    /// The peer has disconnected.
    func forget(_ connection: RPCConnection) {
        guard !roles.isOwn(connection.peer) else { return }
        known.withLock { $0[connection.number] = nil }
    }
}
