/// A five-character SQLSTATE code, such as `23505`.
///
/// A code that ends in `000` stands for its whole class on the left side of `~=`, so
/// `case .classDataException:` matches every `22xxx` and `case .lockNotAvailable:` only `55P03`.
package struct SQLState: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The five characters as the server sent them.
    package let code: String

    /// Wraps a code as the server sent it; nothing is checked.
    package init(_ code: String) {
        self.code = code
    }

    /// Wraps a code written in the source.
    package init(stringLiteral value: String) {
        self.code = value
    }

    /// The five characters.
    package var description: String { code }

    /// Matches one code, or, when the pattern ends in `000`, every code of its class.
    package static func ~= (pattern: SQLState, state: SQLState) -> Bool {
        if pattern.code.utf8.count == 5, pattern.code.hasSuffix("000") {
            return pattern.code.utf8.prefix(2).elementsEqual(state.code.utf8.prefix(2))
        }
        return pattern == state
    }

    /// Matches as above; an absent state matches nothing.
    package static func ~= (pattern: SQLState, state: SQLState?) -> Bool {
        guard let state else { return false }
        return pattern ~= state
    }
}

extension SQLState {
    /// `08xxx`: the connection failed or broke.
    package static let classConnectionException: SQLState = "08000"
    /// `22xxx`: a value does not fit its type or function.
    package static let classDataException: SQLState = "22000"

    /// `0A000` as one code: not supported, or a cached plan whose row type changed.
    package static let featureNotSupported: SQLState = "0A000"
    /// `25006`: a write on a standby or in a read-only transaction.
    package static let readOnlyTransaction: SQLState = "25006"
    /// `26000` as one code: the server does not know this prepared statement.
    package static let invalidStatementName: SQLState = "26000"
    /// `42883`: no such function.
    package static let undefinedFunction: SQLState = "42883"
    /// `55P03`: `lock_timeout` ended a wait.
    package static let lockNotAvailable: SQLState = "55P03"
    /// `57014`: cancelled by a request or by `statement_timeout`.
    package static let queryCanceled: SQLState = "57014"
    /// `57P01`: the backend was told to end.
    package static let adminShutdown: SQLState = "57P01"
    /// `57P02`: another backend crashed.
    package static let crashShutdown: SQLState = "57P02"
    /// `57P03`: the server is starting or stopping.
    package static let cannotConnectNow: SQLState = "57P03"
}
