import Glibc

/// What the system says of this process, under the names that every collector knows.
struct ProcessFigures: Sendable {
    let residentBytes: Int64
    let virtualBytes: Int64
    let cpuSeconds: Double
    let threads: Int64
    let openFiles: Int64
    let mostFiles: Int64
    /// Seconds since 1970.
    let started: Double

    /// nil where `/proc` cannot be read.
    static func current() -> ProcessFigures? {
        // The name in the second field may hold blanks and brackets; what is counted comes after it.
        guard let line = text(of: "/proc/self/stat"), let end = line.lastIndex(of: ")"),
            let boot = bootTime()
        else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ").map { Int64($0) ?? 0 }
        guard fields.count > 21 else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessFigures(
            residentBytes: fields[21] * Int64(sysconf(Int32(_SC_PAGESIZE))),
            virtualBytes: fields[20],
            cpuSeconds: Double(fields[11] + fields[12]) / ticks,
            threads: fields[17],
            openFiles: entries(of: "/proc/self/fd"),
            mostFiles: Int64(clamping: limit.rlim_cur),
            started: boot + Double(fields[19]) / ticks
        )
    }

    /// When the machine was started, in seconds since 1970.
    private static func bootTime() -> Double? {
        var now = timespec()
        var up = timespec()
        guard unsafe clock_gettime(CLOCK_REALTIME, &now) == 0, unsafe clock_gettime(CLOCK_BOOTTIME, &up) == 0 else {
            return nil
        }
        return Double(now.tv_sec - up.tv_sec) + Double(now.tv_nsec - up.tv_nsec) / 1e9
    }

    private static func text(of path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }

    private static func entries(of path: String) -> Int64 {
        guard let folder = unsafe opendir(path) else { return 0 }
        defer { unsafe _ = closedir(folder) }
        var count: Int64 = -3  // itself, and the two that stand for the folders
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}

extension MetricsText {
    /// Which build of a program runs, and what its process takes of the machine.
    package mutating func addProcess(_ program: String, version: String) {
        describe("\(program)_build_info", "gauge", "1, with the version of the program.")
        sample("\(program)_build_info", [("version", version)], "1")
        guard let figures = ProcessFigures.current() else { return }
        gauge("process_resident_memory_bytes", "Memory in use.", figures.residentBytes)
        gauge("process_virtual_memory_bytes", "Memory asked for.", figures.virtualBytes)
        gauge("process_threads", "Threads.", figures.threads)
        gauge("process_open_fds", "Open descriptors.", figures.openFiles)
        gauge("process_max_fds", "Most open descriptors.", figures.mostFiles)
        describe("process_cpu_seconds_total", "counter", "Time of the processors.")
        sample("process_cpu_seconds_total", [], "\(figures.cpuSeconds)")
        describe("process_start_time_seconds", "gauge", "When the process was started, in seconds since 1970.")
        sample("process_start_time_seconds", [], "\(figures.started)")
    }
}
