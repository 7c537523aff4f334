import FileTrust
import Glibc

/// The folder of a socket, and which users may serve there.
enum SocketFolder {
    /// The folder of a socket's path; `.` when the path names none.
    static func path(of socket: String) -> String {
        guard let slash = socket.lastIndex(of: "/") else { return "." }
        let folder = socket[..<slash]
        // Trailing slashes are removed: with them a link would be followed.
        guard let last = folder.lastIndex(where: { $0 != "/" }) else { return "/" }
        return String(folder[...last])
    }

    /// Whether the folder's owner may serve a client that looks there.
    ///
    /// In a `SharedSocketFolder` only the user in its name may. Elsewhere not where another user could have put the folder
    /// there, through a link or in a folder that all may write.
    static func vouches(for uid: UInt32, socket: String) -> Bool {
        let folder = path(of: socket)
        if let owner = SharedSocketFolder.owner(of: folder) { return owner == uid }
        var facts = stat()
        guard unsafe lstat(folder, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == uid else {
            return false
        }
        return areAncestorsKept(folder, by: [0, geteuid(), uid])
    }

    /// Whether only these users can replace the folder.
    private static func areAncestorsKept(_ folder: String, by owners: Set<UInt32>) -> Bool {
        guard let resolved = unsafe realpath(folder, nil) else { return false }
        var ancestor = unsafe String(cString: resolved)
        unsafe free(resolved)
        while ancestor != "/" {
            ancestor = path(of: ancestor)
            var facts = stat()
            guard unsafe lstat(ancestor, &facts) == 0, owners.contains(facts.st_uid),
                facts.st_mode & 0o002 == 0 || facts.st_mode & S_ISVTX != 0
            else { return false }
        }
        return true
    }
}
