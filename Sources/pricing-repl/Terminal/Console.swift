import Glibc

/// Stdout for results, stderr for everything else, each written whole and at once.
struct Console: Sendable {
    /// Hears all that is shown; nil for nobody.
    var tap: Tap?
    /// The terminal that a recorded session had, in place of the real one.
    var recorded: Transcript.Setting?

    /// Whether stdout is a terminal.
    var isTerminal: Bool { recorded.map { $0.columns != nil } ?? (isatty(STDOUT_FILENO) == 1) }

    /// The columns of the terminal on stdout; nil when it is none.
    var width: Int? { recorded.map(\.columns) ?? size.map { Int($0.ws_col) } }

    /// Its rows.
    var height: Int? { size.map { Int($0.ws_row) } }

    private var size: winsize? {
        var size = winsize()
        guard recorded == nil, isTerminal, unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0
        else { return nil }
        return size
    }

    /// Whether stdout can go back over what it has shown.
    var isCapable: Bool {
        recorded == nil && isTerminal && !["dumb", nil].contains(Environment.text("TERM"))
    }

    /// False when the reader is gone (`| head`).
    @discardableResult
    func show(_ text: String) -> Bool {
        tap?.take(.output(text))
        return tap?.isSilent == true || Self.write(text, to: STDOUT_FILENO)
    }

    /// One line for people.
    func complain(_ text: String) { warn(text + "\n") }

    /// A text for people, as it is.
    func warn(_ text: String) {
        tap?.take(.output(text))
        if tap?.isSilent != true { _ = Self.write(text, to: STDERR_FILENO) }
    }

    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
