import Logging
import Synchronization

/// Says of what happens to every call for as long as it lasts one line a second, and how often it was since the last one.
final class StormLog: Sendable {
    private struct Storm {
        var isQuietUntil: ContinuousClock.Instant
        var unsaid = 0
    }

    private static let period = Duration.seconds(1)

    private let logger: Logger
    private let storms = Mutex<[String: Storm]>([:])

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Says it, or counts it for the next line of the same text.
    func warn(_ text: String, _ facts: Logger.Metadata, now: ContinuousClock.Instant = .now) {
        let count: Int? = storms.withLock { storms in
            let storm = storms[text] ?? Storm(isQuietUntil: now)
            let isSaid = now >= storm.isQuietUntil
            storms[text] =
                isSaid
                ? Storm(isQuietUntil: now + Self.period)
                : Storm(isQuietUntil: storm.isQuietUntil, unsaid: storm.unsaid + 1)
            return isSaid ? storm.unsaid + 1 : nil
        }
        guard let count else { return }
        logger.warning("\(text)", metadata: facts.merging(["times": "\(count)"]) { old, _ in old })
    }
}
