import CLibPQ
import Glibc

/// The server's processes, recognized by their working folder, since a process id may belong to another process by now.
struct ServerProcess {
    private let cluster: Descriptor

    init(cluster: Descriptor) {
        self.cluster = cluster
    }

    /// The process id of the running server, from its `postmaster.pid`; nil when it is not running.
    var running: pid_t? {
        guard let line = cluster.text(of: "postmaster.pid")?.split(separator: "\n").first, let pid = pid_t(line),
            pid > 0, worksHere(pid)
        else { return nil }
        return pid
    }

    /// Whether the server says that it accepts connections.
    var isReady: Bool {
        let lines = cluster.text(of: "postmaster.pid")?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
        return lines.count > 7 && lines[7].hasPrefix("ready")
    }

    /// Ends what a killed server left behind: a new one refuses to start while they use the shared memory, or while the
    /// process id in its two lock files exists, even as a zombie or as an unrelated process that got the same id.
    /// - Returns: how many there were.
    func endLeftovers(socketFolder: Descriptor) -> Int {
        let orphans = processes().filter { worksHere($0) }
        for pid in orphans { end(pid, SIGQUIT, waitMilliseconds: 2000, else: SIGKILL) }
        unsafe _ = unlinkat(cluster.number, "postmaster.pid", 0)
        unsafe _ = unlinkat(socketFolder.number, ".s.PGSQL.5432.lock", 0)
        return orphans.count
    }

    /// Fast shutdown; after 30 s an immediate one.
    func stop() {
        guard let pid = running else { return }
        end(pid, SIGINT, waitMilliseconds: 30_000, else: SIGQUIT)
    }

    /// Signals a process and waits for its end; signals again when it takes too long, and waits 5 s more.
    private func end(_ pid: pid_t, _ signal: Int32, waitMilliseconds: Int32, else second: Int32) {
        let process = pidfd_open(pid, 0)
        guard process >= 0 else { return }
        defer { close(process) }
        guard worksHere(pid) else { return }
        kill(pid, signal)
        if waitUntilReady(process, POLLIN, or: -1, milliseconds: waitMilliseconds).descriptor { return }
        kill(pid, second)
        _ = waitUntilReady(process, POLLIN, or: -1, milliseconds: 5000)
    }

    /// Whether a process is a `postgres` whose working folder is our cluster.
    private func worksHere(_ pid: pid_t) -> Bool {
        var ours = stat()
        var its = stat()
        guard unsafe fstat(cluster.number, &ours) == 0, unsafe stat("/proc/\(pid)/cwd", &its) == 0,
            ours.st_dev == its.st_dev, ours.st_ino == its.st_ino
        else { return false }
        let file = unsafe open("/proc/\(pid)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var name: [UInt8] = Array(repeating: 0, count: 16)
        let count = unsafe read(file, &name, name.count)
        return count > 0 && String(decoding: name.prefix(count), as: UTF8.self).hasPrefix("postgres")
    }

    private func processes() -> [pid_t] {
        guard let folder = unsafe opendir("/proc") else { return [] }
        defer { unsafe _ = closedir(folder) }
        var found: [pid_t] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
            }
            if let pid = pid_t(name) { found.append(pid) }
        }
        return found
    }
}
