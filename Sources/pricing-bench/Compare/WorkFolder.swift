import Glibc
import Subprocess
import SystemPackage

/// A temporary folder of our own.
struct WorkFolder: Sendable {
    let path: String

    private init() throws(BenchFailure) {
        var template = Array("/tmp/pricing-bench-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw .file("/tmp", errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Lends a new one to `body`, and removes it with all that is inside, even when the task was cancelled.
    static func with<Value: Sendable>(_ body: (WorkFolder) async throws -> Value) async throws -> Value {
        let folder = try WorkFolder()
        do {
            let value = try await body(folder)
            await folder.remove()
            return value
        } catch {
            await folder.remove()
            throw error
        }
    }

    private func remove() async {
        await Task {
            _ = try? await Subprocess.run(.path("/bin/rm"), arguments: ["-rf", "--", path], output: .discarded)
        }
        .value
    }

    /// What its disk has room for, in bytes.
    func freeBytes() throws(BenchFailure) -> Int64 {
        var disk = statvfs()
        guard unsafe statvfs(path, &disk) == 0 else { throw .file(path, errno: errno) }
        return Int64(disk.f_bavail) * Int64(disk.f_frsize)
    }

    /// Writes a file anew; its path.
    func write(_ name: String, _ text: String) throws(BenchFailure) -> String {
        let file = "\(path)/\(name)"
        guard let open = unsafe fopen(file, "we") else { throw .file(file, errno: errno) }
        let bytes = Array(text.utf8)
        let written = unsafe fwrite(bytes, 1, bytes.count, open)
        guard unsafe fclose(open) == 0, written == bytes.count else { throw .file(file, errno: errno) }
        return file
    }

    /// A whole file as text.
    static func read(_ file: String) throws(BenchFailure) -> String {
        guard let open = unsafe fopen(file, "re") else { throw .file(file, errno: errno) }
        defer { unsafe _ = fclose(open) }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, open)
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += piece[..<count]
        }
    }

    /// The names in it that begin so.
    func names(prefix: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
            }
            if name.hasPrefix(prefix) { names.append(name) }
        }
        return names
    }
}
