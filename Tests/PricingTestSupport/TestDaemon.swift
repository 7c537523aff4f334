import Foundation
import Glibc
import JSON
package import Postgres
import Synchronization

/// The real `pricingd` on a temporary socket and data folder, ended and cleaned away with its last reference or with
/// the test process.
package final class TestDaemon: Sendable {
    /// Why there is no daemon.
    package struct NotReady: Error {
        /// What it said on stderr.
        package let text: String
    }

    private static let sharedOne = Task { try await TestDaemon.start() }

    /// The process's own sandbox, for tests that leave others alone: they make what they touch.
    package static func shared() async throws -> TestDaemon {
        try await sharedOne.value
    }

    /// A program of this package, as it was built beside the tests.
    package static func program(_ name: String) throws -> String {
        let folder = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: folder).deletingLastPathComponent().appending(path: name).path
    }

    /// Its folder; the data folder stands inside.
    package let folder: String
    /// Where it listens.
    package let socket: String
    /// Its `--data-dir`.
    package let dataDirectory: String

    /// What runs the program, if anything, and the arguments.
    private let words: [String]
    /// How to reach its database as the server's superuser, where `server.status` does not suffice.
    private let looking: ConnectionSettings?
    private let temporary: TemporaryFolder
    private let running: Mutex<ChildProgram>

    /// Starts a daemon and waits for its ready line.
    /// - Parameters:
    ///   - hasDemo: whether the demo rows are there.
    ///   - isSandbox: whether the clock may be set.
    ///   - wrapper: a command that becomes the daemon, whose own command is added to it.
    ///   - diskMegabytes: the size of a disk of its own for the data folder, which root may mount.
    package static func start(
        isSandbox: Bool = true,
        hasDemo: Bool = false,
        arguments: [String] = [],
        wrapper: [String] = [],
        diskMegabytes: Int? = nil
    ) async throws -> TestDaemon {
        let temporary = try TemporaryFolder()
        let data = temporary.path + "/data"
        if let diskMegabytes { try await mountDisk(at: data, megabytes: diskMegabytes) }
        let sandbox = isSandbox ? ["--sandbox"] : []
        if hasDemo {
            let migration = try ChildProgram(program("pricingd"), ["migrate", "--demo", "--data-dir", data] + sandbox)
            try temporary.endWithFolder(migration.pid)
            guard await migration.exit() == 0 else { throw NotReady(text: await migration.errorText()) }
        }
        let socket = temporary.path + "/s.sock"
        let all = ["--socket", socket, "--data-dir", data] + sandbox + arguments
        let words = wrapper + [try program("pricingd")] + all
        return TestDaemon(temporary, socket, data, words, try await launch(words, in: temporary))
    }

    /// Starts a program that runs a daemon among other things, and waits for the daemon's ready line.
    /// - Parameter database: how to reach its database as the server's superuser, once it serves.
    package static func start(
        _ words: [String],
        in temporary: TemporaryFolder,
        socket: String,
        database: () throws -> ConnectionSettings
    ) async throws -> TestDaemon {
        let program = try await launch(words, in: temporary)
        return TestDaemon(temporary, socket, temporary.path, words, program, looking: try database())
    }

    /// It goes with the temporary folder.
    private static func mountDisk(at path: String, megabytes: Int) async throws {
        let mount = "mkdir -m 700 \"$1\" && mount -t tmpfs -o mode=0700,size=\"$2\" none \"$1\""
        let program = try ChildProgram("/bin/sh", ["-c", mount, "sh", path, "\(megabytes)m"])
        guard await program.exit() == 0 else { throw NotReady(text: await program.errorText()) }
    }

    private init(
        _ temporary: TemporaryFolder,
        _ socket: String,
        _ data: String,
        _ words: [String],
        _ program: ChildProgram,
        looking: ConnectionSettings? = nil
    ) {
        self.temporary = temporary
        self.looking = looking
        self.socket = socket
        self.words = words
        folder = temporary.path
        dataDirectory = data
        running = Mutex(program)
    }

    deinit {
        running.withLock { $0.signal(SIGKILL) }
    }

    /// The daemon's process.
    package var program: ChildProgram { running.withLock { $0 } }

    /// A new connection.
    package func client() async throws -> TestClient {
        try await TestClient(socket: socket)
    }

    /// A new connection for raw lines.
    package func lines(reads: Bool = true) throws -> LineClient {
        try LineClient(socket: socket, reads: reads, isChecking: true)
    }

    /// Ends another program with this daemon's folder, which its arguments name.
    package func endWithFolder(_ other: ChildProgram) throws { try temporary.endWithFolder(other.pid) }

    /// Drains by SIGTERM and waits for the end: the exit code.
    package func stop() async -> Int32 {
        let program = program
        program.signal(SIGTERM)
        return await program.exit()
    }

    /// Ends the daemon without a chance to say anything; its PostgreSQL server lives on.
    package func kill9() async {
        let program = program
        program.signal(SIGKILL)
        _ = await program.exit()
    }

    /// Starts the daemon again on the same socket and data folder, after it has ended.
    package func restart() async throws {
        let program = try await Self.launch(words, in: temporary)
        running.withLock { $0 = program }
    }

    /// A connection to its database as the server's superuser, for looking.
    package func database() async throws -> PostgresConnection {
        if let looking { return try await PostgresConnection.open(looking, logger: TestCluster.silence) }
        let place = try await place()
        let settings = ConnectionSettings(keywords: [
            "host": place.host, "port": String(place.port), "dbname": place.name, "user": "postgres",
        ])
        return try await PostgresConnection.open(settings, logger: TestCluster.silence)
    }

    /// A psql on its database, as the given role, else as the one that `server.status` names.
    package func psql(as user: String? = nil) async throws -> Psql {
        let place = try await place()
        return try Psql(host: place.host, port: place.port, database: place.name, user: user ?? place.user)
    }

    private func place() async throws -> (host: String, port: Int64, name: String, user: String) {
        let client = try await client()
        let database = try await client.call("server.status")["database"]
        await client.close()
        guard let host = database?["host"]?.string, let port = database?["port"]?.integer,
            let name = database?["name"]?.string, let user = database?["user"]?.string
        else { throw NotReady(text: "server.status does not say where the database is") }
        return (host, port, name, user)
    }

    /// The process id of its PostgreSQL server, nil when there is none.
    package var postmaster: Int32? {
        let file = dataDirectory + "/cluster/postmaster.pid"
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first.flatMap { Int32($0) }
    }

    private static func launch(_ words: [String], in folder: TemporaryFolder) async throws -> ChildProgram {
        let program = try ChildProgram(words[0], Array(words.dropFirst()))
        try folder.endWithFolder(program.pid)
        guard let line = await program.line(),
            case .object(let ready)? = try? JSONParser.parse(Array(line.utf8)), ready["ready"] == true
        else {
            program.signal(SIGKILL)
            throw NotReady(text: await program.errorText())
        }
        return program
    }
}
