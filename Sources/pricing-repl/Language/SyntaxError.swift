/// Why a line is not a command.
enum SyntaxError: Error, Equatable, CustomStringConvertible {
    /// A bracket or brace is still open: another line may close it.
    case incomplete
    /// The line cannot be read, with the reason for people, and where in it, in Unicode scalars.
    case malformed(String, at: Range<Int>? = nil)
    /// At the end of the line a word is missing: what it is, and what it may look like.
    case missing(String, example: String)

    var description: String {
        switch self {
        case .incomplete: "a bracket is not closed"
        case .malformed(let reason, _): reason
        case .missing(let what, let example): "\(what) is missing, such as \(example)"
        }
    }

    var place: Range<Int>? {
        switch self {
        case .incomplete: nil
        case .malformed(_, let place): place
        // Behind the last word, wherever that is.
        case .missing: .max..<(.max)
        }
    }
}
