import Glibc

/// A whole file as text.
package enum TextFile {
    /// A file that could not be read or written.
    package struct Failure: Error, CustomStringConvertible {
        let path: String
        let verb: String
        let errno: Int32

        package var description: String { unsafe "cannot \(verb) \(path): \(String(cString: strerror(errno)))" }
    }

    /// The file's text without a byte order mark; what is not UTF-8 is replaced.
    package static func read(_ path: String) throws(Failure) -> String {
        let bytes = try bytes(of: path)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return String(decoding: bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...], as: UTF8.self)
    }

    /// The file as it is.
    package static func bytes(of path: String) throws(Failure) -> [UInt8] {
        guard let file = unsafe fopen(path, "re") else { throw Failure(path: path, verb: "read", errno: errno) }
        defer { unsafe _ = fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        guard unsafe ferror(file) == 0 else { throw Failure(path: path, verb: "read", errno: errno) }
        return bytes
    }

    /// Writes the file anew.
    package static func write(_ text: String, to path: String) throws(Failure) {
        guard let file = unsafe fopen(path, "we") else { throw Failure(path: path, verb: "write", errno: errno) }
        let bytes = Array(text.utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
        guard unsafe fclose(file) == 0, written == bytes.count else {
            throw Failure(path: path, verb: "write", errno: errno)
        }
    }
}
