/// How the program ends; scripts rely on these numbers.
enum ExitStatus: Int32 {
    case ok = 0
    /// At least one call was answered by an error.
    case callFailed = 1
    /// No daemon answers, or it went away.
    case noConnection = 2
    /// The command line, a command or a file could not be read.
    case usage = 3
    /// A call ran out of time or was cancelled.
    case cancelled = 4
    case interrupted = 130
}
