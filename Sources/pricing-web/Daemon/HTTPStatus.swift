import JSONRPC

/// Which status of HTTP says what an error of the daemon says: the one table.
enum HTTPStatus {
    private static let byReason: [String: Int] = [
        "PARSE_ERROR": 400, "INVALID_REQUEST": 400, "DUPLICATE_ID": 400, "INVALID_PARAMS": 400,
        "POSITIONAL_NOT_SUPPORTED": 400, "UNSUPPORTED_VERSION": 400,
        "BAD_CREDENTIALS": 401, "LOGIN_EXPIRED": 401,
        "PERMISSION_DENIED": 403,
        "INSUFFICIENT_STOCK": 409, "PRICE_CHANGED": 409, "ORDER_STATE": 409, "STALE": 409, "IDEMPOTENCY_CONFLICT": 409,
        "CAMPAIGN_OVERLAPS": 409, "NOT_A_SANDBOX": 409,
        "QUOTE_EXPIRED": 410, "PRODUCT_ARCHIVED": 410,
        "MESSAGE_TOO_LARGE": 413,
        "OUTSIDE_LIMITS": 422, "RULE_INVALID": 422,
        "AUTOMATION_HALTED": 423,
        "RESOURCE_EXHAUSTED": 429,
        "CANCELLED": 499,
        "UNAVAILABLE": 503, "NOT_READY": 503, "SHUTTING_DOWN": 503,
        "DEADLINE_EXCEEDED": 504,
    ]

    static func of(_ reason: String) -> Int {
        if let status = byReason[reason] { return status }
        if reason.hasSuffix("_NOT_FOUND") { return 404 }
        if reason.hasSuffix("_TAKEN") || reason.hasSuffix("_IN_USE") { return 409 }
        return 500
    }
}
