import Glibc
import Subprocess
import SystemPackage

/// The user that the server runs as when we are root, since a PostgreSQL server refuses root.
struct ServerUser: Sendable {
    let userID: uid_t
    let groupID: gid_t

    /// The system's user `postgres` when we are root, nil (ourselves) otherwise.
    /// - Throws: `.serverProgramsMissing` when we are root and there is no such user.
    static func needed() throws(PostgresError) -> ServerUser? {
        guard geteuid() == 0 else { return nil }
        guard let entry = unsafe getpwnam("postgres") else { throw ServerPrograms.missing }
        return unsafe ServerUser(userID: entry.pointee.pw_uid, groupID: entry.pointee.pw_gid)
    }
}

/// The folder with `initdb`, `pg_ctl` and `postgres`.
struct ServerPrograms: Sendable {
    /// The folder that holds them.
    let folder: String

    /// Looks where `pg_config` points, then along PATH, then for the newest version below `/usr/lib/postgresql`.
    /// - Parameter version: the major version of an existing cluster, whose programs are looked for first.
    /// - Throws: `.serverProgramsMissing`.
    static func find(version: String? = nil) async throws(PostgresError) -> ServerPrograms {
        var folders = version.map { ["/usr/lib/postgresql/\($0)/bin"] } ?? []
        if let configured = await configuredFolder() { folders.append(configured) }
        guard let folder = (folders + usualFolders()).first(where: isComplete) else { throw missing }
        return ServerPrograms(folder: folder)
    }

    /// Whether they are where they usually are; runs nothing.
    static var areInstalled: Bool { usualFolders().contains(where: isComplete) }

    private static func usualFolders() -> [String] {
        searchPath() + installedVersions().map { "/usr/lib/postgresql/\($0)/bin" }
    }

    static var missing: PostgresError {
        var error = PostgresError(
            .serverProgramsMissing,
            "PostgreSQL's server programs are not installed; install them (apt-get install postgresql) or name a database"
        )
        error.hint = "apt-get install postgresql"
        return error
    }

    private static func isComplete(_ folder: String) -> Bool {
        ["initdb", "pg_ctl", "postgres"].allSatisfy { unsafe access("\(folder)/\($0)", X_OK) == 0 }
    }

    private static func searchPath() -> [String] {
        guard let path = unsafe getenv("PATH") else { return [] }
        return unsafe String(cString: path).split(separator: ":").map { String($0) }
    }

