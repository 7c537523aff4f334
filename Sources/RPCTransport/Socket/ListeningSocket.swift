package import FileTrust
import Glibc
import NIOCore
import Synchronization

/// Why a socket could not be opened.
package enum ListeningSocketError: Error, Sendable, Equatable {
    /// The path is longer than a socket address holds, in bytes.
    case pathTooLong(path: String, limit: Int)
    /// Another daemon holds the lock; its pid when the lock file tells it.
    case held(path: String, pid: Int32?)
    /// A file that is no socket is at the path.
    case notASocket(path: String)
    /// Others can write in its folder or its lock, so that another user could replace the socket.
    case untrusted(Distrust)
    /// The folder was replaced by another one meanwhile.
    case folderChanged(path: String)
    /// More than one group needs an access list, which the file system does not support.
    case oneGroupOnly(path: String)
    /// The operating system refused a step.
    case system(step: String, path: String, errno: Int32)
}

extension ListeningSocketError: CustomStringConvertible {
    /// One sentence for people.
    package var description: String {
        switch self {
        case .pathTooLong(let path, let limit):
            "the path \(path) has \(path.utf8.count) bytes, and a socket's path may have \(limit)"
        case .held(let path, let pid): "another daemon\(pid.map { " (pid \($0))" } ?? "") has \(path)"
        case .notASocket(let path): "\(path) is there and is no socket"
        case .untrusted(let distrust): "\(distrust)"
        case .folderChanged(let path): "the folder of \(path) was replaced meanwhile"
        case .oneGroupOnly(let path):
            "the file system of \(path) lets only one group in; use one group, or another folder"
        case .system(let step, let path, let errno):
            "cannot \(step) at \(path): \(unsafe String(cString: strerror(errno)))"
        }
    }
}

/// A Unix socket that listens at a path, and the lock of the daemon that serves there.
///
/// A missing folder is made with mode 0700, an existing one is left as it is. It must be a
/// folder and no link, belong to us or root and not be writable for others, or be one of the system's like `/tmp`: a
/// user who may write in it could replace our socket. A stale socket is removed only under the lock. The socket's mode
/// is set before it appears at its path, whatever the umask.
package final class ListeningSocket: Sendable {
    /// Longest path in bytes.
    package static let longestPath = 107

    /// Where it listens.
    package let path: String
    private let lock: LockFile
    private let descriptor: Mutex<Int32?>

    /// Opens a socket at `path`.
    /// - Parameter groups: members of these groups may connect too (mode 0660, and an access list beyond the first);
    ///   none: only the owner (0600).
    package init(path: String, groups: [UInt32] = []) throws(ListeningSocketError) {
        guard path.utf8.count <= ListeningSocket.longestPath else {
            throw .pathTooLong(path: path, limit: ListeningSocket.longestPath)
        }
        let folder = try ListeningSocket.openFolder(of: path)
        defer { _ = Glibc.close(folder) }
        let lock = try LockFile(path: path)
        do throws(ListeningSocketError) {
            try ListeningSocket.removeStale(path)
            let bound = try ListeningSocket.bind(path, groups: groups)
            descriptor = Mutex(bound)
            guard ListeningSocket.isFolder(folder, of: path) else {
                _ = Glibc.close(bound)
                throw .folderChanged(path: path)
            }
        } catch {
            lock.release()
            throw error
        }
        self.path = path
        self.lock = lock
    }

    /// Removes the socket and the lock; connections that were accepted stay open.
    package func close() {
        if let descriptor = releaseDescriptor() { _ = Glibc.close(descriptor) }
        _ = unsafe unlink(path)
        lock.release()
    }

    /// Gives the descriptor to the caller, once; the caller closes it.
    func releaseDescriptor() -> Int32? {
        descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
    }

    /// Makes the folder of a path if it is missing, and opens it if it can be trusted.
    private static func openFolder(of path: String) throws(ListeningSocketError) -> Int32 {
        let folder = SocketFolder.path(of: path)
        if unsafe mkdir(folder, 0o700) == 0 {
            // The umask may have taken bits away from the owner.
            _ = unsafe fchmodat(AT_FDCWD, folder, 0o700, AT_SYMLINK_NOFOLLOW)
        } else if errno != EEXIST {
            throw .system(step: "make the folder", path: folder, errno: errno)
        }
        do throws(Distrust) {
            return try TrustedFile.openFolder(folder, .everybodys)
        } catch {
            throw .untrusted(error)
        }
    }

    /// Whether the opened folder is still the one at the path.
    private static func isFolder(_ folder: Int32, of path: String) -> Bool {
        var opened = stat()
        var there = stat()
        guard unsafe fstat(folder, &opened) == 0, unsafe lstat(SocketFolder.path(of: path), &there) == 0 else {
            return false
        }
        return opened.st_ino == there.st_ino && opened.st_dev == there.st_dev
    }

    private static func removeStale(_ path: String) throws(ListeningSocketError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw .system(step: "look at", path: path, errno: errno) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        guard unsafe unlink(path) == 0 else { throw .system(step: "remove the stale socket", path: path, errno: errno) }
    }

    private static func bind(_ path: String, groups: [UInt32]) throws(ListeningSocketError) -> Int32 {
        func failure(_ step: String) -> ListeningSocketError {
            .system(step: step, path: path, errno: errno)
        }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw failure("make the socket") }
        do throws(ListeningSocketError) {
            // The file that bind makes takes the socket's own mode; before bind it cannot be reached.
            guard fchmod(descriptor, 0o600) == 0 else { throw failure("set the mode") }
            guard let address = try? SocketAddress(unixDomainSocketPath: path) else {
                throw .pathTooLong(path: path, limit: longestPath)
            }
            let bound = unsafe address.withSockAddr { unsafe Glibc.bind(descriptor, $0, socklen_t($1)) }
            guard bound == 0 else { throw failure("bind") }
            if let group = groups.first {
                guard unsafe chown(path, uid_t.max, group) == 0 else { throw failure("give to the group") }
                guard unsafe chmod(path, 0o660) == 0 else { throw failure("open to the group") }
                if groups.count > 1, !AccessList.open(path, to: Array(groups.dropFirst())) {
                    throw .oneGroupOnly(path: path)
                }
            }
            guard listen(descriptor, 512) == 0 else { throw failure("listen") }
            return descriptor
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }
}
