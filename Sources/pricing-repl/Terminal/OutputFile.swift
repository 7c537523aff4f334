import Glibc

/// A file that appears when it is complete: until then what is written stands beside it, and a failure leaves what was there.
struct OutputFile: ~Copyable {
    let path: String
    private let descriptor: Int32
    /// Nil for a pipe or a device, which is written as it is.
    private let draft: String?
    private var isEnded = false

    /// Nil when it cannot be opened; `errno` tells why.
    init?(path: String) {
        self.path = path
        var found = stat()
        let isRegular = unsafe stat(path, &found) != 0 || found.st_mode & S_IFMT == S_IFREG
        draft = isRegular ? "\(path).\(getpid()).part" : nil
        descriptor = unsafe open(draft ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        if !isEnded {
            close(descriptor)
            if let draft { _ = unsafe unlink(draft) }
        }
    }

    /// False when it cannot be written.
    func write(_ text: String) -> Bool { Console.write(text, to: descriptor) }

    /// Puts it in its place. False when that fails.
    mutating func end() -> Bool {
        isEnded = true
        let isWritten = close(descriptor) == 0
        guard let draft else { return isWritten }
        if isWritten, unsafe rename(draft, path) == 0 { return true }
        _ = unsafe unlink(draft)
        return false
    }
}
