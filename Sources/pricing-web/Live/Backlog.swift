/// The last frames that were sent, so that a reader who comes back misses none.
struct Backlog: Sendable {
    static let frames = 512

    private var kept: [(sequence: Int64, bytes: [UInt8])] = []
    /// The number before the oldest frame's events; nothing after it is missing here.
    private var start: Int64 = 0

    mutating func begin(at number: Int64) {
        guard kept.isEmpty else { return }
        start = number
    }

    mutating func add(_ sequence: Int64, _ bytes: [UInt8]) {
        if kept.count == Backlog.frames { start = kept.removeFirst().sequence }
        kept.append((sequence, bytes))
    }

    /// The frames with events after a number; nil when some of them are no longer kept.
    func after(_ number: Int64) -> [[UInt8]]? {
        guard number >= start else { return nil }
        return kept.filter { $0.sequence > number }.map(\.bytes)
    }
}
