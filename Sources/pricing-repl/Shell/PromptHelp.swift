import JSON
import RPCTransport
import Synchronization

/// Completion, hints and announcements while one line is typed.
final class PromptHelp: LineHelp {
    private let view: SessionView
    private let announcements: Announcements
    private let feed: EventFeed
    private let console: Console
    let ghost: Ghost
    private let isColoured: Bool
    private let pending = Mutex<Task<Void, Never>?>(nil)
    /// What was typed before, the oldest first.
    private let entries = Mutex<[String]>([])
    /// Whether a question is answered, to which no command is an answer.
    let isAsking = Atomic(false)

    /// So many entries are kept, and at most twice as many.
    private static let entriesMax = 2000

    /// How many values are asked of the server for one Tab.
    private static let liveValuesMax = 50

    /// So long Tab waits for the description of the methods, which is on its way when the first prompt shows.
    private static let catalogueWaitMs = 500

    init(
        view: SessionView,
        announcements: Announcements,
        feed: EventFeed,
        console: Console,
        ghost: Ghost,
        isColoured: Bool
    ) {
        self.ghost = ghost
        self.isColoured = isColoured
        self.view = view
        self.announcements = announcements
        self.feed = feed
        self.console = console
    }

    func hint(for text: String) -> String? {
        if let hint = Completer(catalogue: view.catalogue).hint(for: text) { return hint }
        guard !isAsking.load(ordering: .relaxed), let effect = ghost.effect(of: text) else { return nil }
        // A number that is cut is another one.
        let room = (console.width ?? 80) - Link.prompt.count - text.utf8.count
        return effect.count + 4 < room ? "   " + effect : nil
    }

    /// The rest of the newest entry that begins so.
    func suggestion(for text: String) -> String? {
        guard !isAsking.load(ordering: .relaxed) else { return nil }
        let found = entries.withLock { $0.last { $0.count > text.count && $0.hasPrefix(text) } }
        return found.map { String($0.dropFirst(text.count)) }
    }

    func styles(of text: String) -> String? {
        guard isColoured, !isAsking.load(ordering: .relaxed) else { return nil }
        return LineStyle.styles(of: text, catalogue: view.catalogue)
    }

    func remember(_ entry: String) {
        entries.withLock { entries in
            entries.append(entry)
            if entries.count > 2 * Self.entriesMax { entries.removeFirst(Self.entriesMax) }
        }
    }

    func isOpen(_ text: String) -> Bool {
        var buffer = StatementBuffer()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { _ = buffer.add(String(line)) }
        return buffer.isOpen
    }

    func tabPressed(in editor: LineEditor) {
        let text = editor.textBeforeCursor
        let completer = Completer(catalogue: view.catalogue(within: Self.catalogueWaitMs))
        let answer = completer.answer(for: text)
        guard !answer.live.isEmpty else { return offer(answer, in: editor) }
        guard let client = view.client else { return }
        // Typing goes on while the server thinks; the answer comes back through the wake.
        let asking = Task { [announcements] in
            var filled = answer
            for query in answer.live {
                let found = try? await client.call("server.complete", query.parameters(limit: Self.liveValuesMax))
                filled.candidates +=
                    answer.isReference
                    ? LiveValues.references(in: found ?? [:], after: query.word)
                    : LiveValues.candidates(in: found ?? [:], word: answer.word)
            }
            announcements.put(.completion(line: text, answer: filled))
        }
        pending.withLock { pending in
            pending?.cancel()
            pending = asking
        }
    }

    func woken(_ editor: LineEditor) {
        feed.kick()
        for item in announcements.removeAll() {
            switch item {
            case .text(let text): editor.printAbove(text)
            case .prompt(let text): editor.setPrompt(text)
            case .completion(let line, let answer):
                // The operator has typed on: what was found is for another line.
                if editor.textBeforeCursor == line { offer(answer, in: editor) }
            }
        }
    }

    private func offer(_ answer: Completer.Answer, in editor: LineEditor) {
        if let common = Completer.commonText(of: answer) {
            editor.replace(word: answer.word, with: common)
        } else if !answer.candidates.isEmpty {
            editor.printAbove(CandidateList(width: console.width ?? 80).render(answer.candidates.map(\.label)))
        }
    }
}
