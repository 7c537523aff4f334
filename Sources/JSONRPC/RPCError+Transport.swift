package import JSON

// The errors that the transport raises by itself. All other codes belong to the methods.

extension RPCError {
    /// −32700: the line is no JSON; `byteOffset` counts from the start of the line.
    package static func parseError(_ error: JSONSyntaxError) -> RPCError {
        let what =
            switch error.kind {
            case .invalidUTF8: "is not valid UTF-8"
            case .loneSurrogate: "holds half of a surrogate pair"
            default: "is not valid JSON"
            }
        return RPCError(
            code: -32700,
            reason: "PARSE_ERROR",
            message: "The line \(what) at byte \(error.byteOffset).",
            data: ["byteOffset": .integer(Int64(error.byteOffset))]
        )
    }

    /// −32600: the JSON is no JSON-RPC 2.0 request.
    package static func invalidRequest(_ message: String, data: JSONObject = [:]) -> RPCError {
        RPCError(code: -32600, reason: "INVALID_REQUEST", message: message, data: data)
    }

    /// −32600: an id that is still in flight; the reply carries id null, so that no id gets two replies.
    package static func duplicateID(_ id: RequestID) -> RPCError {
        RPCError(
            code: -32600,
            reason: "DUPLICATE_ID",
            message: "A request with this id is still being answered.",
            data: ["duplicateOf": id.json]
        )
    }

    /// −32601: no such method.
    package static func methodNotFound(_ method: String, didYouMean: [String] = []) -> RPCError {
        RPCError(
            code: -32601,
            reason: "METHOD_NOT_FOUND",
            message: "There is no such method.",
            data: ["method": .string(method), "didYouMean": .array(didYouMean.map { .string($0) })]
        )
    }

    /// −32602: an array of parameters; they go by name only.
    package static var positionalNotSupported: RPCError {
        RPCError(
            code: -32602,
            reason: "POSITIONAL_NOT_SUPPORTED",
            message: "Parameters go by name: params is an object."
        )
    }

    /// −32602: parameters that do not fit. `violations` follow the protocol's shape {path, rule, message, …}.
    package static func invalidParams(_ message: String, violations: [JSONValue] = []) -> RPCError {
        RPCError(
            code: -32602,
            reason: "INVALID_PARAMS",
            message: message,
            data: ["violations": .array(violations)]
        )
    }

    /// −32603: a fault of ours. The incident id stands in the log beside what happened; no internals leave.
    package static func internalError(incidentID: String, retryable: Bool = false) -> RPCError {
        RPCError(
            code: -32603,
            reason: "INTERNAL",
            message: "Something went wrong inside the daemon.",
            retryable: retryable,
            data: ["incidentId": .string(incidentID)]
        )
    }

    /// −32001: the call was cancelled before it had an effect.
    package static var cancelled: RPCError {
        RPCError(code: -32001, reason: "CANCELLED", message: "The call was cancelled.")
    }

    /// −32003: over a limit of size. `limit` is its name, `value` its value; a size not known is left out.
    package static func messageTooLarge(limit: String, value: Int, actual: Int?) -> RPCError {
        var data: JSONObject = ["limit": .string(limit), "value": .integer(Int64(value))]
        if let actual { data["actual"] = .integer(Int64(actual)) }
        return RPCError(
            code: -32003,
            reason: "MESSAGE_TOO_LARGE",
            message: "The message is over the limit \(limit) of \(value).",
            data: data
        )
    }

    /// −32005: all of a resource is in use. `which` names the limit, `value` is its value.
    package static func resourceExhausted(which: String, value: Int, retryAfterMs: Int) -> RPCError {
        RPCError(
            code: -32005,
            reason: "RESOURCE_EXHAUSTED",
            message: "The limit \(which) of \(value) is reached.",
            retryable: true,
            retryAfterMs: retryAfterMs,
            data: ["which": .string(which), "value": .integer(Int64(value))]
        )
    }

    /// −32006: the daemon is going down and takes no new calls.
    package static var shuttingDown: RPCError {
        RPCError(
            code: -32006,
            reason: "SHUTTING_DOWN",
            message: "The daemon is shutting down.",
            retryable: true,
            retryAfterMs: 1000
        )
    }

    /// −32007: the peer's role does not reach.
    package static func permissionDenied(needRole: String, haveRole: String?) -> RPCError {
        RPCError(
            code: -32007,
            reason: "PERMISSION_DENIED",
            message: "This needs the role \(needRole).",
            data: ["needRole": .string(needRole), "haveRole": haveRole.map { .string($0) } ?? .null]
        )
    }
}
