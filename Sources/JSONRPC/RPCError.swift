package import JSON

/// The error of a JSON-RPC reply: a code and a reason for programs, a sentence for people, and facts as data.
package struct RPCError: Error, Sendable, Equatable {
    /// The code of the registry, such as −32601.
    package var code: Int
    /// The name of the reason, such as `METHOD_NOT_FOUND`.
    package var reason: String
    /// One English sentence for people, never to be parsed.
    package var message: String
    /// Whether the same call may succeed later without being changed.
    package var retryable: Bool
    /// How long to wait before that, in milliseconds.
    package var retryAfterMs: Int?
    /// Further members of `data`.
    package var data: JSONObject

    package init(
        code: Int,
        reason: String,
        message: String,
        retryable: Bool = false,
        retryAfterMs: Int? = nil,
        data: JSONObject = [:]
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryable = retryable
        self.retryAfterMs = retryAfterMs
        self.data = data
    }

    /// The member `error` of a reply.
    package var json: JSONObject {
        var members: JSONObject = ["reason": .string(reason), "retryable": .bool(retryable)]
        if let retryAfterMs { members["retryAfterMs"] = .integer(Int64(retryAfterMs)) }
        for (key, value) in data where members[key] == nil {
            members[key] = value
        }
        return ["code": .integer(Int64(code)), "message": .string(message), "data": .object(members)]
    }

    /// Reads the member `error` of a reply. A missing part gets a neutral value; nil without a code.
    package init?(json: JSONObject) {
        guard let code = json["code"]?.integer, let code = Int(exactly: code) else { return nil }
        var rest = json["data"]?.object ?? [:]
        self.code = code
        message = json["message"]?.string ?? ""
        reason = rest["reason"]?.string ?? "UNKNOWN"
        retryable = rest["retryable"]?.bool ?? false
        retryAfterMs = rest["retryAfterMs"]?.integer.flatMap { Int(exactly: $0) }
        for known in ["reason", "retryable", "retryAfterMs"] {
            rest[known] = nil
        }
        data = rest
    }
}

extension RPCError: CustomStringConvertible {
    /// Code, reason and sentence.
    package var description: String { "\(code) \(reason): \(message)" }
}
