import Logging
import Synchronization

/// Logs what may happen to every call at the same time: at most one line a second for each text, with the number of times.
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

    /// Logs the text, or counts it for the next line of the same text.
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
