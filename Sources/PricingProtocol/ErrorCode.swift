package import JSON
package import JSONRPC

/// The registry of errors. The meaning of a code never changes. `server.explain`, the OpenRPC document and the Protocol
/// page's table are made from it.
package struct ErrorCode: Sendable, Hashable {
    /// The wire code.
    package let code: Int
    /// `data.reason`.
    package let reason: String
    /// `data.retryable`, unless a single error sets another value.
    package let isRetryable: Bool
    /// What it means, for people.
    package let meaning: String
    /// What to do about it.
    package let remedy: String

    private init(_ code: Int, _ reason: String, retryable: Bool = false, _ meaning: String, _ remedy: String) {
        self.code = code
        self.reason = reason
        isRetryable = retryable
        self.meaning = meaning
        self.remedy = remedy
    }

    /// An error that the transport raises by itself.
    private init(_ code: TransportCode, _ meaning: String, _ remedy: String) {
        self.init(code.code, code.reason, retryable: code.isRetryable, meaning, remedy)
    }

    /// An error of this kind.
    package func error(_ message: String? = nil, _ data: JSONObject = [:]) -> RPCError {
        RPCError(code: code, reason: reason, message: message ?? meaning, retryable: isRetryable, data: data)
    }
}

extension ErrorCode {
    package static let parseError = ErrorCode(
        .parseError,
        "The line is not valid JSON.",
        "Send one JSON text a line; byteOffset says where it broke."
    )
    package static let invalidRequest = ErrorCode(
        .invalidRequest,
        "The JSON is not a JSON-RPC 2.0 request.",
        "Send jsonrpc \"2.0\", a method, and an id that is a string or an integer."
    )
    package static let duplicateID = ErrorCode(
        .duplicateID,
        "A request with this id is still being answered.",
        "Give each request in flight its own id."
    )
    package static let methodNotFound = ErrorCode(
        .methodNotFound,
        "There is no such method.",
        "See rpc.discover, or the names in didYouMean."
    )
    package static let invalidParams = ErrorCode(
        .invalidParams,
        "The parameters do not fit the method.",
        "Mend each of the violations; path points at it."
    )
    package static let positionalNotSupported = ErrorCode(
        .positionalNotSupported,
        "Parameters go by name.",
        "Send params as an object."
    )
    package static let internalError = ErrorCode(
        .internalError,
        "Something went wrong inside the daemon.",
        "Look for the incidentId in the daemon's log."
    )
    package static let cancelled = ErrorCode(
        .cancelled,
        "The call was cancelled.",
        "Nothing to do: the call was cancelled on request."
    )
    package static let notReady = ErrorCode(
        -32002,
        "NOT_READY",
        retryable: true,
        "The daemon is still starting.",
        "Wait for retryAfterMs and call again."
    )
    package static let messageTooLarge = ErrorCode(
        .messageTooLarge,
        "The message is over a limit.",
        "Split it; session.hello lists the limits."
    )
    package static let deadlineExceeded = ErrorCode(
        -32004,
        "DEADLINE_EXCEEDED",
        "The call took longer than it may.",
        "limit says whose time it was. With outcome unknown call again with the same idempotency key."
    )
    package static let resourceExhausted = ErrorCode(
        .resourceExhausted,
        "All of a bounded resource is in use.",
        "Wait for retryAfterMs, then call again; send less at once."
    )
    package static let shuttingDown = ErrorCode(
        .shuttingDown,
        "The daemon is shutting down.",
        "Connect again once it is back."
    )
    package static let permissionDenied = ErrorCode(
        .permissionDenied,
        "The peer's role does not reach.",
        "Ask an operator, or connect as another user."
    )
    package static let unavailable = ErrorCode(
        -32008,
        "UNAVAILABLE",
        retryable: true,
        "The database cannot be reached.",
        "With outcome not_done call again; with unknown call again with the same idempotency key."
    )
    package static let idempotencyConflict = ErrorCode(
        -32009,
        "IDEMPOTENCY_CONFLICT",
        "The idempotency key was used for another request.",
        "Use a fresh key a request."
    )
    package static let unsupportedVersion = ErrorCode(
        -32010,
        "UNSUPPORTED_VERSION",
        "No protocol version suits both sides.",
        "Speak one of the versions in supported."
    )
    package static let subscriptionNotFound = ErrorCode(
        -32011,
        "SUBSCRIPTION_NOT_FOUND",
        "This connection has no such subscription.",
        "Use the id that events.subscribe gave."
    )

