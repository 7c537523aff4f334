package import JSON

/// Which peers are served first when there is little room. The service decides.
package enum PeerRank: Int, Sendable {
    case low, middle, high
}

/// What one peer may ask of the transport. Each limit has a name that its error repeats.
package struct TransportLimits: Sendable, Equatable {
    /// Longest request line in bytes, without its line end.
    package var requestLineBytes = 1 << 20
    /// Longest reply line in bytes; a longer reply becomes MESSAGE_TOO_LARGE.
    package var responseLineBytes = 16 << 20
    /// How deep arrays and objects may stand in each other, the message itself counted; at most `JSONParser.deepestNesting`.
    package var nesting = 64
    /// Longest id in bytes.
    package var idBytes = 128
    /// Most messages in one batch.
    package var batch = 100
    /// Most calls a connection may have in flight; beyond it the connection is not read until replies have left.
    package var inFlightPerConnection = 1024
    /// Most connections.
    package var connections = 512
    /// Most connections of one uid; root and the daemon's own uid are exempt.
    package var connectionsPerUser = 64
    /// Most calls waiting in all; beyond it RESOURCE_EXHAUSTED, and near it for connections that have more than their share.
    /// Urgent methods are exempt.
    package var waitingCalls = 4096
    /// How long half a line may wait for its end, in seconds; sockets only.
    package var partialLineSeconds = 30
    /// Most bytes waiting to be written to one peer before its notifications are refused.
    package var outputHardBytes = 8 << 20
    /// Bytes waiting to be written to one peer beyond which it gets no more notifications for now.
    package var outputSoftBytes = 2 << 20
    /// How long they may wait, in seconds, before its reader counts as slow.
    package var outputSoftSeconds = 10
    /// Output beyond which a connection is not read until its peer has taken some: as much as fits a peer that writes all
    /// its requests before it reads the first reply.
    package var outputPauseBytes = 8 << 20
    /// Most bytes waiting to be written to all peers together, but for a least part of each. Near it each one's part shrinks.
    package var outputTotalBytes = 64 << 20
    /// Longest file of a connection's mirrored lines, in bytes.
    package var mirrorFileBytes = 64 << 20

    package init() {}

    /// The limits of the protocol.
    package static let defaults = TransportLimits()

    /// Calls that may wait at a time.
    package struct Admission {
        /// Of all connections.
        package let most: Int
        /// What the connections share evenly among them; beyond it a connection that has more than its share is refused.
        package let shared: Int
    }

    /// The last parts of the waiting calls are kept for peers of higher ranks, and an eighth for newcomers.
    package func admission(_ rank: PeerRank) -> Admission {
        let most = waitingCalls - (PeerRank.high.rawValue - rank.rawValue) * (waitingCalls / 16)
        return Admission(most: most, shared: most - waitingCalls / 8)
    }

    /// Up to this many waiting calls no call is refused.
    package var contestedCalls: Int { admission(.low).shared }

    /// The value of a limit by its name.
    package subscript(_ limit: TransportLimit) -> Int {
        get { self[keyPath: limit.value] }
        set { self[keyPath: limit.value] = newValue }
    }

    /// The limits as `session.hello` tells them.
    package var asJSON: JSONObject {
        JSONObject(TransportLimit.allCases.map { ($0.rawValue, .integer(Int64(self[$0]))) })
    }

    /// Sets one limit, at least 1; false for an unknown name or a value out of range.
    package mutating func set(_ name: String, to value: Int) -> Bool {
        guard let limit = TransportLimit(rawValue: name), value >= 1 else { return false }
        guard limit != .nesting || value <= JSONParser.deepestNesting else { return false }
        self[limit] = value
        return true
    }
}

/// Every limit of the transport by the one name that `session.hello`, its error and the command line use.
package enum TransportLimit: String, CaseIterable, Sendable {
    case requestLineBytes, responseLineBytes, nesting, idBytes, batch, inFlightPerConnection, connections
    case connectionsPerUser, waitingCalls, partialLineSeconds, outputHardBytes, outputSoftBytes, outputSoftSeconds
    case outputPauseBytes, outputTotalBytes, mirrorFileBytes

    fileprivate var value: WritableKeyPath<TransportLimits, Int> {
        switch self {
        case .requestLineBytes: \.requestLineBytes
        case .responseLineBytes: \.responseLineBytes
        case .nesting: \.nesting
        case .idBytes: \.idBytes
        case .batch: \.batch
        case .inFlightPerConnection: \.inFlightPerConnection
        case .connections: \.connections
        case .connectionsPerUser: \.connectionsPerUser
        case .waitingCalls: \.waitingCalls
        case .partialLineSeconds: \.partialLineSeconds
        case .outputHardBytes: \.outputHardBytes
        case .outputSoftBytes: \.outputSoftBytes
        case .outputSoftSeconds: \.outputSoftSeconds
        case .outputPauseBytes: \.outputPauseBytes
        case .outputTotalBytes: \.outputTotalBytes
        case .mirrorFileBytes: \.mirrorFileBytes
        }
    }
}
