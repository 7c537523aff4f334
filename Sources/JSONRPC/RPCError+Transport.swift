package import JSON

// The errors that the transport raises by itself. All other codes belong to the methods.

extension RPCError {
    private init(
        _ code: TransportCode,
        _ message: String,
        retryable: Bool? = nil,
        retryAfterMs: Int? = nil,
        _ data: JSONObject = [:]
    ) {
        self.init(
            code: code.code,
            reason: code.reason,
            message: message,
            retryable: retryable ?? code.isRetryable,
            retryAfterMs: retryAfterMs,
            data: data
        )
    }

    /// The line is no JSON; `byteOffset` counts from the start of the line.
    package static func parseError(_ error: JSONSyntaxError) -> RPCError {
        let what =
            switch error.kind {
            case .invalidUTF8: "is not valid UTF-8"
            case .loneSurrogate: "holds half of a surrogate pair"
            default: "is not valid JSON"
            }
        return RPCError(
            .parseError,
            "The line \(what) at byte \(error.byteOffset).",
            ["byteOffset": .integer(Int64(error.byteOffset))]
        )
    }

    /// The JSON is no JSON-RPC 2.0 request.
    package static func invalidRequest(_ message: String, data: JSONObject = [:]) -> RPCError {
        RPCError(.invalidRequest, message, data)
    }

    /// An id that is still in flight; the reply carries id null, so that no id gets two replies.
    package static func duplicateID(_ id: RequestID) -> RPCError {
        RPCError(.duplicateID, "A request with this id is still being answered.", ["duplicateOf": id.json])
    }

    /// No such method.
    package static func methodNotFound(_ method: String, didYouMean: [String] = []) -> RPCError {
        RPCError(
            .methodNotFound,
            "There is no such method.",
            ["method": .string(method), "didYouMean": .array(didYouMean.map { .string($0) })]
        )
    }

    /// An array of parameters; they go by name only.
    package static var positionalNotSupported: RPCError {
        RPCError(.positionalNotSupported, "Parameters go by name: params is an object.")
    }

    /// Parameters that do not fit. `violations` follow the protocol's shape {path, rule, message, …}.
    package static func invalidParams(_ message: String, violations: [JSONValue] = []) -> RPCError {
        RPCError(.invalidParams, message, ["violations": .array(violations)])
    }

    /// A fault of ours. The log has the incident id beside the details; the peer gets the id alone.
    package static func internalError(incidentID: String, retryable: Bool = false) -> RPCError {
        RPCError(
            .internalError,
            "Something went wrong inside the daemon.",
            retryable: retryable,
            ["incidentId": .string(incidentID)]
        )
    }

    /// The call was cancelled before it had an effect.
    package static var cancelled: RPCError {
        RPCError(.cancelled, "The call was cancelled.")
    }

    /// Over a limit of size.
    /// - Parameters:
    ///   - value: the limit's own.
    ///   - actual: the size; nil when it is not known.
    package static func messageTooLarge(_ limit: TransportLimit, value: Int, actual: Int?) -> RPCError {
        var data: JSONObject = ["limit": .string(limit.rawValue), "value": .integer(Int64(value))]
        if let actual { data["actual"] = .integer(Int64(actual)) }
        return RPCError(.messageTooLarge, "The message is over the limit \(limit.rawValue) of \(value).", data)
    }

    /// A limit of the transport is reached.
    package static func resourceExhausted(
        _ limit: TransportLimit,
        _ limits: TransportLimits,
        retryAfterMs: Int
    ) -> RPCError {
        resourceExhausted(which: limit.rawValue, value: limits[limit], retryAfterMs: retryAfterMs)
    }

    /// All of a resource is in use. `which` names the limit, `value` is its value.
    package static func resourceExhausted(which: String, value: Int, retryAfterMs: Int) -> RPCError {
        RPCError(
            .resourceExhausted,
            "The limit \(which) of \(value) is reached.",
            retryAfterMs: retryAfterMs,
            ["which": .string(which), "value": .integer(Int64(value))]
        )
    }

    /// The daemon is going down and takes no new calls.
    package static var shuttingDown: RPCError {
        RPCError(.shuttingDown, "The daemon is shutting down.", retryAfterMs: RetryAfter.full)
    }

    /// The peer's role is too low.
    package static func permissionDenied(needRole: String, haveRole: String?) -> RPCError {
        RPCError(
            .permissionDenied,
            "This needs the role \(needRole).",
            ["needRole": .string(needRole), "haveRole": haveRole.map { .string($0) } ?? .null]
        )
    }
}
