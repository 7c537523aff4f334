import Glibc
package import Logging

/// A PostgreSQL server of our own in a data folder: made on first use, reached by a Unix socket only, never by TCP.
///
/// The server is a process apart and outlives a killed daemon; the next daemon adopts it.
package actor PrivateCluster {
    /// The settings that a new cluster gets; later the operator may change `postgresql.conf`.
    package static let defaultSettings = [
        "autovacuum_naptime": "10s",
        "client_connection_check_interval": "1s",
        "jit": "off",
        "listen_addresses": "",
        "log_timezone": "UTC",
        "max_connections": "64",
        // A crash is followed by one sync of the file system; to open each file for it took seconds on a busy disk.
        "recovery_init_sync_method": "syncfs",
        "shared_buffers": "\(sharedBuffers)MB",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "unix_socket_permissions": "0700",
    ]

    /// A quarter of the machine's memory, as PostgreSQL's manual has it, between 128 and 4096, in MiB. Memory that is
    /// never touched costs nothing; an order in a shop of a million products touches pages all over some gigabytes.
    private static var sharedBuffers: Int {
        min(max(sysconf(Int32(_SC_PHYS_PAGES)) / 4 / 1024 * sysconf(Int32(_SC_PAGESIZE)) / 1024, 128), 4096)
    }

    private nonisolated let thread: ConnectionThread
    private let path: String
    private let serverSettings: [String: String]
    private let mayJoin: Bool
    let logger: Logger
    /// Whether another process holds the data folder and runs the server, which is left to it.
    package private(set) var isGuest = false
    private var opened: Opened?
    private var isBusy = false
    private var queue: [CheckedContinuation<Void, Never>] = []

    private struct Opened {
        let folder: DataFolder
        let user: ServerUser?
        let socketFolder: Descriptor
        var cluster: Descriptor?
    }

    /// A separate thread, since the waits here block.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    /// Only notes the folder; `start` makes or opens it.
    /// - Parameters:
    ///   - serverSettings: added to or replacing ``defaultSettings`` when the cluster is made.
    ///   - mayJoin: whether to use the server of another process that holds the folder.
    /// - Throws: `.systemResources`.
    package init(
        dataDirectory: String,
        serverSettings: [String: String] = [:],
        mayJoin: Bool = false,
        logger: Logger
    ) throws(PostgresError) {
        self.thread = try ConnectionThread(name: "pg cluster")
        self.path = dataDirectory
        self.mayJoin = mayJoin
        self.serverSettings = Self.defaultSettings.merging(serverSettings) { _, given in given }
        self.logger = logger
    }

    deinit {
        thread.finish()
    }

    /// Makes, starts, recovers or adopts the server, whichever is needed, and waits until it accepts connections.
    ///
    /// May be called again at any time, as after the server was killed. The data folder stays locked until `stop()`.
    /// - Returns: settings of the superuser `postgres`.
    /// - Throws: `.serverProgramsMissing`, `.dataFolderInUse`, `.untrusted`, `.clusterFailed`.
    package func start() async throws(PostgresError) -> ConnectionSettings {
        await enter()
        defer { leave() }
        let opened = try open()
        let settings = settings(opened)
        if isGuest { return settings }
        try opened.folder.trimLog(Self.log)
        let log = try opened.folder.openLog(Self.log)
        if !opened.folder.exists("cluster") { try await make(opened, log: log) }
        let cluster = try opened.folder.openFolder("cluster", owner: opened.user)
        self.opened?.cluster = cluster
        let process = ServerProcess(cluster: cluster)
        repeat {
            if let pid = process.running {
                logger.debug("the private cluster runs already", metadata: ["pid": "\(pid)"])
                continue
            }
            let orphans = process.endLeftovers(socketFolder: opened.socketFolder)
            if orphans > 0 { logger.warning("ended what a killed server left", metadata: ["processes": "\(orphans)"]) }
            try await startServer(opened, cluster, log: log)
        } while try await !becomesReady(process, settings)
        return settings
    }

    /// Stops the server (fast shutdown) and lets go of the data folder. Harmless when nothing runs.
    package func stop() async {
        await enter()
        defer { leave() }
        if let cluster = opened?.cluster { ServerProcess(cluster: cluster).stop() }
        opened = nil
        isGuest = false
    }

    /// The server's log, in the data folder.
    package static let log = "postgresql.log"

    /// Keeps the server's log, and the part before it, short. To be called now and then.
    package func trimLog() throws(PostgresError) {
        try opened?.folder.trimLog(Self.log)
    }

    /// Whether PostgreSQL's server programs are on this machine.
    package static var isAvailable: Bool { ServerPrograms.areInstalled }

    private func open() throws(PostgresError) -> Opened {
        if let opened { return opened }
        let user = try ServerUser.needed()
        let folder = try openFolder()
        let opened = Opened(folder: folder, user: user, socketFolder: try folder.openFolder("run", owner: user))
        self.opened = opened
        return opened
    }

    private func openFolder() throws(PostgresError) -> DataFolder {
        do throws(PostgresError) {
            return try DataFolder(path: path)
        } catch {
            guard mayJoin, case .dataFolderInUse = error.kind else { throw error }
            isGuest = true
            return try DataFolder(heldByOther: path)
        }
    }

    /// Makes the cluster under another name first, so that an interrupted one is never taken for a complete one.
    private func make(_ opened: Opened, log: Descriptor) async throws(PostgresError) {
        let programs = try await ServerPrograms.find()
        let name = "cluster.unfinished"
        if opened.folder.exists(name) { try await ServerPrograms.remove("\(opened.folder.path)/\(name)") }
        let unfinished = try opened.folder.openFolder(name, owner: opened.user)
        try await programs.run(
            "initdb",
            [
                "-D", ServerPrograms.clusterPath, "--username=postgres", "--auth=trust", "--encoding=UTF8",
                "--locale=C.UTF-8", "--data-checksums", serverSettings["fsync"] == "off" ? "--no-sync" : nil,
            ].compactMap { $0 },
            as: opened.user,
            cluster: unfinished,
            socketFolder: opened.socketFolder,
            log: log
        )
        let lines = serverSettings.sorted { $0.key < $1.key }.map { "\($0.key) = '\($0.value)'\n" }
        try unfinished.append("\n# set when this cluster was made\n" + lines.joined(), to: "postgresql.conf")
        try opened.folder.rename(name, to: "cluster")
        logger.info("made a private cluster", metadata: ["folder": "\(opened.folder.path)"])
    }

    private func startServer(_ opened: Opened, _ cluster: Descriptor, log: Descriptor) async throws(PostgresError) {
        let version = cluster.text(of: "PG_VERSION")?.split(separator: "\n").first.map { String($0) }
        let programs = try await ServerPrograms.find(version: version)
        do throws(PostgresError) {
            try await programs.run(
                "pg_ctl",
                [
                    "start", "-w", "-t", "120", "-D", ServerPrograms.clusterPath, "-o",
                    "-c listen_addresses='' -c unix_socket_directories=\(ServerPrograms.socketPath) -p 5432",
                ],
                as: opened.user,
                cluster: cluster,
                socketFolder: opened.socketFolder,
                log: log
            )
        } catch {
            var error = error
            error.message += "; see \(opened.folder.path)/postgresql.log"
            throw error
        }
    }

    private func settings(_ opened: Opened) -> ConnectionSettings {
        ConnectionSettings(keywords: [
            "host": socketPath(opened), "port": "5432", "user": "postgres", "dbname": "postgres",
        ])
    }

    /// The socket's folder, or when its path is too long for a socket address, a short name for the same folder.
    private func socketPath(_ opened: Opened) -> String {
        let path = opened.folder.path + "/run"
        guard path.utf8.count + "/.s.PGSQL.5432".utf8.count > 107 else { return path }
        let short = "/proc/\(getpid())/fd/\(opened.socketFolder.number)"
        logger.notice("the socket's path is too long and is reached by a short one", metadata: ["path": "\(short)"])
        return short
    }

    /// Waits for a server that may have been found recovering (120 s), or dying though its process was still there (2 s).
    /// - Returns: false when its process has ended meanwhile, or has to be started anew.
    private func becomesReady(
        _ process: ServerProcess,
        _ settings: ConnectionSettings
    ) async throws(PostgresError) -> Bool {
        let begin = ContinuousClock.now
        while true {
            let patience = Duration.seconds(process.isReady ? 2 : 120)
            do throws(PostgresError) {
                let connection = try await PostgresConnection.open(settings, name: "pg start", logger: logger)
                await connection.close()
                return true
            } catch {
                guard process.running != nil else { return false }
                if error.message.contains("shared memory segment") {
                    // systemd removes what a user's processes share once the user's service or last session has ended
                    // (RemoveIPC), also from under a server that goes on; it takes no new connection then.
                    logger.warning("the private cluster has lost its shared memory and is started anew")
                    process.stop()
                    return false
                }
                guard ContinuousClock.now < begin + patience else { throw error }
                _ = waitUntilReady(-1, 0, or: -1, milliseconds: 20)
            }
        }
    }

    /// One `start` or `stop` at a time, in the order of the calls.
    private func enter() async {
        guard isBusy else {
            isBusy = true
            return
        }
        await withCheckedContinuation { queue.append($0) }
    }

    private func leave() {
        guard !queue.isEmpty else {
            isBusy = false
            return
        }
        queue.removeFirst().resume()
    }
}

