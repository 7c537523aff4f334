import JSON
import JSONRPC
import Synchronization

/// Reads that many visitors ask for at the same time, made once: whoever comes while one runs waits for its reply, and for a
/// quarter of a second after it the reply is given again. What is not the same for everybody never goes through here.
final class SharedRead: Sendable {
    static let lifetime = Duration.milliseconds(250)

    /// What was read, which may be a moment old.
    struct Read: Sendable {
        let reply: JSONObject
        /// The stream's number from before it: the stream of a page that shows it goes on from there.
        let sequence: Int64
    }

    private enum Entry {
        case running([CheckedContinuation<Read?, any Error>])
        case done(Read, at: ContinuousClock.Instant)
    }

    private let daemon: DaemonLink
    private let hub: EventHub
    private let entries = Mutex<[[UInt8]: Entry]>([:])

    init(_ daemon: DaemonLink, _ hub: EventHub) {
        self.daemon = daemon
        self.hub = hub
    }

    func call(_ method: String, _ params: JSONObject = [:]) async throws -> Read {
        let key = Array(method.utf8) + params.serialized()
        if let fresh = entries.withLock({ SharedRead.fresh($0[key]) }) { return fresh }
        let isFirst = entries.withLock { entries in
            if case .running = entries[key] { return false }
            SharedRead.drop(&entries)
            entries[key] = .running([])
            return true
        }
        guard isFirst else { return try await wait(key, method, params) }
        let sequence = hub.sequence
        let result: Result<Read, any Error>
        do {
            result = .success(Read(reply: try await daemon.call(method, params), sequence: sequence))
        } catch { result = .failure(error) }
        let waiting = entries.withLock { entries -> [CheckedContinuation<Read?, any Error>] in
            guard case .running(let waiting) = entries[key] else { return [] }
            if case .success(let read) = result { entries[key] = .done(read, at: .now) } else { entries[key] = nil }
            return waiting
        }
        for waiter in waiting { waiter.resume(with: result.map(\.self)) }
        return try result.get()
    }

    private func wait(_ key: [UInt8], _ method: String, _ params: JSONObject) async throws -> Read {
        let read: Read? = try await withCheckedThrowingContinuation { continuation in
            let done = entries.withLock { entries -> Result<Read?, any Error>? in
                switch entries[key] {
                case .running(let waiting):
                    entries[key] = .running(waiting + [continuation])
                    return nil
                case .done(let read, _): return .success(read)
                case nil: return .success(nil)
                }
            }
            if let done { continuation.resume(with: done) }
        }
        // It ended between the two looks, and badly: now it is ours to make.
        return if let read { read } else { try await call(method, params) }
    }

    private static func fresh(_ entry: Entry?) -> Read? {
        guard case .done(let read, let at) = entry, ContinuousClock.now - at < lifetime else { return nil }
        return read
    }

    private static func drop(_ entries: inout [[UInt8]: Entry]) {
        guard entries.count > 256 else { return }
        entries = entries.filter { entry in
            if case .running = entry.value { true } else { fresh(entry.value) != nil }
        }
    }
}
