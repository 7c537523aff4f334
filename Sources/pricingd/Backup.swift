import ArgumentParser
import Glibc
import Postgres
import Pricing

/// `pricingd backup FILE`: the shop of a private cluster as one file.
struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the shop of a private cluster to a file, while it trades or not."
    )

    @OptionGroup var options: CommonOptions

    @Argument(help: "The file; it appears when it is whole. - for stdout.")
    var file: String?

    @Option(help: "Instead of a file: put another whole copy into this archive, which pricingd keeps.")
    var archiveDir: String?

    func validate() throws {
        if (file == nil) == (archiveDir == nil) { throw ValidationError("give a file, or --archive-dir") }
    }

    func run() async throws {
        let folder = try await privateFolder(options)
        guard unsafe access(folder + "/cluster", F_OK) == 0 else {
            throw Exit.because("there is no shop in \(folder)", Exit.configuration)
        }
        let backup = ShopBackup(folder: folder, logger: options.logger())
        if let archiveDir {
            do throws(ShopBackup.Failure) {
                return try await backup.copy(into: try archive(archiveDir))
            } catch {
                throw error.exit(folder: folder)
            }
        }
        guard let file else { return }
        if file == "-" { return try await write(backup, to: 1) }
        // For its owner alone, since it holds what customers have told; under another name until it is whole.
        let unfinished = "\(file).\(getpid()).part"
        let opened = unsafe open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw cannot("write", unfinished) }
        defer {
            close(opened)
            unsafe _ = unlink(unfinished)
        }
        try await write(backup, to: opened)
        guard fsync(opened) == 0, unsafe rename(unfinished, file) == 0 else { throw cannot("write", file) }
    }

    private func write(_ backup: ShopBackup, to file: Int32) async throws {
        do throws(ShopBackup.Failure) {
            try await backup.write(to: file)
        } catch {
            throw error.exit(folder: options.dataDir)
        }
    }
}

/// `pricingd restore FILE`: the shop of a file in a private cluster.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the shop of a backup into a private cluster, and audit it."
    )

    @OptionGroup var options: CommonOptions

    @Argument(help: "What pricingd backup wrote.")
    var file: String?

    @Flag(help: "Let the shop go that the data folder has; a daemon may be serving it.")
    var replace = false

    @Option(help: "Instead of a file: the archive that pricingd serve --archive-dir has kept.")
    var archiveDir: String?

    @Option(help: "The moment to go back to, in UTC, such as 2026-11-28T09:30:00Z; without it the archive's end.")
    var to: String?

    func validate() throws {
        if (file == nil) == (archiveDir == nil) { throw ValidationError("give a file, or --archive-dir") }
        if file != nil, to != nil { throw ValidationError("--to is for --archive-dir") }
        if archiveDir != nil, replace {
            throw ValidationError("--archive-dir makes a new cluster; --replace is for a file")
        }
        if let to, to.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z/) == nil {
            throw ValidationError("--to \(to) is no moment such as 2026-11-28T09:30:00Z")
        }
    }

    func run() async throws {
        let folder = try await privateFolder(options)
        let backup = ShopBackup(folder: folder, logger: options.logger())
        let audit: ShopBackup.Audit
        do throws(ShopBackup.Failure) {
            audit = try await restored(backup, folder)
        } catch {
            throw error.exit(folder: folder)
        }
        print("audited: " + audit.checked.map { "\($0.count) \($0.name)" }.joined(separator: ", "))
        guard audit.differences == 0 else {
            throw Exit.because("\(audit.differences) differences; audit.verify lists them", ExitCode.failure)
        }
        print("no differences")
    }

    private func restored(_ backup: ShopBackup, _ folder: String) async throws(ShopBackup.Failure) -> ShopBackup.Audit {
        if let archiveDir {
            if unsafe access(folder + "/cluster", F_OK) == 0 { throw .hasShop }
            return try await backup.restore(from: try archive(archiveDir), to: to)
        }
        let opened = unsafe open(file ?? "", O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw .unreadable(file ?? "", errno) }
        defer { close(opened) }
        return try await backup.restore(from: opened, replaces: replace)
    }
}

private func archive(_ path: String) throws(ShopBackup.Failure) -> ClusterArchive {
    do throws(PostgresError) {
        return try ClusterArchive(path: path)
    } catch {
        throw .database(error)
    }
}

/// The data folder that is meant.
private func privateFolder(_ options: CommonOptions) async throws -> String {
    guard case .privateCluster(let folder, _) = try await DatabaseChoice.make(options) else {
        throw Exit.because(
            "this is for a private cluster; a database of your own is backed up by its own means, such as pg_dump",
            Exit.usage
        )
    }
    return folder
}

private func cannot(_ deed: String, _ file: String) -> ExitCode {
    unsafe Exit.because("cannot \(deed) \(file): \(String(cString: strerror(errno)))", Exit.configuration)
}

extension ShopBackup.Failure {
    fileprivate func exit(folder: String?) -> ExitCode {
        switch self {
        case .database(let error) where error.kind == .clusterFailed:
            Exit.because(error.message, Exit.databaseUnavailable)
        case .database(let error) where error.kind == .settings: Exit.because(error.message, Exit.usage)
        case .unreadable(let file, let code):
            unsafe Exit.because("cannot read \(file): \(String(cString: strerror(code)))", Exit.configuration)
        case .database(let error): DatabaseHost.Failure.database(error).exit
        case .refused(let refusal): DatabaseHost.Failure.refused(refusal).exit
        case .noShop: Exit.because("there is no shop in \(folder ?? "the data folder")", Exit.configuration)
        case .hasShop:
            Exit.because(
                "\(folder ?? "the data folder") has a shop; --replace lets it go, for that of a file",
                Exit.configuration
            )
        case .notABackup: Exit.because("the file is no backup of a shop", Exit.configuration)
        }
    }
}