    /// Major versions with a folder, newest first.
    private static func installedVersions() -> [Int] {
        guard let folder = unsafe opendir("/usr/lib/postgresql") else { return [] }
        defer { unsafe _ = closedir(folder) }
        var versions: [Int] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
            }
            if let version = Int(name) { versions.append(version) }
        }
        return versions.sorted(by: >)
    }

    private static func configuredFolder() async -> String? {
        let result = try? await Subprocess.run(
            .name("pg_config"),
            arguments: ["--bindir"],
            environment: childEnvironment,
            output: .string(limit: 4096)
        )
        let text = result?.standardOutput ?? nil
        return text?.split(separator: "\n").first.map { String($0) }
    }

    /// What a child of ours sees: no `PG*` variable, since `PGPASSWORD` and the like would overrule its arguments.
    private static var childEnvironment: Environment {
        let path = searchPath().joined(separator: ":")
        return .custom(["PATH": path.isEmpty ? "/usr/bin:/bin" : path, "LC_ALL": "C.UTF-8"])
    }

    /// Runs one of the programs in a separate session, as the server's user, and waits for it.
    ///
    /// The user may lack the right to reach the data folder by its path, as when that lies below a folder of root's. So we
    /// hand the open folders on: `/proc/self/fd/N` leads there without a check of the folders above. A child gets no
    /// descriptors but the standard three, so they travel as those and a shell moves them: 9 the cluster, 8 the socket's
    /// folder.
    ///
    /// `setpriv` (Debian's util-linux, which no machine lacks) changes the user, not Subprocess: between its raw `clone`
    /// and its `exec`, glibc's `setgroups` waits for ever when another thread was being started at that moment.
    /// - Throws: `.clusterFailed` when it could not be started or did not succeed.
    func run(
        _ program: String,
        _ arguments: [String],
        as user: ServerUser?,
        cluster: Descriptor,
        socketFolder: Descriptor,
        log: Descriptor
    ) async throws(PostgresError) {
        var options = PlatformOptions()
        options.createSession = true
        let move = "exec 9<&0 8<&2 </dev/null 2>&1; exec \"$@\""
        let status: TerminationStatus
        do {
            status = try await Subprocess.run(
                .path("/bin/sh"),
                arguments: Arguments(["-c", move, "sh"] + Self.become(user) + ["\(folder)/\(program)"] + arguments),
                environment: Self.childEnvironment,
                workingDirectory: "/",
                platformOptions: options,
                input: .fileDescriptor(FileDescriptor(rawValue: cluster.number), closeAfterSpawningProcess: false),
                output: .fileDescriptor(FileDescriptor(rawValue: log.number), closeAfterSpawningProcess: false),
                error: .fileDescriptor(FileDescriptor(rawValue: socketFolder.number), closeAfterSpawningProcess: false)
            ).terminationStatus
        } catch {
            throw PostgresError(.clusterFailed, "\(program) could not be run: \(error)")
        }
        guard status.isSuccess else { throw PostgresError(.clusterFailed, "\(program) failed (\(status))") }
    }

    /// Runs one of the programs that speak to a server, as ourselves, with a file as its input or output.
    /// - Returns: what it printed, where that did not go to a file; at most 16 MiB.
    /// - Throws: `.clusterFailed` with what it said, when it could not be started or did not succeed.
    func runClient(
        _ program: String,
        _ arguments: [String],
        input: Int32? = nil,
        output: Int32? = nil
    ) async throws(PostgresError) -> String {
        func opened(_ descriptor: Int32) -> FileDescriptor { FileDescriptor(rawValue: descriptor) }
        let nothing = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        let source = opened(input ?? nothing.number)
        let path = Executable.path(FilePath("\(folder)/\(program)"))
        let printed: String
        let said: String
        let status: TerminationStatus
        do {
            if let output {
                let result = try await Subprocess.run(
                    path,
                    arguments: Arguments(arguments),
                    environment: Self.childEnvironment,
                    input: .fileDescriptor(source, closeAfterSpawningProcess: false),
                    output: .fileDescriptor(opened(output), closeAfterSpawningProcess: false),
                    error: .string(limit: 1 << 20)
                )
                (printed, said, status) = ("", result.standardError, result.terminationStatus)
            } else {
                let result = try await Subprocess.run(
                    path,
                    arguments: Arguments(arguments),
                    environment: Self.childEnvironment,
                    input: .fileDescriptor(source, closeAfterSpawningProcess: false),
                    output: .string(limit: 16 << 20),
                    error: .string(limit: 1 << 20)
                )
                (printed, said, status) = (
                    result.standardOutput, result.standardError, result.terminationStatus
                )
            }
        } catch {
            throw PostgresError(.clusterFailed, "\(program) could not be run: \(error)")
        }
        guard status.isSuccess else { throw PostgresError(.clusterFailed, "\(program) failed: \(said)") }
        return printed
    }

    /// Removes what an interrupted `initdb` left.
    static func remove(_ path: String) async throws(PostgresError) {
        guard await succeeds(["/bin/rm", "-rf", "--", path]) else {
            throw PostgresError(.clusterFailed, "\(path) is unfinished and could not be removed")
        }
    }

    /// Unpacks a copy of a cluster into a folder; what it holds stays its owner's.
    static func unpack(_ copy: Descriptor, into path: String) async throws(PostgresError) {
        guard await succeeds(["/bin/tar", "--extract", "--numeric-owner", "--directory", path], input: copy) else {
            throw PostgresError(.clusterFailed, "the copy could not be unpacked into \(path)")
        }
    }

    /// Sees whether the server's user may write in a folder.
    static func tryWriting(in path: String, as user: ServerUser?) async throws(PostgresError) {
        guard await succeeds(become(user) + ["/bin/sh", "-c", "test -w \"$1\" && test -x \"$1\"", "sh", path]) else {
            throw PostgresError(
                .untrusted,
                "PostgreSQL's user cannot write in \(path); the folders above must let it through"
            )
        }
    }

    private static func become(_ user: ServerUser?) -> [String] {
        user.map {
            ["/usr/bin/setpriv", "--reuid=\($0.userID)", "--regid=\($0.groupID)", "--clear-groups", "--"]
        } ?? []
    }

    private static func succeeds(_ words: [String], input: Descriptor? = nil) async -> Bool {
        let nothing = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        let result = try? await Subprocess.run(
            .path(FilePath(words[0])),
            arguments: Arguments(Array(words.dropFirst())),
            environment: childEnvironment,
            input: .fileDescriptor(
                FileDescriptor(rawValue: (input ?? nothing).number),
                closeAfterSpawningProcess: false
            ),
            output: .discarded,
            error: .discarded
        )
        return result?.terminationStatus.isSuccess == true
    }

    /// The cluster's folder as the programs see it.
    static let clusterPath = "/proc/self/fd/9"
    /// The socket's folder as the programs see it.
    static let socketPath = "/proc/self/fd/8"
}
