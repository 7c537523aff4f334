import JSON
import RPCTransport
import Synchronization

/// Completion, hints and announcements while one line is typed.
final class PromptHelp: LineHelp {
    private let completer: Completer
    private let client: RPCClient?
    private let announcements: Announcements
    private let console: Console
    private let pending = Mutex<Task<Void, Never>?>(nil)

    /// How many values are asked of the server for one Tab.
    private static let liveValuesMax = 50

    /// - Parameter client: The server to ask for values; nil without a connection.
    init(catalogue: MethodCatalogue, client: RPCClient?, announcements: Announcements, console: Console) {
        completer = Completer(catalogue: catalogue)
        self.client = client
        self.announcements = announcements
        self.console = console
    }

    func hint(for text: String) -> String? { completer.hint(for: text) }

    func tabPressed(in editor: LineEditor) {
        let text = editor.textBeforeCursor
        let answer = completer.answer(for: text)
        guard let query = answer.live else { return offer(answer, in: editor) }
        guard let client else { return }
        // Typing goes on while the server thinks; the answer comes back through the wake.
        let asking = Task { [announcements] in
            let found = try? await client.call("server.complete", query.parameters(limit: Self.liveValuesMax))
            var filled = answer
            filled.candidates =
                answer.isReference
                ? LiveValues.references(in: found ?? [:])
                : LiveValues.candidates(in: found ?? [:], word: answer.word)
            announcements.put(.completion(line: text, answer: filled))
        }
        pending.withLock { pending in
            pending?.cancel()
            pending = asking
        }
    }

    func woken(_ editor: LineEditor) {
        for item in announcements.removeAll() {
            switch item {
            case .text(let text): editor.printAbove(text)
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
