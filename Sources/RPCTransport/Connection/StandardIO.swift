import Glibc

/// Descriptors 0 and 1 of the process, moved to other numbers so that an accidental print cannot corrupt the messages.
///
/// Afterwards 0 reads `/dev/null` and 1 is what 2 is.
package struct StandardIO: Sendable {
    /// Where requests come from.
    package let input: Int32
    /// Where replies go.
    package let output: Int32

    /// Moves 0 and 1. To be called once, before anything is printed.
    /// - Throws: the `errno` of the step that failed.
    package static func movedAside() throws(SystemError) -> StandardIO {
        let input = fcntl(0, F_DUPFD_CLOEXEC, 3)
        let output = fcntl(1, F_DUPFD_CLOEXEC, 3)
        let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0, output >= 0, nothing >= 0, dup2(nothing, 0) == 0, dup2(2, 1) == 1 else {
            throw SystemError(errno: errno)
        }
        _ = close(nothing)
        return StandardIO(input: input, output: output)
    }

    /// Serves on any two descriptors; the server closes them.
    package init(input: Int32, output: Int32) {
        self.input = input
        self.output = output
    }

    /// The operating system refused a step.
    package struct SystemError: Error, Sendable, Equatable {
        package let errno: Int32
    }
}
