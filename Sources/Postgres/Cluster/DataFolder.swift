import CLibPQ
import FileTrust
import Glibc

/// The private cluster's folder, with a lock that at most one process holds.
///
/// Inside: `lock`, `postgresql.log`, `cluster` (the server's files) and `run` (its socket). All of it is opened relative
/// to the folder, so that a link put into the path later leads nowhere else.
final class DataFolder: Sendable {
    /// Absolute, without links.
    let path: String
    private let folder: Int32
    /// nil for a folder that another process holds.
    private let lock: Int32?

    /// Opens a folder that another process holds.
    init(heldByOther path: String) throws(PostgresError) {
        (folder, self.path) = try Self.open(path)
        lock = nil
    }

    private static func open(_ path: String) throws(PostgresError) -> (folder: Int32, path: String) {
        let looked = try trusting { () throws(Distrust) in try TrustedFile.openFolder(path, .link) }
        defer { close(looked) }
        let folder = unsafe openat(looked, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("the data folder \(path) cannot be opened") }
        let resolved = unsafe realpath(path, nil)
        defer { unsafe free(resolved) }
        return (folder, unsafe resolved.map { resolved in unsafe String(cString: resolved) } ?? path)
    }

    /// Makes the folder if need be, with any missing ancestor, for its owner only, and locks it.
    /// - Throws: `.dataFolderInUse` with the holder's process id, `.untrusted` when others could write in it,
    ///   `.clusterFailed` for anything else.
    init(path: String) throws(PostgresError) {
        try makeFolders(path)
        let (folder, resolved) = try Self.open(path)
        let lock = unsafe openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            defer { close(folder) }
            throw failure("the lock file in \(path) cannot be opened")
        }
        do throws(PostgresError) {
            try trusting { () throws(Distrust) in try TrustedFile.check(file: lock, "\(path)/lock") }
        } catch {
            close(lock)
            close(folder)
            throw error
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            defer {
                close(lock)
                close(folder)
            }
            guard errno == EWOULDBLOCK else { throw failure("the data folder \(path) cannot be locked") }
            let holder = Int32(readText(lock, limit: 32).prefix { $0.isNumber })
            let who = holder.map { "process \($0)" } ?? "another process"
            throw PostgresError(.dataFolderInUse(holder: holder), "the data folder \(path) is in use by \(who)")
        }
        ftruncate(lock, 0)
        let holder = Array("\(getpid())\n".utf8)
        unsafe _ = pwrite(lock, holder, holder.count, 0)
        self.folder = folder
        self.lock = lock
        self.path = resolved
    }

    deinit {
        if let lock {
            ftruncate(lock, 0)
            close(lock)
        }
        close(folder)
    }

    func exists(_ name: String) -> Bool {
        unsafe faccessat(folder, name, F_OK, 0) == 0
    }

    /// Makes a folder inside if it is missing, owned by the server's user, and opens it.
    func openFolder(_ name: String, owner: ServerUser?) throws(PostgresError) -> Descriptor {
        let made = unsafe mkdirat(folder, name, 0o700) == 0
        guard made || errno == EEXIST else { throw failure("\(path)/\(name) cannot be made") }
        let opened = unsafe openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard opened >= 0 else { throw failure("\(path)/\(name) cannot be opened") }
        if made, let owner { fchown(opened, owner.userID, owner.groupID) }
        let folder = Descriptor(owning: opened)
        try trusting { () throws(Distrust) in
            try TrustedFile.check(folder: opened, "\(path)/\(name)", also: owner?.userID)
        }
        return folder
    }

    /// Moves what a log holds to `<name>.1` when that is more than 16 MiB. The file stays the same, since the server has it
    /// open, and it appends: what it writes meanwhile may be lost, what it writes later begins the file.
    func trimLog(_ name: String) throws(PostgresError) {
        var facts = stat()
        guard unsafe fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0, facts.st_size > 16 << 20 else { return }
        let log = Descriptor(owning: unsafe openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW))
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let old = Descriptor(owning: unsafe openat(folder, name + ".1", flags, 0o600))
        guard log.number >= 0, old.number >= 0 else { throw failure("\(path)/\(name) cannot be moved") }
        var copied = 1
        while copied > 0 { copied = sendfile(old.number, log.number, nil, 1 << 20) }
        guard copied == 0, ftruncate(log.number, 0) == 0 else { throw failure("\(path)/\(name) cannot be moved") }
    }

    /// Opens a log for appending.
    func openLog(_ name: String) throws(PostgresError) -> Descriptor {
        let opened = unsafe openat(folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw failure("\(path)/\(name) cannot be opened") }
        return Descriptor(owning: opened)
    }

    /// Gives something inside its final name, in one step.
    func rename(_ name: String, to final: String) throws(PostgresError) {
        guard unsafe renameat(folder, name, folder, final) == 0 else {
            throw failure("\(path)/\(name) cannot be renamed")
        }
        guard fsync(folder) == 0 else { throw failure("\(path) cannot be written") }
    }
}

/// An open file or folder, closed with its last reference.
final class Descriptor: Sendable {
    let number: Int32

    init(owning number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// The text of a file in this folder, nil when it cannot be read; at most 64 KiB.
    func text(of name: String) -> String? {
        let file = unsafe openat(number, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return readText(file, limit: 65536)
    }

    /// Makes an empty file in this folder.
    func make(_ name: String, owner: ServerUser?) throws(PostgresError) {
        let file = unsafe openat(number, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("\(name) cannot be made") }
        defer { close(file) }
        if let owner { fchown(file, owner.userID, owner.groupID) }
    }

    /// Appends to a file in this folder.
    func append(_ text: String, to name: String) throws(PostgresError) {
        let file = unsafe openat(number, name, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw failure("\(name) cannot be opened") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard unsafe write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw failure("\(name) cannot be written")
        }
    }
}

func readText(_ file: Int32, limit: Int) -> String {
    var bytes: [UInt8] = Array(repeating: 0, count: limit)
    let count = unsafe pread(file, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

private func makeFolders(_ path: String) throws(PostgresError) {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
        prefix += part + "/"
        guard unsafe mkdir(prefix, 0o700) == 0 || errno == EEXIST else { throw failure("\(prefix) cannot be made") }
    }
}

private func trusting<Value>(_ look: () throws(Distrust) -> Value) throws(PostgresError) -> Value {
    do throws(Distrust) {
        return try look()
    } catch {
        if case .unreachable(_, let code) = error {
            errno = code
            throw failure("the data folder cannot be opened")
        }
        throw PostgresError(.untrusted, "\(error)")
    }
}

private func failure(_ what: String) -> PostgresError {
    unsafe PostgresError(.clusterFailed, "\(what): \(String(cString: strerror(errno)))")
}
