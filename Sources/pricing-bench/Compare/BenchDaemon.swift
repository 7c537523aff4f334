import Glibc
import JSON
import PricingProtocol
import Subprocess
import SystemPackage

/// A `pricingd` of our own: the one beside this program, on a sandbox cluster in a temporary folder.
struct BenchDaemon: Sendable {
    /// One that serves.
    struct Running: Sendable {
        /// The program's path.
        let program: String
        let socket: String
        let pid: Int32
        /// From its start to its ready line.
        let secondsToReady: Double

        /// Its resident memory now, of the daemon alone without PostgreSQL.
        func residentKiB() throws(BenchFailure) -> Int64 { try status("VmRSS:") }

        /// The highest that its resident memory has been since its start or since `forgetPeak`.
        func peakKiB() throws(BenchFailure) -> Int64 { try status("VmHWM:") }

        /// Lets the peak begin again from what is resident now.
        func forgetPeak() throws(BenchFailure) {
            let file = "/proc/\(pid)/clear_refs"
            guard let open = unsafe fopen(file, "we") else { throw .file(file, errno: errno) }
            let written = unsafe fputs("5", open)
            guard unsafe fclose(open) == 0, written >= 0 else { throw .file(file, errno: errno) }
        }

        private func status(_ field: String) throws(BenchFailure) -> Int64 {
            let file = "/proc/\(pid)/status"
            let line = try WorkFolder.read(file).split(separator: "\n").first { $0.hasPrefix(field) }
            let words = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }) ?? []
            guard words.count > 1, let kibibytes = Int64(words[1]) else { throw .file(file, errno: EINVAL) }
            return kibibytes
        }
    }

    private let program: String
    private let folder: WorkFolder

    init(_ folder: WorkFolder) throws(BenchFailure) {
        self.folder = folder
        let link = "/proc/self/exe"
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(link, &path, path.count)
        guard count > 0 else { throw .file(link, errno: errno) }
        let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        program = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/pricingd"
        guard unsafe access(program, X_OK) == 0 else { throw .file(program, errno: errno) }
    }

    /// Starts it, on what an earlier run left, and lends it to `body`; afterwards it drains and ends.
    /// - Throws: `.programFailed` when it does not become ready or ends badly; what `body` throws.
    func run<Value: Sendable>(_ body: (Running) async throws -> Value) async throws -> Value {
        let socket = "\(folder.path)/s.sock"
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(40))]
        let start = Moment.now()
        let outcome = try await Subprocess.run(
            .path(FilePath(program)),
            arguments: [
                "--socket", socket, "--data-dir", "\(folder.path)/data", "--sandbox", "--log-level", "warning",
            ],
            environment: childEnvironment,
            platformOptions: options,
            input: .none,
            output: .sequence,
            error: .currentStandardError
        ) { execution in
            defer { try? execution.send(signal: .terminate) }
            for try await line in execution.standardOutput.strings() {
                guard case .object(let ready)? = try? JSONParser.parse(Array(line.utf8)), ready["ready"] == true else {
                    throw BenchFailure.programFailed(program, said: line)
                }
                let seconds = Double(Moment.now() - start) / Double(Moment.second)
                return try await body(
                    Running(
                        program: program,
                        socket: socket,
                        pid: execution.processIdentifier.value,
                        secondsToReady: seconds
                    )
                )
            }
            throw BenchFailure.programFailed(program, said: "it ended before it was ready")
        }
        guard outcome.terminationStatus.isSuccess else {
            throw BenchFailure.programFailed(program, said: "\(outcome.terminationStatus)")
        }
        return outcome.closureResult
    }
}

/// What our children see: nothing of ours that names a database or a socket. The name makes pgbench a session like the
/// daemon's own: any other would notify the daemon in each transaction, and such commits wait for each other.
let childEnvironment = Environment.custom([
    "PATH": unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
    "SWIFT_BACKTRACE": "enable=no", "PGAPPNAME": "pricingd pgbench",
])
