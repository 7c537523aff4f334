/// A list of C strings in one buffer: parameters of a statement, keywords of a connection.
struct CStrings {
    private var buffer: [UInt8] = []
    private var offsets: [Int?] = []

    /// The number of strings, nulls included.
    var count: Int { offsets.count }

    /// Adds a null pointer.
    mutating func appendNull() {
        offsets.append(nil)
    }

    /// Adds one string; false, and nothing added, when it holds a NUL byte and so would be cut short.
    mutating func append(_ bytes: some Collection<UInt8>) -> Bool {
        guard !bytes.contains(0) else { return false }
        offsets.append(buffer.count)
        buffer.append(contentsOf: bytes)
        buffer.append(0)
        return true
    }

    /// Lends the pointers, valid inside `body` only.
    func withPointers<Result, Failure: Error>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe buffer.withUnsafeBufferPointer { bytes throws(Failure) in
            var pointers: [UnsafePointer<CChar>?] = unsafe []
            unsafe pointers.reserveCapacity(offsets.count)
            for offset in offsets {
                guard let offset, let base = bytes.baseAddress else {
                    unsafe pointers.append(nil)
                    continue
                }
                unsafe pointers.append(UnsafeRawPointer(base + offset).assumingMemoryBound(to: CChar.self))
            }
            return try unsafe pointers.withUnsafeBufferPointer { list throws(Failure) in
                try unsafe body(list.baseAddress)
            }
        }
    }
}
