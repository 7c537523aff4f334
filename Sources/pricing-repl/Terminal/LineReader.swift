import Glibc

/// Lines of a file, a pipe or stdin, one at a time as they come; blocks while there are none.
struct LineReader: ~Copyable {
    private let descriptor: Int32
    private let isOwned: Bool
    private var buffer: [UInt8] = []
    private var isAtEnd = false
    private var isAtStart = true

    private static let chunkBytes = 65_536
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Reads from an open descriptor, which stays the caller's.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        isOwned = false
    }

    /// Nil when the file cannot be opened.
    init?(path: String) {
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        descriptor = opened
        isOwned = true
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// The next line without its ending; nil after the last. What is not UTF-8 is replaced, and a byte order mark at the
    /// very beginning, as Windows programs write it, is no part of the first line.
    mutating func next() -> String? {
        var searched = 0
        while true {
            if dropByteOrderMark() { searched = 0 }
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = buffer[..<end]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                let text = String(decoding: line, as: UTF8.self)
                buffer.removeFirst(end + 1)
                isAtStart = false
                return text
            }
            searched = buffer.count
            if isAtEnd {
                guard !buffer.isEmpty else { return nil }
                defer { buffer = [] }
                return String(decoding: buffer, as: UTF8.self)
            }
            fill()
        }
    }

    /// Once there is enough to tell; whether there was one.
    private mutating func dropByteOrderMark() -> Bool {
        guard isAtStart, buffer.count >= Self.byteOrderMark.count else { return false }
        isAtStart = false
        guard buffer.starts(with: Self.byteOrderMark) else { return false }
        buffer.removeFirst(Self.byteOrderMark.count)
        return true
    }

    private mutating func fill() {
        var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count > 0 { buffer += chunk.prefix(count) }
        if count == 0 || (count < 0 && errno != EINTR) { isAtEnd = true }
    }
}
