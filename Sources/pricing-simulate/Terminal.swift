import Glibc

/// A place for lines: standard output or standard error. Each line is written at once, so that a pipe sees it live.
struct Terminal: Sendable {
    static let output = Terminal(descriptor: 1)
    static let error = Terminal(descriptor: 2)

    let descriptor: Int32

    /// Whether a person watches.
    var isInteractive: Bool { isatty(descriptor) == 1 }

    /// Writes one line.
    func line(_ text: String) {
        write(text + "\n")
    }

    /// Writes text as it is. A reader that has gone is not our trouble.
    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
