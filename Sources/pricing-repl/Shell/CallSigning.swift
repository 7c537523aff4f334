import Glibc
import JSON

/// What the shell adds to a write: who asks, and a key by which it can be asked again without being done twice.
enum CallSigning {
    /// `parameters` with actor and key, where the method takes them and the operator gave none.
    static func sign(_ parameters: JSONObject, of method: MethodCatalogue.Method?) -> JSONObject {
        guard let method, method.isWrite else { return parameters }
        var meta = parameters["_meta"]?.object ?? [:]
        // A login says itself who it is.
        if meta["actor"] == nil, meta["login"] == nil, let user = user { meta["actor"] = .string(user) }
        if meta["idempotencyKey"] == nil, meta["dryRun"] != true, !method.takesSecrets {
            meta["idempotencyKey"] = .string(freshKey())
        }
        var signed = parameters
        if !meta.isEmpty { signed["_meta"] = .object(meta) }
        return signed
    }

    /// `parameters` of a call that may take long, which asks to be told how far it is.
    static func following(_ parameters: JSONObject, of method: MethodCatalogue.Method?) -> JSONObject {
        guard method?.isLong == true, parameters["_meta"]?["progressToken"] == nil else { return parameters }
        var meta = parameters["_meta"]?.object ?? [:]
        meta["progressToken"] = "repl"
        var asking = parameters
        asking["_meta"] = .object(meta)
        return asking
    }

    static func key(of parameters: JSONObject) -> String? { parameters["_meta"]?["idempotencyKey"]?.string }

    /// Whether the same call twice is the same as once: what reads, what has a key, and subscriptions, which end with their
    /// connection.
    static func maySendAgain(_ parameters: JSONObject, _ method: MethodCatalogue.Method?) -> Bool {
        guard let method else { return false }
        return method.effect == "read" || method.name == "events.subscribe" || key(of: parameters) != nil
            || parameters["_meta"]?["dryRun"] == true
    }

    private static func freshKey() -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return "repl-" + String((0..<16).compactMap { _ in letters.randomElement() })
    }

    /// Who runs the shell.
    private static var user: String? {
        if let name = Environment.text("USER") { return name }
        return unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_name) }
    }
}

/// What is said of calls and events that met a lost connection.
enum LostCall {
    static let left = "left before the daemon was back; whether the call had an effect is not known"

    static func outcome(of result: JSONObject, key: String?, after away: Duration) -> String {
        let back = "  back after \(Link.tenths(away))"
        guard let key else { return back }
        let wasDone = result["_meta"]?["replayed"] == true
        return back + (wasDone ? ": it had been done, once" : ": it had not been done; it is now, once")
            + " (key \(key))"
    }

    /// The events since the last one that was seen.
    static func missedQuery(of subscription: Link.Subscription) -> JSONObject {
        var parameters: JSONObject = ["from": .integer(subscription.sequence), "limit": .integer(missedMax)]
        for name in ["topics", "productIds", "skus", "orderId"] { parameters[name] = subscription.parameters[name] }
        return parameters
    }

    static func missedText(_ page: JSONObject, after sequence: Int64) -> String {
        let missed = page["items"]?.array?.count ?? 0
        let isMore = page["nextCursor"].map { !$0.isNull } ?? false
        guard missed > 0 else { return "events: none missed while away, they go on after \(sequence)" }
        return "events: \(isMore ? "over " : "")\(missed) missed while away, shown from \(sequence + 1)"
    }

    private static let missedMax: Int64 = 500
}
