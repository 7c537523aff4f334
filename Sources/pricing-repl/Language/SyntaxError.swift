/// Why a line is not a command.
enum SyntaxError: Error, Equatable, CustomStringConvertible {
    /// A bracket or brace is still open: another line may close it.
    case incomplete
    /// The line cannot be read, with the reason for people, and where in it, in Unicode scalars.
    case malformed(String, at: Range<Int>? = nil)

    var description: String {
        switch self {
        case .incomplete: "a bracket is not closed"
        case .malformed(let reason, _): reason
        }
    }

    var place: Range<Int>? {
        switch self {
        case .incomplete: nil
        case .malformed(_, let place): place
        }
    }
}
