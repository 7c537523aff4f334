import Glibc

/// Opens what the daemon relies on, and looks at what was opened, not at its name: only root and we may have written it.
package enum TrustedFile {
    /// What a folder may be beside ours or root's and closed to the pen of others.
    package struct Leave: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) { self.rawValue = rawValue }

        /// Its name may be a link, if root or we have made that.
        package static let link = Leave(rawValue: 1)
        /// It may be one of the machine's own, where all may write and none may take away what is another's.
        package static let everybodys = Leave(rawValue: 2)
    }

    /// `O_PATH`, which Glibc's module does not carry: a folder that we may not list can be looked at too.
    private static let onlyAsPlace: Int32 = 0o10_000_000
    private static let everybodysFolders: Set = ["/tmp", "/var/tmp", "/dev/shm"]

    /// Opens a folder for looking things up in it; the caller closes it.
    package static func openFolder(_ path: String, _ leave: Leave = []) throws(Distrust) -> Int32 {
        // With a slash at its end the system would follow a link.
        var name = path
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        let isLink = try refuseForeignLink(name, mayBeLink: leave.contains(.link))
        let flags = onlyAsPlace | O_DIRECTORY | O_CLOEXEC | (isLink ? 0 : O_NOFOLLOW)
        let folder = unsafe open(name, flags)
        guard folder >= 0 else {
            if errno == ENOTDIR || errno == ELOOP { throw .notAFolder(path: name) }
            throw .unreachable(path: name, errno: errno)
        }
        do throws(Distrust) {
            let isEverybodys = leave.contains(.everybodys) && everybodysFolders.contains(name)
            try check(folder, name, sticky: isEverybodys)
            return folder
        } catch {
            _ = close(folder)
            throw error
        }
    }

    /// Looks at an open folder: ours, root's or `also`'s, and not to be written by others.
    package static func check(folder: Int32, _ path: String, also: UInt32? = nil) throws(Distrust) {
        try check(folder, path, also: also)
    }

    /// Looks at an open file: a plain one, ours or root's, and not to be written by others.
    /// - Parameter isSecret: nor to be read by them.
    package static func check(file: Int32, _ path: String, isSecret: Bool = false) throws(Distrust) {
        var facts = stat()
        guard unsafe fstat(file, &facts) == 0 else { throw .unreachable(path: path, errno: errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        try check(facts, path)
        if isSecret, facts.st_mode & 0o044 != 0 { throw .readable(path: path, mode: facts.st_mode & 0o7777) }
    }

    /// Opens a file for reading that may be missing; the caller closes it.
    /// - Returns: nil when there is none.
    package static func openFile(_ path: String, isSecret: Bool) throws(Distrust) -> Int32? {
        guard unsafe faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT else { return nil }
        _ = try refuseForeignLink(path, mayBeLink: true)
        // A pipe in its place must not keep us waiting for a writer.
        let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreachable(path: path, errno: errno)
        }
        do throws(Distrust) {
            try check(file: file, path, isSecret: isSecret)
            return file
        } catch {
            _ = close(file)
            throw error
        }
    }

    private static func check(
        _ folder: Int32,
        _ path: String,
        sticky: Bool = false,
        also: UInt32? = nil
    ) throws(Distrust) {
        var facts = stat()
        guard unsafe fstat(folder, &facts) == 0 else { throw .unreachable(path: path, errno: errno) }
        guard facts.st_mode & S_IFMT == S_IFDIR else { throw .notAFolder(path: path) }
        if sticky, facts.st_uid == 0, facts.st_mode & S_ISVTX != 0 { return }
        try check(facts, path, also: also)
    }

    private static func check(_ facts: stat, _ path: String, also: UInt32? = nil) throws(Distrust) {
        guard [0, geteuid(), also].contains(facts.st_uid) else { throw .foreign(path: path, owner: facts.st_uid) }
        guard facts.st_mode & 0o022 == 0 else { throw .writable(path: path, mode: facts.st_mode & 0o7777) }
    }

    /// Whether a link stands there, which root or we must have made.
    private static func refuseForeignLink(_ path: String, mayBeLink: Bool) throws(Distrust) -> Bool {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { throw .unreachable(path: path, errno: errno) }
        guard facts.st_mode & S_IFMT == S_IFLNK else { return false }
        guard mayBeLink else { throw .link(path: path) }
        guard [0, geteuid()].contains(facts.st_uid) else { throw .foreign(path: path, owner: facts.st_uid) }
        return true
    }
}
