/// A piece of what was typed: what it is and where it stands.
struct Token: Equatable {
    enum Kind: Equatable {
        /// The first word: a method, a deed, `help`, or the name of a command with its backslash.
        case command
        /// Everything after the name of a command with a backslash, without the spaces around it.
        case rest
        /// A whole JSON-RPC message, as it is.
        case message
        /// `#` and what follows it on its line.
        case comment
        /// A word without quotes, or what stands after `=`; it may be empty there.
        case word
        /// A text between quotes.
        case quoted
        /// A text whose quote is not closed.
        case unclosed
        /// What stands before `=`, or before `:` in an object.
        case key
        case equals
        case open
        case close
        case comma
        case colon
        /// A `?` of its own at the end.
        case mark
    }

    var kind: Kind
    /// In Unicode scalars from the beginning.
    var range: Range<Int>
    /// What it says: of a quoted text what stands between the quotes, its escapes not yet read.
    var text: String
    /// How many brackets are open around it.
    var depth = 0
    /// The quote of a quoted text.
    var quote: Unicode.Scalar?
}