// MARK: To any moment

extension PrivateCluster {
    /// Makes the server put its log into an archive from now on, whoever starts it, and makes a first copy where there is
    /// none. The first time the server is started anew for it.
    /// - Throws: `.untrusted` for an archive of another cluster or one that others could write in, `.clusterFailed`.
    package func keepArchive(_ archive: ClusterArchive) async throws(PostgresError) {
        let settings = try await start()
        guard !isGuest, let opened else { return }
        try archive.prepare(owner: opened.user)
        try await ServerPrograms.tryWriting(in: archive.log, as: opened.user)
        let (mode, system) = try await asking(settings) { (session) throws(PostgresError) in
            (try session.one(ArchiveStatements.mode), try session.one(ArchiveStatements.system))
        }
        try archive.claim(system: system)
        try await asking(settings) { (session) throws(PostgresError) in
            for command in ArchiveStatements.keep(archive) { try session.script(command, name: "keep_archive") }
        }
        if mode == "off", let cluster = opened.cluster {
            ServerProcess(cluster: cluster).stop()
            _ = try await start()
        }
        if archive.moments.isEmpty { try await copy(into: archive) }
    }

    /// Puts a copy of the whole cluster into its archive, while it works.
    package func copy(into archive: ClusterArchive) async throws(PostgresError) {
        let settings = try await start()
        let version = try await asking(settings) { (session) throws(PostgresError) in session.serverVersion / 10_000 }
        let programs = try await ServerPrograms.find(version: String(version))
        try await archive.add { (file) async throws(PostgresError) in
            _ = try await programs.runClient(
                "pg_basebackup",
                [
                    "--no-password", "--host=\(settings.host ?? "")", "--port=\(settings.port ?? "")",
                    "--username=postgres", "--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast",
                    "--label=pricingd",
                ],
                output: file
            )
        }
        logger.notice("copied the cluster into its archive", metadata: ["archive": "\(archive.path)"])
    }

