import Glibc
import PricingProtocol
import RPCTransport
import Synchronization

/// Gives a peer its role by its uid, as the kernel reports it, and by that user's groups.
package struct PeerRoles: Sendable {
    private let ownUser = getuid()
    /// The group whose members have the role admin.
    package let adminGroup: UInt32?
    /// The group whose members have the role operator.
    package let operatorGroup: UInt32?
    /// The group whose members have the role viewer.
    package let viewerGroup: UInt32?
    /// The group whose members act for people who are signed in.
    package let gatewayGroup: UInt32?

    package init(
        adminGroup: UInt32? = nil,
        operatorGroup: UInt32? = nil,
        viewerGroup: UInt32? = nil,
        gatewayGroup: UInt32? = nil
    ) {
        self.adminGroup = adminGroup
        self.operatorGroup = operatorGroup
        self.viewerGroup = viewerGroup
        self.gatewayGroup = gatewayGroup
    }

    /// The groups whose members may connect, each once. The operators' comes first: it gets the socket, which only root can
    /// give to a group that the daemon's user is not in.
    package var groups: [UInt32] { staffGroups + (gatewayGroup.map { staffGroups.contains($0) ? [] : [$0] } ?? []) }

    /// The groups whose members have a role of their own, each once.
    package var staffGroups: [UInt32] {
        [operatorGroup, adminGroup, viewerGroup].compactMap { $0 }.reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
    }

    /// Whether the peer is root or the user that the daemon runs as.
    fileprivate func isOwn(_ peer: Peer) -> Bool { peer.uid == 0 || peer.uid == ownUser }

    /// Admin for root and for the user that the daemon runs as, else the role of the peer's group; nil without a role. One
    /// of the gateways' group has no rights of its own, whatever other groups it is in.
    func standing(of peer: Peer) -> Standing? {
        if isOwn(peer) { return Standing(role: .admin) }
        let groups = Self.groups(of: peer)
        if let gatewayGroup, groups.contains(gatewayGroup) { return Standing(role: .admin, isGateway: true) }
        if let adminGroup, groups.contains(adminGroup) { return Standing(role: .admin) }
        if let operatorGroup, groups.contains(operatorGroup) { return Standing(role: .operator) }
        if let viewerGroup, groups.contains(viewerGroup) { return Standing(role: .viewer) }
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

/// What the connected peers may do. It is looked up once for each connection and away from the event loop, since the
/// system reads its users and groups from files or from a server in the network.
final class ConnectedRoles: Sendable {
    private let roles: PeerRoles
    /// By the number of the connection; those of our own user that are no gateways are not in it.
    private let known = Mutex<[Int: Standing]>([:])
    /// Whether any peer of our own user ever was one: until then those need no looking up.
    private let hasOwnGateways = Atomic(false)

    init(_ roles: PeerRoles) {
        self.roles = roles
    }

    /// Looks up what a peer that has connected may do; nil when it may do nothing.
    @concurrent
    func admit(_ connection: RPCConnection) async -> Standing? {
        guard !roles.isOwn(connection.peer) else { return Standing(role: .admin) }
        let standing = roles.standing(of: connection.peer)
        known.withLock { $0[connection.number] = standing }
        return standing
    }

    /// What was found when the peer connected, unless it has become a gateway since; nil when it may do nothing.
    func standing(of connection: RPCConnection) -> Standing? {
        let isOwn = roles.isOwn(connection.peer)
        if isOwn, !hasOwnGateways.load(ordering: .acquiring) { return Standing(role: .admin) }
        return known.withLock { $0[connection.number] } ?? (isOwn ? Standing(role: .admin) : nil)
    }

    /// The peer gives up its own rights for as long as it is connected.
    func becomeGateway(_ connection: RPCConnection) {
        guard var standing = standing(of: connection) else { return }
        standing.isGateway = true
        known.withLock { $0[connection.number] = standing }
        if roles.isOwn(connection.peer) { hasOwnGateways.store(true, ordering: .releasing) }
    }

    /// The peer has disconnected.
    func forget(_ connection: RPCConnection) {
        guard !roles.isOwn(connection.peer) || hasOwnGateways.load(ordering: .acquiring) else { return }
        known.withLock { $0[connection.number] = nil }
    }
}
