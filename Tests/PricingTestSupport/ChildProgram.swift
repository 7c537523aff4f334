import Foundation
import Glibc
import Synchronization

/// A program that a test started: what it prints, what it is told, how it ends.
package final class ChildProgram: Sendable {
    private let process: Process
    private let input: FileHandle
    private let output: LineReader
    private let errors: LineReader
    private let ended: Task<Int32, Never>

    /// Starts it, with nothing of our environment that names a database or a socket.
    package init(_ executable: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        let inherited = ProcessInfo.processInfo.environment.filter { entry in
            !["PG", "DB_", "DATABASE_", "PRICINGD_", "RUNTIME_", "XDG_"].contains { entry.key.hasPrefix($0) }
        }
        process.environment = inherited.merging(["SWIFT_BACKTRACE": "enable=no"]) { _, last in last }
            .merging(environment) { _, last in last }
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        let (ends, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            let status = process.terminationStatus
            end.yield(process.terminationReason == .uncaughtSignal ? 128 + status : status)
            end.finish()
        }
        try process.run()
        self.process = process
        self.input = input.fileHandleForWriting
        self.output = LineReader(output.fileHandleForReading)
        self.errors = LineReader(errors.fileHandleForReading)
        ended = Task {
            for await status in ends { return status }
            return -1
        }
    }

    /// Its process id.
    package var pid: Int32 { process.processIdentifier }

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
        if process.isRunning { kill(pid, number) }
    }

    /// Waits for its end: the exit code, or 128 and the signal that ended it.
    package func exit() async -> Int32 {
        await ended.value
    }
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