    package static let productNotFound = ErrorCode(
        101,
        "PRODUCT_NOT_FOUND",
        "There is no such product.",
        "product.list shows those there are."
    )
    package static let productArchived = ErrorCode(
        102,
        "PRODUCT_ARCHIVED",
        "The product is archived or not for sale.",
        "Choose another product."
    )
    package static let categoryNotFound = ErrorCode(
        103,
        "CATEGORY_NOT_FOUND",
        "There is no such category.",
        "category.list shows those there are."
    )
    package static let supplierNotFound = ErrorCode(
        104,
        "SUPPLIER_NOT_FOUND",
        "There is no such supplier.",
        "supplier.list shows those there are."
    )
    package static let supplierInUse = ErrorCode(
        105,
        "SUPPLIER_IN_USE",
        "Products still name the supplier.",
        "Move its products first."
    )
    package static let categoryInUse = ErrorCode(
        106,
        "CATEGORY_IN_USE",
        "Products still name the category.",
        "Move its products first."
    )
    package static let skuTaken = ErrorCode(
        107,
        "SKU_TAKEN",
        "Another product has this SKU, whatever its case; an archived one counts.",
        "Give another SKU, or change the product that data names."
    )
    package static let insufficientStock = ErrorCode(
        201,
        "INSUFFICIENT_STOCK",
        "Fewer units are available than asked for.",
        "Order at most the available number."
    )
    package static let orderNotFound = ErrorCode(
        202,
        "ORDER_NOT_FOUND",
        "There is no such order.",
        "order.list shows those there are."
    )
    package static let orderState = ErrorCode(
        203,
        "ORDER_STATE",
        "The order's status does not allow this.",
        "See from and to."
    )
    package static let priceChanged = ErrorCode(
        204,
        "PRICE_CHANGED",
        "The price is above the highest that the order accepts.",
        "Accept the new price, or leave it."
    )
    package static let quoteExpired = ErrorCode(205, "QUOTE_EXPIRED", "The quote has expired.", "Ask for a new one.")
    package static let quoteNotFound = ErrorCode(
        206,
        "QUOTE_NOT_FOUND",
        "There is no such quote.",
        "Ask for a new one."
    )
    package static let ruleNotFound = ErrorCode(
        301,
        "RULE_NOT_FOUND",
        "There is no such rule.",
        "rule.list shows those there are."
    )
    package static let ruleInvalid = ErrorCode(
        302,
        "RULE_INVALID",
        "The rule cannot be used.",
        "See its violations."
    )
    package static let outsideLimits = ErrorCode(
        303,
        "OUTSIDE_LIMITS",
        "The price lies outside floor and ceiling.",
        "Stay within them, or declare others first."
    )
    package static let automationHalted = ErrorCode(
        304,
        "AUTOMATION_HALTED",
        "Automation is halted.",
        "A person resumes it with a reason."
    )
    package static let proposalNotFound = ErrorCode(
        305,
        "PROPOSAL_NOT_FOUND",
        "There is no such proposal.",
        "List them anew."
    )
    package static let stale = ErrorCode(
        306,
        "STALE",
        "The thing changed since it was read.",
        "Read it again and decide anew."
    )
    package static let campaignNotFound = ErrorCode(
        307,
        "CAMPAIGN_NOT_FOUND",
        "There is no such campaign.",
        "List them anew."
    )
    package static let priceChangeNotFound = ErrorCode(
        308,
        "PRICE_CHANGE_NOT_FOUND",
        "There is no such price change.",
        "price.history shows those there are."
    )
    package static let campaignOverlaps = ErrorCode(
        309,
        "CAMPAIGN_OVERLAPS",
        "Another campaign has a fixed price for the product at that time.",
        "End that one first, or choose another time."
    )
    package static let userNotFound = ErrorCode(
        401,
        "USER_NOT_FOUND",
        "There is no such user.",
        "user.list shows those there are."
    )
    package static let emailTaken = ErrorCode(
        402,
        "EMAIL_TAKEN",
        "Another user has this e-mail address.",
        "Use another address."
    )
    package static let phoneTaken = ErrorCode(
        403,
        "PHONE_TAKEN",
        "Another user has this telephone number.",
        "Use another number."
    )
    package static let badCredentials = ErrorCode(
        404,
        "BAD_CREDENTIALS",
        "The e-mail address or the password is wrong.",
        "Try again."
    )
    package static let loginExpired = ErrorCode(
        405,
        "LOGIN_EXPIRED",
        "The login has ended, or there never was one with this token.",
        "Sign in again with login.open."
    )
    package static let reportNotFound = ErrorCode(
        501,
        "REPORT_NOT_FOUND",
        "There is no such report.",
        "report.list shows those there are."
    )
    package static let notASandbox = ErrorCode(
        502,
        "NOT_A_SANDBOX",
        "Only a database made with --sandbox has a clock that can be set.",
        "Start a daemon with --sandbox on a fresh data folder."
    )

    /// Errors that any call can meet; a method declares only those of its own beside them.
    package static let common: [ErrorCode] = [
        .parseError, .invalidRequest, .duplicateID, .methodNotFound, .invalidParams, .positionalNotSupported,
        .internalError, .cancelled, .notReady, .messageTooLarge, .deadlineExceeded, .resourceExhausted, .shuttingDown,
        .permissionDenied, .unavailable, .idempotencyConflict, .unsupportedVersion, .subscriptionNotFound,
    ]

    /// The whole registry, protocol first, then by hundreds.
    package static let all: [ErrorCode] =
        common + [
            .productNotFound, .productArchived, .categoryNotFound, .supplierNotFound, .supplierInUse,
            .categoryInUse, .skuTaken, .insufficientStock, .orderNotFound, .orderState, .priceChanged, .quoteExpired,
            .quoteNotFound,
            .ruleNotFound, .ruleInvalid, .outsideLimits, .automationHalted, .proposalNotFound, .stale,
            .campaignNotFound, .priceChangeNotFound, .campaignOverlaps,
            .userNotFound, .emailTaken, .phoneTaken, .badCredentials, .loginExpired, .reportNotFound, .notASandbox,
        ]

    /// The domain error of a code from 101 to 599; nil when the registry has none.
    package static func domain(_ code: Int) -> ErrorCode? {
        all.first { $0.code == code && code > 0 }
    }
}
