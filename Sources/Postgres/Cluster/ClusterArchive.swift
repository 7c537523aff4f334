import FileTrust
import Glibc
import Logging

/// What a private cluster can be put back from, to any moment: whole copies of it, and its write-ahead log since the first.
///
/// Inside: `log`, which the server fills; `base`, with a file a copy, named by the moment at which it was whole; `system`,
/// the identifier of the cluster that it belongs to.
package struct ClusterArchive: Sendable {
    /// Absolute.
    package let path: String

    /// Only notes the folder.
    /// - Throws: `.settings` for a path that cannot stand in the commands that the server runs.
    package init(path: String) throws(PostgresError) {
        let special: Set<Character> = ["'", "\"", "\\", "`", "$", "%", "\n"]
        guard path.hasPrefix("/"), !path.contains(where: special.contains) else {
            throw PostgresError(.settings, "an archive's path begins with / and has no quotation mark, \\, `, $ or %")
        }
        self.path = path
    }

    var log: String { path + "/log" }
    var bases: String { path + "/base" }

    /// What the server runs for each finished file of its log. One that is there already, as after a crash, is well when it is
    /// the same.
    var storing: String {
        let there = "\"\(log)/%f\""
        let part = "\"\(log)/%f.part\""
        return
            "cmp -s \"%p\" \(there) || { test ! -e \(there) && cp \"%p\" \(part) && sync \(part) && mv \(part) \(there); }"
    }

    /// What the server runs for each file that it wants back.
    var fetching: String { "cp \"\(log)/%f\" \"%p\"" }

    /// Makes what is missing.
    func prepare(owner: ServerUser?) throws(PostgresError) {
        // The server's user has to get past it.
        for (folder, mode) in [(path, owner == nil ? 0o700 : 0o711), (log, 0o700), (bases, 0o700)] as [(String, mode_t)]
        {
            guard unsafe mkdir(folder, mode) == 0 || errno == EEXIST else { throw failure("\(folder) cannot be made") }
        }
        if let owner, unsafe chown(log, owner.userID, owner.groupID) != 0 {
            throw failure("\(log) cannot be given away")
        }
        do throws(Distrust) {
            close(try TrustedFile.openFolder(path, .link))
        } catch {
            throw PostgresError(.untrusted, "\(error)")
        }
    }

    /// Notes whose archive it is.
    /// - Throws: `.untrusted` when it is another cluster's.
    func claim(system: String) throws(PostgresError) {
        let file = unsafe open(path + "/system", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("\(path)/system cannot be opened") }
        defer { close(file) }
        let known = readText(file, limit: 64)
        if known.isEmpty {
            let bytes = Array(system.utf8)
            guard unsafe write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
                throw failure("\(path)/system cannot be written")
            }
        } else if known != system {
            throw PostgresError(.untrusted, "\(path) is the archive of another cluster; name a folder of its own")
        }
    }

    /// The moments of its copies, the newest last.
    var moments: [String] {
        guard let folder = unsafe opendir(bases) else { return [] }
        defer { unsafe _ = closedir(folder) }
        var found: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
            }
            if name.hasSuffix(".tar") { found.append(String(name.dropLast(4))) }
        }
        return found.sorted()
    }

    /// Opens the newest copy that was whole at a moment, or the newest of all.
    func base(before moment: String?) throws(PostgresError) -> Descriptor {
        let known = moments
        let fitting = moment.map { moment in known.filter { $0 <= moment } } ?? known
        guard let name = fitting.last else {
            let first = known.first.map { "its first copy is of \($0)" } ?? "it has no copy"
            throw PostgresError(.clusterFailed, "nothing in \(path) goes back so far: \(first)")
        }
        let file = unsafe open("\(bases)/\(name).tar", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("\(bases)/\(name).tar cannot be opened") }
        return Descriptor(owning: file)
    }

    /// Puts a whole copy into the archive; `write` fills the open file.
    func add(_ write: (Int32) async throws(PostgresError) -> Void) async throws(PostgresError) {
        let part = "\(bases)/\(getpid()).part"
        let file = Descriptor(owning: unsafe open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        guard file.number >= 0 else { throw failure("\(part) cannot be made") }
        defer { unsafe _ = unlink(part) }
        try await write(file.number)
        guard fsync(file.number) == 0, unsafe rename(part, "\(bases)/\(Self.now()).tar") == 0 else {
            throw failure("\(part) cannot be written")
        }
    }

    /// As in `20261128T093000Z`, rounded up, so that the moment is not before the copy was whole.
    private static func now() -> String {
        var seconds = time(nil) + 1
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        var text: [CChar] = Array(repeating: 0, count: 32)
        let count = unsafe strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func failure(_ what: String) -> PostgresError {
        unsafe PostgresError(.clusterFailed, "\(what): \(String(cString: strerror(errno)))")
    }
}
