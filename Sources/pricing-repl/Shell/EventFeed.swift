import JSON
import PricingProtocol
import RPCTransport
import Synchronization

/// Carries what comes unasked to the prompt: waits while a command runs, asks for the titles, prints above the line.
final class EventFeed: Sendable {
    private let feed = Mutex(Feed())
    private let titles = Mutex<[Int64: String]>([:])
    private let view: SessionView
    private let announcements: Announcements
    private let console: Console
    private let kicks: AsyncStream<Void>
    private let kicked: AsyncStream<Void>.Continuation

    /// So many titles are kept.
    private static let titlesMax = 10_000
    private static let titleWait = Duration.milliseconds(300)

    /// - Parameter console: whose width the lines fit.
    init(view: SessionView, announcements: Announcements, console: Console) {
        self.view = view
        self.console = console
        self.announcements = announcements
        (kicks, kicked) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func take(method: String, parameters: JSONObject) {
        feed.withLock { feed in
            if method == Events.Notice.event, let change = Change(parameters) {
                feed.take(change)
            } else {
                feed.take(text: EventText.line(method: method, parameters: parameters))
            }
        }
        kick()
    }

    func take(text: String) {
        feed.withLock { $0.take(text: text) }
        kick()
    }

    /// nil turns it over; what to tell the operator.
    func mute(_ wanted: Bool?) -> String {
        let (isMuted, missed) = feed.withLock { feed in
            let missed = feed.mute(wanted ?? !feed.isMuted)
            return (feed.isMuted, missed)
        }
        if isMuted { return "events are muted; \\mute off shows them again" }
        return missed > 0 ? "events are shown again; \(missed) came meanwhile" : "events are shown"
    }

    /// Looks whether something can be shown.
    func kick() { kicked.yield() }

    /// Shows what comes while a line is typed, until the task is cancelled.
    func run() async {
        for await _ in kicks {
            while announcements.isReading, !Task.isCancelled {
                let batch = feed.withLock { $0.next(at: .now) }
                if !batch.isEmpty { announcements.put(.text(await text(of: batch))) }
                guard let wait = feed.withLock({ $0.due(at: .now) }) else { break }
                do { try await Task.sleep(for: wait) } catch { return }
            }
        }
    }

    /// What came while a command ran, before the next prompt; nil for nothing.
    func waiting() async -> String? {
        let batch = feed.withLock { $0.next(at: .now) }
        return batch.isEmpty ? nil : await text(of: batch)
    }

    private func text(of batch: Feed.Batch) async -> String {
        for change in batch.changes { learn(change) }
        await ask(Set(batch.changes.compactMap(\.productId)))
        var lines = batch.texts
        let known = titles.withLock { $0 }
        let width = console.width
        lines += batch.changes.map { change in
            let title = change.productId.flatMap { known[$0] }
            return DisplayText.wrapped(EventText.line(of: change, title: title), to: width)
        }
        if batch.hidden > 0 { lines.append("(+\(batch.hidden) more; too many to show)") }
        return lines.joined(separator: "\n")
    }

    private func learn(_ change: Change) {
        guard let product = change.productId, let title = change.after["title"]?.string else { return }
        remember(title, of: product)
    }

    private func remember(_ title: String, of product: Int64) {
        titles.withLock { titles in
            if titles.count >= Self.titlesMax { titles = [:] }
            titles[product] = title
        }
    }

    /// All at once: the daemon answers such reads together.
    private func ask(_ products: Set<Int64>) async {
        let unknown = titles.withLock { titles in products.filter { titles[$0] == nil } }
        guard !unknown.isEmpty, let client = view.client else { return }
        await withTaskGroup(of: (Int64, String?).self) { group in
            for product in unknown {
                group.addTask {
                    let found = try? await client.call(
                        "product.get",
                        ["productId": .integer(product)],
                        timeout: Self.titleWait
                    )
                    return (product, found?["title"]?.string)
                }
            }
            for await (product, title) in group {
                if let title { remember(title, of: product) }
            }
        }
    }
}