    /// Makes the cluster of an archive in this folder, as it was at a moment, or as its log ends.
    /// - Parameter moment: in UTC, such as `2026-11-28T09:30:00Z`.
    /// - Throws: `.clusterFailed` when the archive does not reach so far back or forward, or there is a cluster here.
    package func restore(_ archive: ClusterArchive, to moment: String?) async throws(PostgresError) {
        let opened = try open()
        guard !opened.folder.exists("cluster") else {
            throw PostgresError(.clusterFailed, "\(opened.folder.path) has a cluster")
        }
        let compact = moment.map { moment in moment.filter { $0 != "-" && $0 != ":" } }
        let base = try archive.base(before: compact.map { $0.prefix { $0 != "." && $0 != "Z" } + "Z" })
        let (name, path) = ("cluster.unfinished", "\(opened.folder.path)/cluster.unfinished")
        if opened.folder.exists(name) { try await ServerPrograms.remove(path) }
        let cluster = try opened.folder.openFolder(name, owner: opened.user)
        try await ServerPrograms.unpack(base, into: path)
        try cluster.append(ArchiveStatements.recovery(archive, moment), to: "postgresql.auto.conf")
        try cluster.make("recovery.signal", owner: opened.user)
        try opened.folder.rename(name, to: "cluster")
        do throws(PostgresError) {
            try await recover(opened, cluster)
        } catch {
            ServerProcess(cluster: cluster).stop()
            try opened.folder.rename("cluster", to: name)
            throw error
        }
    }

    /// Starts a server that has to read its archive first, and waits until it has; its settings are then as they were.
    private func recover(_ opened: Opened, _ cluster: Descriptor) async throws(PostgresError) {
        let log = try opened.folder.openLog(Self.log)
        let failure = PostgresError(
            .clusterFailed,
            "the archive does not reach that moment, or not yet: a daemon adds to it once a minute;"
                + " see \(opened.folder.path)/\(Self.log)"
        )
        do throws(PostgresError) {
            try await startServer(opened, cluster, log: log)
        } catch {
            // A short log may be at its end before pg_ctl has looked for the first time.
            throw error.kind == .clusterFailed ? failure : error
        }
        let process = ServerProcess(cluster: cluster)
        let settings = settings(opened)
        while true {
            do throws(PostgresError) {
                try await asking(settings) { (session) throws(PostgresError) in
                    for command in ArchiveStatements.recovered { try session.script(command, name: "recovered") }
                }
                self.opened?.cluster = cluster
                return
            } catch {
                guard process.running != nil else { throw failure }
                guard error.kind == .connectionFailed else { throw error }
                _ = waitUntilReady(-1, 0, or: -1, milliseconds: 50)
            }
        }
    }

    private func asking<Value: Sendable>(
        _ settings: ConnectionSettings,
        _ body: @Sendable (Session) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let connection = try await PostgresConnection.open(settings, name: "pg archive", logger: logger)
        let outcome: Result<Value, PostgresError>
        do throws(PostgresError) {
            outcome = .success(try await connection.run(body))
        } catch {
            outcome = .failure(error)
        }
        await connection.close()
        return try outcome.get()
    }
}
