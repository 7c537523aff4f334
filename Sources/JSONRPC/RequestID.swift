package import JSON

/// The id of a request: a string, or an integer within ±2^53, so that every peer's numbers can hold it.
package enum RequestID: Sendable, Hashable {
    case integer(Int64)
    case string(String)

    /// The largest magnitude of an integer id.
    package static let largestInteger = JSONValue.largestExactInteger

    /// The id as a JSON value.
    package var json: JSONValue {
        switch self {
        case .integer(let value): .integer(value)
        case .string(let text): .string(text)
        }
    }

    /// Its length in bytes: of the text of a string, of the digits of an integer.
    package var byteCount: Int {
        switch self {
        case .integer(let value): String(value).utf8.count
        case .string(let text): text.utf8.count
        }
    }

    /// The id that a member `id` names.
    /// - Throws: INVALID_REQUEST for null, a fraction, an integer beyond ±2^53 or another type;
    ///   MESSAGE_TOO_LARGE for more than `limit` bytes.
    package init(_ value: JSONValue, limit: Int = TransportLimits.defaults.idBytes) throws(RPCError) {
        switch value {
        case .integer(let number):
            guard number >= -RequestID.largestInteger, number <= RequestID.largestInteger else {
                throw .invalidRequest("An integer id lies within ±2^53.")
            }
            self = .integer(number)
        case .string(let text):
            self = .string(text)
        case .null:
            throw .invalidRequest("An id is a string or an integer; leave it out for a notification.")
        default:
            throw .invalidRequest("An id is a string or an integer.")
        }
        if byteCount > limit {
            throw .messageTooLarge(.idBytes, value: limit, actual: byteCount)
        }
    }
}

extension RequestID: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    package init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    package init(stringLiteral value: String) {
        self = .string(value)
    }
}
