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
    var file: String

    func run() async throws {
        let folder = try await privateFolder(options)
        guard unsafe access(folder + "/cluster", F_OK) == 0 else {
            throw Exit.because("there is no shop in \(folder)", Exit.configuration)
        }
        let backup = ShopBackup(folder: folder, logger: options.logger())
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
    var file: String

    @Flag(help: "Let the shop go that the data folder has; a daemon may be serving it.")
    var replace = false

    func run() async throws {
        let folder = try await privateFolder(options)
        let opened = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw cannot("read", file) }
        defer { close(opened) }
        let audit: ShopBackup.Audit
        do throws(ShopBackup.Failure) {
            audit = try await ShopBackup(folder: folder, logger: options.logger()).restore(
                from: opened,
                replaces: replace
            )
        } catch {
            throw error.exit(folder: folder)
        }
        print("audited: " + audit.checked.map { "\($0.count) \($0.name)" }.joined(separator: ", "))
        guard audit.differences == 0 else {
            throw Exit.because("\(audit.differences) differences; audit.verify lists them", ExitCode.failure)
        }
        print("no differences")
    }
}

/// The data folder that is meant.
private func privateFolder(_ options: CommonOptions) async throws -> String {
    guard case .privateCluster(let folder) = try await DatabaseChoice.make(options) else {
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
        case .database(let error): DatabaseHost.Failure.database(error).exit
        case .refused(let refusal): DatabaseHost.Failure.refused(refusal).exit
        case .noShop: Exit.because("there is no shop in \(folder ?? "the data folder")", Exit.configuration)
        case .hasShop:
            Exit.because(
                "\(folder ?? "the data folder") has a shop; --replace lets it go",
                Exit.configuration
            )
        case .notABackup: Exit.because("the file is no backup of a shop", Exit.configuration)
        }
    }
}
