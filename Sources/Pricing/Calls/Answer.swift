import JSON
import PricingProtocol
import RPCTransport

/// The outcome of a call.
typealias Outcome = Result<Answer, PricingFailure>

/// What a call changed, as a dry run tells it, and the digest by which a real call may expect the same.
struct Changes: Sendable {
    let text: JSONText
    let digest: String
}

/// The result of a call that succeeded.
struct Answer: Sendable {
    private(set) var text: JSONText
    var isReplayed = false
    /// The changes that a dry run would have made.
    var wouldChange: Changes?
    /// Runs once the reply was added to the connection's output.
    var afterReply: (@Sendable () -> Void)?
    /// Whether the reply gets `_meta` with the call's timing.
    private let hasMeta: Bool
    /// Whether it is the same for everybody.
    private var isForAll = false

    /// An answer from the database.
    init(text: JSONText, isReplayed: Bool = false, wouldChange: Changes? = nil) {
        self.text = text
        self.isReplayed = isReplayed
        self.wouldChange = wouldChange
        hasMeta = true
    }

    /// An answer from the daemon itself, about its own state or a connection.
    init(ofDaemon text: JSONText, afterReply: (@Sendable () -> Void)? = nil) {
        self.text = text
        self.afterReply = afterReply
        hasMeta = false
    }

    /// An answer from the daemon itself, about its own state or a connection.
    init(ofDaemon object: JSONObject, afterReply: (@Sendable () -> Void)? = nil) {
        self.init(ofDaemon: JSONText(object), afterReply: afterReply)
    }

    /// What of an answer from the daemon everybody is given.
    static func forAll(_ text: JSONText) -> Answer {
        var answer = Answer(ofDaemon: text)
        answer.isForAll = true
        return answer
    }

    /// What the call's audience is given of it. No other place takes anything out.
    func shown(to context: CallContext) -> Answer {
        guard !context.caller.audience.isStaff, !isForAll else { return self }
        var shown = self
        shown.text = Self.shown(context.method.result, of: text)
        shown.wouldChange = wouldChange.map {
            Changes(text: Self.shown(CallMeta.changes, of: $0.text), digest: $0.digest)
        }
        return shown
    }

    private static func shown(_ shape: ObjectShape, of text: JSONText) -> JSONText {
        let whole = (try? JSONParser.parse(text.bytes))?.object
        return JSONText(whole.flatMap { shape.shown(of: $0) } ?? [:])
    }

    /// The reply: the text, and in it `_meta`, which says whether it was replayed, what a dry run would change, how old a
    /// standby's data was, and how long it took. No other place adds it.
    func reply(to context: CallContext) -> RPCReply {
        let text = text.bytes
        guard hasMeta, text.last == UInt8(ascii: "}") else { return RPCReply(self.text, afterReply: afterReply) }
        var writer = JSONWriter(capacity: text.count + (wouldChange?.text.bytes.count ?? 0) + 160)
        writer.raw(text.dropLast())
        if text.count > 2 { writer.raw(",") }
        writer.raw("\"_meta\":{\"replayed\":")
        writer.write(.bool(isReplayed))
        if let wouldChange {
            writer.raw(",\"dryRun\":true,\"wouldChange\":")
            writer.write(wouldChange.text)
            writer.raw(",\"digest\":")
            writer.write(.string(wouldChange.digest))
        }
        if let age = context.timer.ageMs {
            writer.raw(",\"standby\":{\"ageMs\":")
            writer.write(age)
            writer.raw("}")
        }
        let timing = context.timer.timing(since: context.call.received)
        writer.raw(",\"timing\":{\"queue\":")
        writer.write(thousandths: timing.queue)
        writer.raw(",\"database\":")
        writer.write(thousandths: timing.database)
        writer.raw(",\"total\":")
        writer.write(thousandths: timing.total)
        writer.raw("}}}")
        return RPCReply(JSONText(verbatim: writer.bytes), afterReply: afterReply)
    }
}
