import CMalloc
import JSONRPC
import Synchronization

/// What waits to be written to all peers together. Each may have as much waiting as is still free: the more peers do not
/// read, the less each of them is given, so that the sum stays below its limit however many they are.
final class OutputBudget: Sendable {
    /// What every peer may have waiting: a reply or some events.
    private static let leastBytes = 64 << 10
    /// The sum that is worth giving back to the system once it is gone.
    private static let muchBytes = 16 << 20

    private let most: Int
    private let waiting = Atomic(0)
    private let peak = Atomic(0)

    init(_ limits: TransportLimits) {
        most = limits.outputTotalBytes
    }

    func add(_ bytes: Int) {
        let now = waiting.add(bytes, ordering: .relaxed).newValue
        peak.max(now, ordering: .relaxed)
    }

    func remove(_ bytes: Int) {
        waiting.subtract(bytes, ordering: .relaxed)
    }

    /// Bytes that wait to be written.
    var waitingBytes: Int { waiting.load(ordering: .relaxed) }

    /// How many bytes one peer may have waiting now.
    var shareBytes: Int { max(Self.leastBytes, most - waitingBytes) }

    /// Gives memory back to the system after much has waited; the allocator would keep it. To be called regularly.
    func giveBack() {
        let most = peak.load(ordering: .relaxed)
        guard most >= Self.muchBytes, waitingBytes < most / 8 else { return }
        peak.store(0, ordering: .relaxed)
        malloc_trim(0)
    }
}
