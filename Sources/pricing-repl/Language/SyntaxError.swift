/// Why a line is not a command.
enum SyntaxError: Error, Equatable, CustomStringConvertible {
    /// A bracket or brace is still open: another line may close it.
    case incomplete
    /// The line cannot be read, with the reason for people.
    case malformed(String)

    var description: String {
        switch self {
        case .incomplete: "a bracket is not closed"
        case .malformed(let reason): reason
        }
    }
}
