import JSONRPC
import PricingProtocol

/// One validated call on its way through the daemon.
struct CallContext: Sendable {
    let call: RPCCall
    let method: Method
    let meta: CallMeta
    /// The method's own parameters, `_meta` taken off.
    let params: JSONObject
    let role: Role

    /// When the caller stops waiting; nil when it did not say.
    var deadline: ContinuousClock.Instant? {
        meta.timeoutMs.map { call.received + .milliseconds($0) }
    }

    /// Milliseconds since the call arrived.
    var elapsedMs: Int64 { (ContinuousClock.now - call.received).milliseconds }

    /// - Throws: when the caller has cancelled, or no longer waits.
    func checkStillWanted() throws(PricingFailure) {
        if call.cancellation.isCancelled { throw .cancelled }
        if let deadline, ContinuousClock.now >= deadline { throw .deadline(elapsedMs: elapsedMs) }
    }

    /// Tells a caller that asked for it how far long work has come.
    func report(done: Int64, total: Int64, _ message: String) {
        guard let token = meta.progressToken else { return }
        _ = call.connection.send(
            notification: "$/progress",
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
