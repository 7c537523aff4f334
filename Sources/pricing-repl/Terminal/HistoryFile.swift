import Glibc
import JSON

/// What was typed, one JSON line an entry, appended by every session and read by all.
struct HistoryFile {
    let path: String
    /// How far this session has read.
    private var offset = 0
    /// What of the last line was there.
    private var rest: [UInt8] = []

    /// At the start so much of the file's end is read.
    private static let readAtStartMax = 1 << 20

    init(path: String) { self.path = path }

    /// `$XDG_STATE_HOME/pricing/history.jsonl`, else under `~/.local/state`; nil without a home.
    static func path(environment: (String) -> String?) -> String? {
        if let state = environment("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/pricing/history.jsonl" }
        guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.local/state/pricing/history.jsonl"
    }

    /// Whether a text may be kept: not what begins with a space, and nothing that names a secret member.
    static func keeps(_ text: String, secrets: Set<String>) -> Bool {
        guard let first = text.first, !first.isWhitespace else { return false }
        let compact = text.lowercased().filter { !$0.isWhitespace }
        return secrets.allSatisfy { name in
            compact.split(separator: name.lowercased(), omittingEmptySubsequences: false).dropFirst().allSatisfy {
                !$0.hasPrefix("=") && !$0.hasPrefix("\":") && !$0.hasPrefix("':") && !$0.hasPrefix(":")
            }
        }
    }

    /// Adds one entry in one write, which others' do not tear. False when that fails.
    @discardableResult
    func append(_ text: String, at seconds: Int64) -> Bool {
        guard Self.makeFolders(above: path) else { return false }
        let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        let entry: JSONValue = ["at": .integer(seconds), "text": .string(text)]
        let line = entry.serialized() + [0x0A]
        return unsafe line.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) } == line.count
    }

    /// What was added since the last look, by anybody, the oldest first.
    mutating func news() -> [String] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        if size < offset { (offset, rest) = (0, []) }
        let isStart = offset == 0
        if isStart, size > Self.readAtStartMax { offset = size - Self.readAtStartMax }
        guard size > offset, lseek(file, offset, SEEK_SET) == offset else { return [] }
        var bytes = [UInt8](repeating: 0, count: size - offset)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return [] }
        offset += count
        return entries(adding: bytes.prefix(count))
    }

    /// The whole lines of what is there now; what is no entry is passed over.
    private mutating func entries(adding bytes: ArraySlice<UInt8>) -> [String] {
        rest += bytes
        var texts: [String] = []
        var start = rest.startIndex
        while let end = rest[start...].firstIndex(of: 0x0A) {
            if let text = (try? JSONParser.parse(Array(rest[start..<end])))?["text"]?.string { texts.append(text) }
            start = end + 1
        }
        rest.removeFirst(start)
        return texts
    }

    /// Makes the folders above `path`, private to this user. False when that fails.
    private static func makeFolders(above path: String) -> Bool {
        var folder = ""
        for name in path.split(separator: "/").dropLast() {
            folder += "/" + name
            if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }
}
