import JSON
import NIOCore

/// Where a stream stands: up to which number it told what everybody is told, and what is its person's own. The two come by
/// subscriptions of their own, so that one may be ahead of the other.
struct StreamPlace: Sendable, Equatable {
    var shared: Int64
    var own: Int64

    /// The same of both: where a page's reads began.
    init(_ number: Int64) { self.init(shared: number, own: number) }

    init(shared: Int64, own: Int64) {
        self.shared = shared
        self.own = own
    }

    /// As `Last-Event-ID` brings it back: one number or two.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) }
        guard parts.count <= 2, let shared = parts.first ?? nil, let own = parts.last ?? nil else { return nil }
        self.init(shared: shared, own: own)
    }

    var text: String { shared == own ? "\(shared)" : "\(shared).\(own)" }
}

/// One block of a stream but for its id, which is not the same for every reader.
struct Frame: Sendable, Equatable {
    /// The number of the last event that it tells.
    let sequence: Int64
    /// The same storage for all readers, however many there are.
    private let body: ByteBuffer

    init(_ event: String, _ data: JSONObject, sequence: Int64 = 0) {
        self.sequence = sequence
        // JSON has no line feed.
        body = ByteBuffer(bytes: Array("event: \(event)\ndata: ".utf8) + data.serialized() + Array("\n\n".utf8))
    }

    /// What is sent, part by part, to a reader who stands here after it; one without a place is not come back to.
    func parts(at place: StreamPlace?) -> [ByteBuffer] {
        place.map { [ByteBuffer(string: "id: \($0.text)\n"), body] } ?? [body]
    }

    /// The same in one piece, for the many who stand at one place: one write for each.
    func whole(at place: StreamPlace) -> ByteBuffer {
        var whole = ByteBuffer(string: "id: \(place.text)\n")
        whole.writeImmutableBuffer(body)
        return whole
    }

    var bytes: Int { body.readableBytes }
}

/// The last frames that were sent, so that a reader who comes back misses none.
struct Backlog: Sendable {
    static let frames = 512
    /// Under full load one frame tells of a thousand things: who missed more than this reads the page anew.
    static let bytes = 4 << 20

    private let most: Int
    private let mostBytes: Int
    private var kept: [Frame] = []
    private var bytes = 0
    /// The number before the oldest frame's events; nothing after it is missing here.
    private var start: Int64 = 0

    init(keeping most: Int = Backlog.frames, bytes mostBytes: Int = Backlog.bytes) {
        self.most = most
        self.mostBytes = mostBytes
    }

    mutating func begin(at number: Int64) {
        guard kept.isEmpty else { return }
        start = number
    }

    mutating func add(_ frame: Frame) {
        kept.append(frame)
        bytes += frame.bytes
        while kept.count > most || bytes > mostBytes, let oldest = kept.first {
            start = oldest.sequence
            bytes -= oldest.bytes
            kept.removeFirst()
        }
    }

    /// The frames with events after a number; nil when some of them are no longer kept.
    func after(_ number: Int64) -> [Frame]? {
        guard number >= start else { return nil }
        return kept.filter { $0.sequence > number }
    }
}
