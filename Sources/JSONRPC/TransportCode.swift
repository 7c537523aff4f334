/// A code that the transport raises by itself, with its reason. The meaning of a code never changes.
package struct TransportCode: Sendable, Hashable {
    /// The wire code.
    package let code: Int
    /// `data.reason`.
    package let reason: String
    /// `data.retryable`, unless a single error sets another value.
    package let isRetryable: Bool

    private init(_ code: Int, _ reason: String, retryable: Bool = false) {
        self.code = code
        self.reason = reason
        isRetryable = retryable
    }

    package static let parseError = TransportCode(-32700, "PARSE_ERROR")
    package static let invalidRequest = TransportCode(-32600, "INVALID_REQUEST")
    package static let duplicateID = TransportCode(-32600, "DUPLICATE_ID")
    package static let methodNotFound = TransportCode(-32601, "METHOD_NOT_FOUND")
    package static let invalidParams = TransportCode(-32602, "INVALID_PARAMS")
    package static let positionalNotSupported = TransportCode(-32602, "POSITIONAL_NOT_SUPPORTED")
    package static let internalError = TransportCode(-32603, "INTERNAL")
    package static let cancelled = TransportCode(-32001, "CANCELLED")
    package static let messageTooLarge = TransportCode(-32003, "MESSAGE_TOO_LARGE")
    package static let resourceExhausted = TransportCode(-32005, "RESOURCE_EXHAUSTED", retryable: true)
    package static let shuttingDown = TransportCode(-32006, "SHUTTING_DOWN", retryable: true)
    package static let permissionDenied = TransportCode(-32007, "PERMISSION_DENIED")
}

/// How long a peer should wait before it calls again, in milliseconds.
package enum RetryAfter {
    /// For a resource that frees up all the time.
    package static let busy = 100
    /// Something has to end first: a connection, a long call, the daemon itself.
    package static let full = 1000
}
