import Foundation
import Glibc
import Synchronization

/// A program that a test started: what it prints, what it is told, how it ends.
///
/// It inherits nothing of ours: no descriptor, no blocked signal. (Foundation's `Process` hands on the signal mask of the
/// calling thread, where SIGTERM may be blocked, and descriptors of other children that are started at the same time.)
package final class ChildProgram: Sendable {
    /// The system could not start it.
    package struct CannotStart: Error {
        package let errno: Int32
    }

    /// Its process id.
    package let pid: Int32

    private let input: FileHandle
    private let output: LineReader
    private let errors: LineReader
    private let ended: Task<Int32, Never>
    private let isRunning = Mutex(true)

    /// Starts it, with nothing of our environment that names a database or a socket.
    package init(_ executable: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let inherited = ProcessInfo.processInfo.environment.filter { entry in
            !["PG", "DB_", "DATABASE_", "PRICINGD_", "RUNTIME_", "XDG_"].contains { entry.key.hasPrefix($0) }
        }
        let variables = inherited.merging(["SWIFT_BACKTRACE": "enable=no"]) { _, last in last }
            .merging(environment) { _, last in last }
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        pid = try spawn(
            [executable] + arguments,
            variables.map { "\($0.key)=\($0.value)" },
            descriptors: [
                input.fileHandleForReading.fileDescriptor, output.fileHandleForWriting.fileDescriptor,
                errors.fileHandleForWriting.fileDescriptor,
            ]
        )
        self.input = input.fileHandleForWriting
        self.output = LineReader(output.fileHandleForReading)
        self.errors = LineReader(errors.fileHandleForReading)
        let (ends, end) = AsyncStream.makeStream(of: Int32.self)
        ended = Task {
            for await status in ends { return status }
            return -1
        }
        let pid = pid
        let thread = Thread { [weak self] in
            var status: Int32 = 0
            var facts = unsafe siginfo_t()
            // The process is reaped only once nobody can signal its id any more.
            unsafe waitid(P_PID, id_t(pid), &facts, WEXITED | WNOWAIT)
            if let self { self.isRunning.withLock { $0 = false } }
            unsafe waitpid(pid, &status, 0)
            let signal = status & 0x7F
            end.yield(signal == 0 ? (status >> 8) & 0xFF : 128 + signal)
            end.finish()
        }
        thread.start()
    }

    /// The next line that it prints; nil once it prints no more.
    package func line() async -> String? {
        await output.next()
    }

    /// What it said on stderr, once it has ended.
    package func errorText() async -> String {
        _ = await exit()
        var lines: [String] = []
        while let line = await errors.next() { lines.append(line) }
        return lines.joined(separator: "\n")
    }

    /// Writes a line to its input.
    package func write(_ line: String) throws {
        try input.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Ends its input.
    package func closeInput() throws {
        try input.close()
    }

    /// Sends it a signal, unless it has ended.
    package func signal(_ number: Int32) {
        isRunning.withLock { isRunning in
            if isRunning { kill(pid, number) }
        }
    }

    /// Waits for its end: the exit code, or 128 and the signal that ended it.
    package func exit() async -> Int32 {
        await ended.value
    }
}

/// Starts a program whose descriptors 0, 1 and 2 are the given ones; everything else is closed, no signal is blocked.
private func spawn(_ arguments: [String], _ environment: [String], descriptors: [Int32]) throws -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    for (number, descriptor) in descriptors.enumerated() {
        unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
    }
    // Closing what is not open is no error below this limit.
    for descriptor in 3..<min(Int32(clamping: sysconf(Int32(_SC_OPEN_MAX))), 4096) {
        unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
    }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
        unsafe (words + variables).forEach { unsafe free($0) }
    }
    var pid: Int32 = 0
    let result = unsafe posix_spawn(&pid, arguments[0], &actions, &attributes, &words, &variables)
    guard result == 0 else { throw ChildProgram.CannotStart(errno: result) }
    return pid
}

/// Cuts a descriptor's bytes into lines, on a thread of its own.
final class LineReader: Sendable {
    private let pieces: AsyncStream<[UInt8]>
    private let gathered = Mutex<[UInt8]>([])

    /// - Parameter gate: nothing is read before it is signalled.
    init(_ handle: FileHandle, gate: DispatchSemaphore? = nil) {
        let (pieces, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        self.pieces = pieces
        let thread = Thread {
            gate?.wait()
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = unsafe bytes.withUnsafeMutableBytes {
                    unsafe read(handle.fileDescriptor, $0.baseAddress, $0.count)
                }
                guard count > 0 else { break }
                continuation.yield(Array(bytes[..<count]))
            }
            continuation.finish()
        }
        thread.start()
    }

    /// The next line; nil at the end, where half a line counts as one.
    func next() async -> String? {
        while true {
            let line = gathered.withLock { bytes -> String? in
                guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
                defer { bytes.removeSubrange(...end) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            if let line { return line }
            var piece: [UInt8]?
            for await next in pieces {
                piece = next
                break
            }
            guard let piece else {
                return gathered.withLock { bytes in
                    defer { bytes = [] }
                    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
                }
            }
            gathered.withLock { $0 += piece }
        }
    }
}
