import JSON
import JSONRPC
import PricingProtocol
import RPCTransport

/// One validated call on its way through the daemon.
final class CallContext: Sendable {
    let call: RPCCall
    let method: Method
    let meta: CallMeta
    /// The method's own parameters, `_meta` taken off.
    let params: JSONObject
    let role: Role
    /// When its time is over; nil for a long method whose caller did not say.
    let deadline: ContinuousClock.Instant?
    /// Whose time that is: its own, or the daemon's for every call; nil as well.
    let timeLimit: CallLimit?
    /// How long it waited for the database, and how long the database took.
    let timer: CallTimer

    init(
        call: RPCCall,
        method: Method,
        meta: CallMeta,
        params: JSONObject,
        role: Role,
        timer: CallTimer = CallTimer()
    ) {
        self.call = call
        self.method = method
        self.meta = meta
        self.params = params
        self.role = role
        self.timer = timer
        timeLimit = meta.timeoutMs.map { Expiry.timeoutMs($0) } ?? (method.isLong ? nil : .requestMs)
        deadline = timeLimit.map { call.received + .milliseconds($0.value) }
    }

    /// Whether it is to be carried out and rolled back; a key or a dry run asked of a reading call says nothing.
    var isDryRun: Bool { meta.isDryRun && method.effect == .write }

    /// Whether its time is over.
    var isLate: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }

    /// Milliseconds since the call's line was read.
    var elapsedMs: Int64 { (ContinuousClock.now - call.read).milliseconds }

    /// That its time is over, before it was begun unless somebody knows better.
    var expired: PricingFailure {
        .deadline(
            Expiry(
                limit: timeLimit ?? .statementMs,
                elapsedMs: elapsedMs,
                followsStandstill: call.received < call.read
            )
        )
    }

    /// The same call with other parameters of its own.
    func with(_ params: JSONObject) -> CallContext {
        CallContext(call: call, method: method, meta: meta, params: params, role: role, timer: timer)
    }

    /// - Throws: when the caller has cancelled, or no longer waits.
    func checkStillWanted() throws(PricingFailure) {
        if isLate { throw expired }
        if call.cancellation.isCancelled { throw .cancelled }
    }

    /// Tells a caller that asked for it how far long work has come.
    func report(done: Int64, total: Int64, _ message: String) {
        guard let token = meta.progressToken else { return }
        _ = call.connection.send(
            notification: Message.progress,
            params: JSONText([
                "token": token, "done": .integer(done), "total": .integer(total), "message": .string(message),
            ])
        )
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
