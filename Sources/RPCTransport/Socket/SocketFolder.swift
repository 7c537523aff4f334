import Glibc

/// The folder that a socket stands in, and what it says of who may serve there.
enum SocketFolder {
    /// The folder of a socket's path; `.` when the path names none.
    static func path(of socket: String) -> String {
        guard let slash = socket.lastIndex(of: "/") else { return "." }
        let folder = socket[..<slash]
        // More than one slash, as at its end, would lead through a link.
        guard let last = folder.lastIndex(where: { $0 != "/" }) else { return "/" }
        return String(folder[...last])
    }

    /// Whether the folder's owner may serve a client that looks there.
    ///
    /// Not in `/tmp/pricingd-<uid>`: any user can make that folder, and its name says whose it has to be. Nor where the
    /// folder could have been put there by another user, through a link or in a folder that all may write.
    static func vouches(for uid: UInt32, socket: String) -> Bool {
        let folder = path(of: socket)
        if let owner = namedOwner(of: folder) { return owner == uid }
        var facts = stat()
        guard unsafe lstat(folder, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == uid else {
            return false
        }
        return areAncestorsKept(folder, by: [0, geteuid(), uid])
    }

    /// Whose the folder must be by its name.
    private static func namedOwner(of folder: String) -> UInt32? {
        let parts = folder.split(separator: "/").filter { $0 != "." }
        guard folder.hasPrefix("/"), parts.count == 2, parts[0] == "tmp", parts[1].hasPrefix("pricingd-") else {
            return nil
        }
        return UInt32(parts[1].dropFirst("pricingd-".count))
    }

    /// Whether only these can put another folder in the place of this one.
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
