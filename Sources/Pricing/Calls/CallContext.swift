import JSON
import JSONRPC
import PricingProtocol
import RPCTransport

/// A call whose parameters were checked, with what the daemon needs to carry it out.
final class CallContext: Sendable {
    let call: RPCCall
    let method: Method
    let meta: CallMeta
    /// The method's parameters, without `_meta`.
    let params: JSONObject
    let caller: Caller
    /// When its time ends; nil for a long method without `timeoutMs`.
    let deadline: ContinuousClock.Instant?
    /// The limit that the deadline comes from: the call's `timeoutMs` or the daemon's `requestMs`; nil without a deadline.
    let timeLimit: CallLimit?
    /// How long it waited for the database, and how long the database took.
    let timer: CallTimer

    init(
        call: RPCCall,
        method: Method,
        meta: CallMeta,
        params: JSONObject,
        caller: Caller,
        timer: CallTimer = CallTimer()
    ) {
        self.call = call
        self.method = method
        self.meta = meta
        self.params = params
        self.caller = caller
        self.timer = timer
        timeLimit = meta.timeoutMs.map { Expiry.timeoutMs($0) } ?? (method.isLong ? nil : .requestMs)
        deadline = timeLimit.map { call.received + .milliseconds($0.value) }
    }

    /// Whether it must not share a transaction with other calls, since what it changes is looked at. Reading calls ignore
    /// both members.
    var isAlone: Bool { method.effect == .write && (meta.isDryRun || meta.expect != nil) }

    /// Whether it may be read from a standby: a customer is shown nothing old.
    var mayBeOld: Bool {
        guard caller.audience.isStaff else { return false }
        return switch method.standby {
        case .never: false
        case .ifAsked: meta.isFresh == false
        case .unlessFresh: meta.isFresh != true
        }
    }

    /// Whether names stand in its parameters where the method's function takes ids.
    var hasNames: Bool { method.hasNames(params) }

    /// Whether its time is over.
    var isLate: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }

    /// Milliseconds since the call's line was read.
    var elapsedMs: Int64 { (ContinuousClock.now - call.read).milliseconds }

    /// The failure that says that its time ended before it was begun; `whileRunning` turns it into one of a begun call.
    var expired: PricingFailure {
        .deadline(
            Expiry(
                limit: timeLimit ?? .statementMs,
                elapsedMs: elapsedMs,
                followsStandstill: call.received < call.read
            )
        )
    }

    /// The same call for what it keeps even where it is a dry run.
    var kept: CallContext {
        var kept = meta
        kept.isDryRun = false
        return CallContext(call: call, method: method, meta: kept, params: params, caller: caller, timer: timer)
    }

    /// The same call with other parameters.
    func with(_ params: JSONObject) -> CallContext {
        CallContext(call: call, method: method, meta: meta, params: params, caller: caller, timer: timer)
    }

    /// - Throws: when the caller has cancelled, or no longer waits.
    func checkStillWanted() throws(PricingFailure) {
        if isLate { throw expired }
        if call.cancellation.isCancelled { throw .cancelled }
    }

    /// Sends the progress of long work to a caller that asked for it.
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
