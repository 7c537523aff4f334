import Glibc

/// Cuts a stream of bytes into lines, whatever pieces it comes in. Pure: it holds bytes and does no I/O.
///
/// LF ends a line, a CR before it is dropped, blank lines are skipped. A line beyond the limit is dropped as it
/// arrives and reported once, at its LF; the next line is read as usual.
package struct LineFramer: Sendable {
    /// What was found in the stream.
    package enum Item: Sendable, Equatable {
        /// One line without its end, at most `limit` bytes.
        case line(ArraySlice<UInt8>)
        /// A line of `bytes` bytes was thrown away. `closes`: it was the third in a row.
        case oversize(bytes: Int, closes: Bool)
    }

    /// This many oversize lines in a row end a connection.
    package static let oversizeLinesThatClose = 3

    private let limit: Int
    private var buffer: [UInt8] = []
    /// Where the line that is being gathered starts in `buffer`.
    private var start = 0
    /// Up to where `buffer` is known to hold no LF.
    private var scanned = 0
    /// Bytes of the current line that were thrown away already.
    private var discarded = 0
    private var oversizeInRow = 0

    /// - Parameter limit: Longest line in bytes, its end not counted.
    package init(limit: Int) {
        self.limit = max(limit, 1)
    }

    /// Whether the stream stands in the middle of a line.
    package var holdsPartialLine: Bool { discarded > 0 || start < buffer.count }

    /// Takes the next bytes of the stream. Call `next()` until nil before feeding more.
    package mutating func feed(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            scanned -= start
            start = 0
        }
        // A long line is rare, so its memory is freed after it.
        if buffer.isEmpty, buffer.capacity > 256 << 10 { buffer = [] }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole line, or nil when more bytes are needed.
    package mutating func next() -> Item? {
        while let end = nextLF {
            let line = buffer[start..<end]
            start = end + 1
            scanned = start
            if let item = item(line) { return item }
        }
        scanned = buffer.count
        // One byte more than the limit may be the CR of a line that just fits.
        if discarded > 0 || buffer.count - start > limit + 1 {
            // The last byte stays: it may be the CR before a LF that has not come yet.
            discarded += max(0, buffer.count - start - 1)
            start = max(start, buffer.count - 1)
        }
        return nil
    }

    /// Where the next LF stands. The C library looks at many bytes at a time, which counts where a peer sends lines without
    /// end: meanwhile the connections beside it on its event loop wait.
    private var nextLF: Int? {
        unsafe buffer.withUnsafeBytes { bytes in
            guard let first = bytes.baseAddress,
                let end = unsafe memchr(first + scanned, Int32(UInt8(ascii: "\n")), bytes.count - scanned)
            else { return nil }
            return unsafe UnsafeRawPointer(end) - first
        }
    }

    /// The stream has ended: what stands after the last LF, as if LF followed.
    package mutating func finish() -> Item? {
        guard holdsPartialLine else { return nil }
        let line = buffer[start...]
        start = buffer.count
        scanned = start
        return item(line)
    }

    private mutating func item(_ gathered: ArraySlice<UInt8>) -> Item? {
        let line = gathered.last == UInt8(ascii: "\r") ? gathered.dropLast() : gathered
        let length = discarded + line.count
        discarded = 0
        if length > limit {
            oversizeInRow += 1
            return .oversize(bytes: length, closes: oversizeInRow >= LineFramer.oversizeLinesThatClose)
        }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
        oversizeInRow = 0
        return .line(line)
    }
}
