import JSON

/// What signed-in people are told besides what everybody is: one subscription each at the daemon, shared by their open
/// streams and ended with the last of these. It does nothing itself: what is to be asked of the daemon is a deed.
struct OwnStreams: Sendable {
    enum Deed: Sendable, Equatable {
        /// For the person of a token, the events after a number; without one, those from now on.
        case subscribe(token: String, after: Int64?, connection: Int)
        case unsubscribe(String, connection: Int)
    }

    /// How a subscription was answered.
    enum Outcome: Sendable, Equatable {
        case subscribed(String, after: Int64)
        /// The login has ended.
        case refused
        /// To be asked again.
        case failed
    }

    /// More things than these in a quarter of a second are told as a gap: a page reads anew.
    static let things = 200
    static let framesKept = 64
    /// Notifications of a subscription whose reply is still being handed over.
    private static let earlyKept = 1000

    private enum Standing: Sendable, Equatable {
        case wanted, asked, refused
        case subscribed(String)
    }

    private struct Own {
        var standing = Standing.wanted
        var readers: Set<Int> = []
        var conflation = Conflation(most: OwnStreams.things)
        var backlog = Backlog(keeping: OwnStreams.framesKept)
        /// The number of the last frame that was sent.
        var sent: Int64

        init(after number: Int64) {
            sent = number
            backlog.begin(at: number)
            conflation.begin(at: number)
        }
    }

    private var owns: [String: Own] = [:]
    /// Whose a subscription is.
    private var tokens: [String: String] = [:]
    private var early: [(subscription: String, method: String, params: JSONObject)] = []
    /// Which connection to the daemon it is: an answer on an earlier one means nothing.
    private(set) var connection = 0

    /// How many people have one.
    var count: Int { owns.count }

    /// The number up to which a person's streams were told what is their own.
    func sent(_ token: String) -> Int64? { owns[token]?.sent }

    // MARK: readers

    /// A stream of a person's opens after a number; what it missed of theirs, nil when that is not kept.
    mutating func join(_ reader: Int, _ token: String, after number: Int64) -> [Frame]? {
        owns[token, default: Own(after: number)].readers.insert(reader)
        return owns[token]?.backlog.after(number)
    }

    mutating func leave(_ reader: Int, _ token: String) { owns[token]?.readers.remove(reader) }

    // MARK: the daemon

    /// The connection has gone, and every subscription with it. What came meanwhile is not known, so it is a gap.
    mutating func disconnected(at number: Int64) {
        connection += 1
        tokens = [:]
        early = []
        for token in owns.keys where owns[token]?.standing != .refused {
            if owns[token]?.standing != .wanted { owns[token]?.conflation.gap(to: number) }
            owns[token]?.standing = .wanted
        }
    }

    /// What is to be asked of the daemon now, each once.
    mutating func deeds() -> [Deed] {
        var deeds: [Deed] = []
        for (token, own) in owns {
            if own.readers.isEmpty, own.standing != .asked {
                if case .subscribed(let id) = own.standing {
                    tokens[id] = nil
                    deeds.append(.unsubscribe(id, connection: connection))
                }
                owns[token] = nil
            } else if own.standing == .wanted {
                let number = own.conflation.sequence
                deeds.append(.subscribe(token: token, after: number > 0 ? number : nil, connection: connection))
                owns[token]?.standing = .asked
            }
        }
        return deeds
    }

    /// A subscription was answered.
    mutating func answered(_ token: String, _ outcome: Outcome, on connection: Int) {
        guard connection == self.connection, owns[token] != nil else { return }
        switch outcome {
        case .failed: owns[token]?.standing = .wanted
        case .refused: owns[token]?.standing = .refused
        case .subscribed(let id, let number):
            tokens[id] = token
            owns[token]?.standing = .subscribed(id)
            owns[token]?.conflation.begin(at: number)
            for notification in early where notification.subscription == id {
                hand(notification.method, notification.params, to: token)
            }
        }
        if !owns.values.contains(where: { $0.standing == .asked }) { early = [] }
    }

    /// Takes what the daemon sent for one of them.
    mutating func take(_ subscription: String, _ method: String, _ params: JSONObject) {
        if let token = tokens[subscription] {
            hand(method, params, to: token)
        } else if owns.values.contains(where: { $0.standing == .asked }), early.count < OwnStreams.earlyKept {
            early.append((subscription, method, params))
        }
    }

    private mutating func hand(_ method: String, _ params: JSONObject, to token: String) {
        switch method {
        case "events.event": owns[token]?.conflation.take(event: params)
        case "events.gap": owns[token]?.conflation.gap(to: params["toSequence"]?.integer)
        case "events.closed" where params["reason"] == "LOGIN_EXPIRED": owns[token]?.standing = .refused
        default: break
        }
    }

    /// What moved since the last time, each with whom it is for.
    mutating func drain() -> [(readers: Set<Int>, frame: Frame)] {
        var drained: [(Set<Int>, Frame)] = []
        for (token, own) in owns where !own.conflation.isEmpty {
            guard let data = owns[token]?.conflation.drain() else { continue }
            let frame = Frame("own", data, sequence: own.conflation.sequence)
            owns[token]?.backlog.add(frame)
            owns[token]?.sent = frame.sequence
            drained.append((own.readers, frame))
        }
        return drained
    }
}
