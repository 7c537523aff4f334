import Glibc

/// Writes a session into a file, a command at a time, so that what was done is there whatever happens next. What history
/// does not keep is not recorded either.
@MainActor
final class Recorder {
    private let descriptor: Int32
    private let tap: Tap

    /// Nil when the file cannot be made; `errno` tells why.
    init?(path: String, tap: Tap, setting: Transcript.Setting) {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        self.tap = tap
        guard descriptor >= 0, Console.write(Transcript(setting: setting).head, to: descriptor) else { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func begin() { tap.begin() }

    /// - Parameter isKept: whether the command may stand in a file.
    func end(_ command: String, isKept: Bool) {
        let pieces = tap.end()
        guard isKept else { return }
        _ = Console.write(Transcript.text(command: command) + Transcript.text(of: pieces), to: descriptor)
    }
}
