import FileTrust
import Glibc

/// The lock beside a socket: a file held with `flock`, with the holder's pid in it.
///
/// The kernel frees it when the holder dies, however it dies.
struct LockFile: Sendable {
    private let path: String
    private let descriptor: Int32

    /// Takes the lock of the socket at `socketPath`.
    init(path socketPath: String) throws(ListeningSocketError) {
        let path = socketPath + ".lock"
        func failure(_ step: String) -> ListeningSocketError {
            .system(step: step, path: path, errno: errno)
        }
        // A holder removes its file when it ends, so the file that was locked must still be the one at the path.
        while true {
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw failure("open the lock") }
            do throws(Distrust) {
                try TrustedFile.check(file: descriptor, path)
            } catch {
                _ = close(descriptor)
                throw .untrusted(error)
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let error =
                    errno == EWOULDBLOCK
                    ? ListeningSocketError.held(path: socketPath, pid: LockFile.pid(in: descriptor))
                    : failure("lock")
                _ = close(descriptor)
                throw error
            }
            guard LockFile.isSame(descriptor, path) else {
                _ = close(descriptor)
                continue
            }
            let line = Array("\(getpid())\n".utf8)
            let written = unsafe line.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
            guard ftruncate(descriptor, off_t(line.count)) == 0, written == line.count else {
                let error = failure("write the lock")
                _ = close(descriptor)
                throw error
            }
            self.path = path
            self.descriptor = descriptor
            return
        }
    }

    /// Removes the file and releases the lock.
    func release() {
        _ = unsafe unlink(path)
        _ = close(descriptor)
    }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var held = stat()
        var there = stat()
        guard unsafe fstat(descriptor, &held) == 0, unsafe lstat(path, &there) == 0 else { return false }
        return held.st_ino == there.st_ino && held.st_dev == there.st_dev
    }

    private static func pid(in descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        let digits = bytes.prefix(max(count, 0)).prefix { $0 != UInt8(ascii: "\n") }
        return Int32(String(decoding: digits, as: UTF8.self))
    }
}
